//! The entry point: one path, one deed.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt as _, SinkExt as _};
use http::Response;
use http_body_util::{BodyExt as _, Full};
use spin_sdk::http::Request;
use spin_sdk::http::body::{IncomingBodyExt as _, stream};
use spin_sdk::wasip3::http::types::ErrorCode;
use spin_sdk::{http_service, variables};

use crate::query::Query;
use crate::{outbound, stores};

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, anyhow::Error>;

thread_local! {
    /// Requests that this instance has seen.
    static SEEN: Cell<u32> = const { Cell::new(0) };
}

#[http_service]
async fn handle(request: Request) -> Result<Response<Body>, ErrorCode> {
    let seen = SEEN.get() + 1;
    SEEN.set(seen);
    let (parts, body) = request.into_parts();
    let query = Query::of(&parts.uri);
    let path = parts.uri.path().to_owned();
    let text = match path.trim_start_matches('/').split_once('/') {
        Some(("kv", operation)) => told(stores::spin(operation, &query).await),
        Some(("wasi", operation)) => told(stores::wasi(operation, &query)),
        _ => match path.as_str() {
            "/echo" => String::from_utf8_lossy(&body.bytes().await?).into_owned(),
            "/call" => outbound::call(&query, body.bytes().await?).await,
            "/race" => race(&query).await,
            "/relay" => return relay(&query).await,
            "/stream" => return Ok(Response::new(ticking(&query))),
            "/variable" => told(variables::get(query.text("name")).await.map_err(|e| format!("{e:?}"))),
            "/headers" => listed(&parts.headers),
            "/uri" => parts.uri.to_string(),
            "/seen" => seen.to_string(),
            "/later" => later(query),
            "/sleep" => slept(&query).await,
            "/block" => blocked(&query),
            "/now" => now(),
            "/log" => logged(&query),
            "/random" => random(),
            "/trap" => panic!("asked to"),
            "/error" => return Err(ErrorCode::ConfigurationError),
            _ => "hello".to_owned(),
        },
    };
    whole(text)
}

fn told(outcome: Result<String, String>) -> String {
    outcome.unwrap_or_else(|error| format!("error {error}"))
}

fn whole(text: String) -> Result<Response<Body>, ErrorCode> {
    let length = text.len();
    let body = Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync();
    Response::builder()
        .header("content-length", length)
        .body(body)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))
}

/// A call against a timer of the guest's own.
async fn race(query: &Query) -> String {
    let limit = spin_sdk::time::sleep(milliseconds(query)).fuse();
    let call = outbound::call(query, Bytes::new()).fuse();
    let (mut limit, mut call) = (std::pin::pin!(limit), std::pin::pin!(call));
    futures::select_biased! {
        text = call => text,
        () = limit => "timer".to_owned(),
    }
}

/// Passes another's body on, unbuffered.
async fn relay(query: &Query) -> Result<Response<Body>, ErrorCode> {
    let (parts, body) = outbound::send(query, Bytes::new()).await?.into_parts();
    let mut response = Response::new(body.map_err(anyhow::Error::from).boxed_unsync());
    *response.status_mut() = parts.status;
    Ok(response)
}

/// `n` pieces, `ms` apart.
fn ticking(query: &Query) -> Body {
    let (mut sender, body) = stream::<String>();
    let (count, pause) = (query.number("n"), milliseconds(query));
    spin_sdk::wasip3::spawn(async move {
        for number in 0..count {
            spin_sdk::time::sleep(pause).await;
            if sender.send(format!("{number};")).await.is_err() {
                break;
            }
        }
    });
    body.boxed_unsync()
}

/// Writes a key after the answer has gone.
fn later(query: Query) -> String {
    spin_sdk::wasip3::spawn(async move {
        spin_sdk::time::sleep(milliseconds(&query)).await;
        let _ = stores::spin("set", &query).await;
    });
    "later".to_owned()
}

async fn slept(query: &Query) -> String {
    let start = std::time::Instant::now();
    spin_sdk::time::sleep(milliseconds(query)).await;
    start.elapsed().as_millis().to_string()
}

/// Sleeps on the WASI 0.2 clock, which blocks the instance.
fn blocked(query: &Query) -> String {
    let start = std::time::Instant::now();
    std::thread::sleep(milliseconds(query));
    start.elapsed().as_millis().to_string()
}

fn now() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap_or_default().as_secs().to_string()
}

fn logged(query: &Query) -> String {
    println!("{}", query.text("text"));
    eprintln!("{}", query.text("text"));
    "logged".to_owned()
}

fn random() -> String {
    spin_sdk::wasip3::random::random::get_random_u64().to_string()
}

fn listed(headers: &http::HeaderMap) -> String {
    let mut lines: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    lines.sort();
    lines.join("\n")
}

fn milliseconds(query: &Query) -> Duration {
    Duration::from_millis(query.number("ms").unsigned_abs())
}
