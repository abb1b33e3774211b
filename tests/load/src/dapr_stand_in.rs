//! A Dapr sidecar on a loopback socket that does as it is told and remembers what it saw.
//!
//! An event counts as arrived when its delay is over, just before its acknowledgement leaves: if the
//! caller's connection breaks before that, nothing has arrived. This is the hard reading of "at least
//! once".

mod log;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use log::{Arrived, Log, Visit};

/// What a sidecar is asked to do.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    /// Call an agent.
    Agent {
        /// Its app id.
        app: &'a str,
    },
    /// Publish an event.
    Event {
        /// On this topic.
        topic: &'a str,
    },
}

/// What it does.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// After this time …
    pub delay: Duration,
    /// … this.
    pub act: Act,
}

/// What it does when the time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The agent answers, the broker takes the event.
    Serve,
    /// This status; an event has not arrived.
    Status(u16),
    /// The connection breaks; an event has arrived, but nobody hears of it.
    Cut,
}

impl Manner {
    /// All is well after `delay`.
    #[must_use]
    pub const fn serve(delay: Duration) -> Self {
        Self { delay, act: Act::Serve }
    }

    /// A failure after `delay`.
    #[must_use]
    pub const fn status(delay: Duration, status: u16) -> Self {
        Self { delay, act: Act::Status(status) }
    }
}

type Script = Arc<dyn Fn(Asked<'_>) -> Manner + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Events in a streamed answer, and the time between two of them.
pub const STREAM_EVENTS: u64 = 8;
const BETWEEN_EVENTS: Duration = Duration::from_millis(5);

/// A sidecar that runs until this is dropped.
#[derive(Debug)]
pub struct DaprStandIn {
    address: SocketAddr,
    log: Arc<Log>,
    accepting: JoinHandle<()>,
}

impl DaprStandIn {
    /// Starts one on a free port; `script` says what it does.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn start(script: impl Fn(Asked<'_>) -> Manner + Send + Sync + 'static) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, log) = (listener.local_addr()?, Arc::new(Log::default()));
        let (script, seen): (Script, _) = (Arc::new(script), Arc::clone(&log));
        let accepting = tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        drop(tokio::spawn(converse(stream, Arc::clone(&script), Arc::clone(&seen))))
                    }
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        });
        Ok(Self { address, log, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it saw.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }
}

impl Drop for DaprStandIn {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn converse(stream: TcpStream, script: Script, log: Arc<Log>) {
    // The time a small write waits for an acknowledgement would count as the agent's.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(move |request| answer(request, Arc::clone(&script), Arc::clone(&log)));
    // An error is a connection that we cut, or that the host's end cut.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Breaks the connection.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection cut by the script")
    }
}

impl std::error::Error for Cut {}

async fn answer(request: Request<Incoming>, script: Script, log: Arc<Log>) -> Result<Response<Body>, Cut> {
    let arrived = Instant::now();
    let (head, body) = request.into_parts();
    let header =
        |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let segments: Vec<&str> = head.uri.path().split('/').skip(1).collect();
    match segments.as_slice() {
        ["v1.0", "invoke", app, "method", _] => {
            let (id, stream) = (header("x-request-id"), header("accept").contains("event-stream"));
            let manner = script(Asked::Agent { app });
            let visit = log.called(app, &id, arrived);
            wait(manner.delay).await;
            log.replied(visit, Instant::now());
            match manner.act {
                Act::Serve if stream => Ok(streamed(app, &id)),
                Act::Serve => Ok(lesson(app, &id)),
                Act::Status(status) => Ok(status_only(status)),
                Act::Cut => Err(Cut),
            }
        }
        ["v1.0", "publish", _, topic] => {
            let manner = script(Asked::Event { topic });
            wait(manner.delay).await;
            if let Act::Status(status) = manner.act {
                return Ok(status_only(status));
            }
            log.arrived(topic, &body);
            if manner.act == Act::Cut { Err(Cut) } else { Ok(status_only(204)) }
        }
        _ => Ok(status_only(204)),
    }
}

/// Timers are good to a millisecond only: no time at all takes none.
async fn wait(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

fn status_only(status: u16) -> Response<Body> {
    let mut response = Response::new(Full::default().boxed_unsync());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::BAD_GATEWAY);
    response
}

/// The text that an agent's answer to `id` holds; a client can tell that it got its own.
#[must_use]
pub fn marker(app: &str, id: &str) -> String {
    format!("{app} to {id}")
}

fn lesson(app: &str, id: &str) -> Response<Body> {
    let body = json!({"status": "success", "response": {"text": marker(app, id)}}).to_string();
    let mut response = Response::new(Full::from(body).boxed_unsync());
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    response
}

fn streamed(app: &str, id: &str) -> Response<Body> {
    let text = marker(app, id);
    let events = futures::stream::unfold(0, move |n| {
        let event = json!({"text": text, "n": n}).to_string();
        async move {
            if n == STREAM_EVENTS {
                return None;
            }
            if n > 0 {
                tokio::time::sleep(BETWEEN_EVENTS).await;
            }
            let data = Bytes::from(format!("event: token\ndata: {event}\n\n"));
            Some((Ok(Frame::data(data)), n + 1))
        }
    });
    let mut response = Response::new(StreamBody::new(events).boxed_unsync());
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("text/event-stream"));
    response
}
