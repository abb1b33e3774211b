//! Outbound HTTP: who may call whom, and where a call really goes.
//!
//! The order is Spin's: the component's `allowed_outbound_hosts` decide first; then
//! `http://NAME.spin.internal` goes to that component of the application, private or not; everything
//! else goes to the network. A test puts a script in place of the network, and of any host it names.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use crate::clock::Clock;
use crate::instance::caller::Caller;
use crate::instance::prepared::Component;

pub(crate) mod allowed_hosts;
pub(crate) mod body;
pub(crate) mod hooks;
mod network;
pub mod record;
pub mod script;

use network::Network;
use record::{Call, CallEnd, Calls, Framing, Tracked};
use script::{Act, Reply, Upstream};

/// What Spin uses for each of the three time-outs that a guest leaves out.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// Where outbound calls of all components go.
pub(crate) struct Outbound {
    pub calls: Arc<Calls>,
    scripts: Mutex<Scripts>,
    /// `None`: a call that no script answers is refused.
    network: Option<Network>,
}

#[derive(Default)]
struct Scripts {
    by_host: BTreeMap<String, Arc<dyn Upstream>>,
    others: Option<Arc<dyn Upstream>>,
}

/// The other end of a call.
enum Target {
    Script(Arc<dyn Upstream>, Box<Target>),
    /// A component of the application.
    Chained(String),
    Network,
}

/// A call on its way out, and who makes it.
pub(crate) struct Outgoing {
    pub component: Arc<Component>,
    pub caller: Caller,
    pub request: Request<WasiBody>,
    pub timeouts: RequestOptions,
}

impl Outbound {
    pub fn new(clock: Clock, recording: bool, network: bool) -> Self {
        Self {
            calls: Calls::new(clock, recording),
            scripts: Mutex::default(),
            network: network.then(Network::new),
        }
    }

    /// Puts a script in place of `host`.
    pub fn script_host(&self, host: &str, upstream: Arc<dyn Upstream>) {
        self.scripts().by_host.insert(host.to_owned(), upstream);
    }

    /// Puts a script in place of the network.
    pub fn script_others(&self, upstream: Arc<dyn Upstream>) {
        self.scripts().others = Some(upstream);
    }

    fn scripts(&self) -> std::sync::MutexGuard<'_, Scripts> {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The component that a call names and that the application lacks: Spin traps on it.
    pub fn missing_component(&self, component: &Component, uri: &http::Uri) -> Option<String> {
        let allowed = component.allowed_hosts.as_ref().is_some_and(|hosts| hosts.allows(uri));
        let Target::Chained(name) = self.target(uri) else { return None };
        let there = component.front().is_some_and(|front| front.serves(&name));
        (allowed && !there).then_some(name)
    }

    fn target(&self, uri: &http::Uri) -> Target {
        let host = uri.host().unwrap_or_default();
        let (plain, scripts) = (chained(host), self.scripts());
        let others = scripts.others.as_ref().filter(|_| matches!(plain, Target::Network));
        match scripts.by_host.get(host).or(others) {
            Some(script) => Target::Script(script.clone(), Box::new(plain)),
            None => plain,
        }
    }

    /// Makes the call.
    pub async fn send(&self, mut outgoing: Outgoing) -> Result<Response<WasiBody>, Error> {
        let uri = outgoing.request.uri().clone();
        let denied = || Err(Error::HttpRequestDenied);
        let Some(allowed) = &outgoing.component.allowed_hosts else { return denied() };
        if uri.host().is_none_or(|host| host.is_empty() || host == "self.alt") {
            let known = Err(Error::InternalError(Some(
                "requests to the application's own routes are not supported by this host".into(),
            )));
            return if allowed.allows_own() { known } else { denied() };
        }
        if !allowed.allows(&uri) {
            let (world, id) = (&outgoing.component.world, &outgoing.component.id);
            world.logs.line(id, true, &format!("host: outbound call to {uri} is not allowed"));
            return denied();
        }
        outgoing.request.headers_mut().remove(http::header::HOST);
        self.send_to(self.target(&uri), outgoing).await
    }

    async fn send_to(&self, target: Target, outgoing: Outgoing) -> Result<Response<WasiBody>, Error> {
        match target {
            Target::Script(upstream, plain) => self.play(upstream, *plain, outgoing).await,
            plain => {
                let mut call = describe(&outgoing);
                let tracked = self.calls.begin(&mut call);
                self.go(plain, outgoing, tracked).await
            }
        }
    }

    /// Sends the call where it goes without a script.
    async fn go(
        &self,
        target: Target,
        outgoing: Outgoing,
        mut tracked: Tracked,
    ) -> Result<Response<WasiBody>, Error> {
        let longest = outgoing.timeouts.between_bytes_timeout.unwrap_or(DEFAULT_TIMEOUT);
        let answered = match target {
            Target::Chained(name) => chain(&name, outgoing).await,
            _ => match &self.network {
                Some(network) => network.send(outgoing.request, outgoing.timeouts).await,
                None => Err(Error::ConnectionRefused),
            },
        };
        match answered {
            Ok(response) => {
                tracked.status(response.status().as_u16());
                if response.body().is_end_stream() {
                    tracked.end(CallEnd::Answered);
                }
                Ok(response.map(|body| body::watched(body, longest, tracked)))
            }
            Err(error) => {
                tracked.end(CallEnd::Failed(error.to_string()));
                Err(error)
            }
        }
    }

    async fn play(
        &self,
        upstream: Arc<dyn Upstream>,
        plain: Target,
        outgoing: Outgoing,
    ) -> Result<Response<WasiBody>, Error> {
        let mut call = describe(&outgoing);
        let Outgoing { component, caller, request, timeouts } = outgoing;
        let (parts, body) = request.into_parts();
        call.body = body.collect().await?.to_bytes();
        let mut tracked = self.calls.begin(&mut call);
        let reply = upstream.reply(&call);
        // Service chaining ignores this time-out; so does what stands in for it.
        let longest = match plain {
            Target::Network => timeouts.first_byte_timeout.unwrap_or(DEFAULT_TIMEOUT),
            _ => Duration::MAX,
        };
        let waited = async {
            if !reply.delay.is_zero() {
                tokio::time::sleep(reply.delay).await;
            }
            if matches!(reply.act, Act::Silent) {
                std::future::pending::<()>().await;
            }
        };
        if tokio::time::timeout(longest, waited).await.is_err() {
            tracked.end(CallEnd::Failed("first-byte time-out".to_owned()));
            return Err(Error::ConnectionReadTimeout);
        }
        if let Act::Pass = reply.act {
            let request = Request::from_parts(parts, body::full(call.body));
            return self.go(plain, Outgoing { component, caller, request, timeouts }, tracked).await;
        }
        respond(reply, timeouts, tracked)
    }
}

fn respond(
    reply: Reply,
    timeouts: RequestOptions,
    mut tracked: Tracked,
) -> Result<Response<WasiBody>, Error> {
    let error = match reply.act {
        Act::Respond(head, chunks, end) => {
            tracked.status(head.status.as_u16());
            let longest = timeouts.between_bytes_timeout.unwrap_or(DEFAULT_TIMEOUT);
            let mut response = Response::new(body::scripted(chunks, end, longest, tracked));
            *response.status_mut() = head.status;
            *response.headers_mut() = head.headers;
            return Ok(response);
        }
        Act::Refuse => Error::ConnectionRefused,
        _ => Error::HttpProtocolError,
    };
    tracked.end(CallEnd::Failed(error.to_string()));
    Err(error)
}

fn chained(host: &str) -> Target {
    match host.strip_suffix(allowed_hosts::CHAINING_SUFFIX) {
        Some(name) if !name.contains('.') => Target::Chained(name.to_owned()),
        _ => Target::Network,
    }
}

async fn chain(name: &str, outgoing: Outgoing) -> Result<Response<WasiBody>, Error> {
    let gone = || Error::InternalError(Some("the application is shutting down".to_owned()));
    let front = outgoing.component.front().ok_or_else(gone)?;
    Ok(front.chained(name, outgoing.request, outgoing.caller.request).await)
}

fn describe(outgoing: &Outgoing) -> Call {
    let request = &outgoing.request;
    Call {
        number: 0,
        at: Duration::ZERO,
        component: outgoing.caller.component.to_string(),
        instance: outgoing.caller.instance,
        request: outgoing.caller.request.as_deref().map(str::to_owned),
        method: request.method().clone(),
        uri: request.uri().clone(),
        headers: request.headers().clone(),
        body: bytes::Bytes::new(),
        framing: framing(request),
        timeouts: outgoing.timeouts,
        status: None,
        taken: 0,
        end: None,
        ended: None,
    }
}

/// What the HTTP client would put on the wire.
fn framing(request: &Request<WasiBody>) -> Framing {
    let announced = request.headers().get(http::header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse().ok());
    match announced.or_else(|| request.body().size_hint().exact()) {
        Some(0) => Framing::Empty,
        Some(length) => Framing::Length(length),
        None if request.body().is_end_stream() => Framing::Empty,
        None => Framing::Chunked,
    }
}
