//! One request while it is being answered: its parts, its ids, its clock, and what was noticed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;

use super::instance::Instance;
use crate::config::Config;
use crate::delivery::{Cause, collect};
use crate::ids::{TraceContext, correlation_id, uuid_v7};
use crate::ports::{Incoming, Platform, UnixMillis, within};
use crate::problem::Problem;
use crate::rate_limit::Quota;

/// A request and everything learned about it on the way.
pub struct Exchange<P: Platform, B> {
    /// The instance that serves it.
    pub instance: Rc<Instance<P>>,
    head: Parts,
    body: Option<B>,
    /// Our id (UUID version 7).
    pub request_id: String,
    /// The caller's `x-request-id`.
    pub correlation_id: Option<String>,
    /// The trace it belongs to.
    pub trace: TraceContext,
    /// Arrival by the monotonic clock.
    pub started: Duration,
    /// Arrival by the wall clock.
    pub arrived: UnixMillis,
    /// When its body was there, by the monotonic clock; until then its arrival.
    pub complete_at: Cell<Duration>,
    /// For the response's headers.
    pub quota: Cell<Option<Quota>>,
    /// For the log line; closed labels only.
    pub notes: RefCell<Vec<(&'static str, String)>>,
}

impl<P: Platform, B: Incoming> Exchange<P, B> {
    /// Takes a request in.
    pub fn open(instance: Rc<Instance<P>>, request: http::Request<B>) -> Self {
        let (head, body) = request.into_parts();
        let platform = &instance.platform;
        let (started, arrived) = (platform.monotonic(), platform.now());
        let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let trace = TraceContext::continue_from(text("traceparent"), text("tracestate"), platform.random());
        Self {
            request_id: uuid_v7(arrived, platform.random()),
            correlation_id: correlation_id(text("x-request-id")),
            trace,
            started,
            arrived,
            complete_at: Cell::new(started),
            quota: Cell::new(None),
            notes: RefCell::default(),
            instance,
            head,
            body: Some(body),
        }
    }

    /// Reads the body: complete, within its time and size. `limit` in bytes.
    pub async fn body(&mut self, config: &Config, limit: usize) -> Result<Vec<u8>, Problem> {
        let Some(mut body) = self.body.take() else { return Ok(Vec::new()) };
        let read = within(self.platform(), config.resilience.body_timeout, collect(&mut body, limit)).await;
        self.complete_at.set(self.platform().monotonic());
        match read {
            Some(Ok(bytes)) => Ok(bytes),
            Some(Err(Cause::ReplyTooLarge)) => Err(Problem::PayloadTooLarge(limit)),
            Some(Err(_)) => Err(Problem::SchemaValidation(vec!["body: could not be read to its end".into()])),
            None => Err(Problem::RequestTimeout),
        }
    }

    /// Whether the head announces a body that can be taken: JSON, unencoded, not over `limit`.
    pub fn accepts_body(&self, limit: usize) -> Result<(), Problem> {
        let media_type = self.header(CONTENT_TYPE.as_str()).and_then(|value| value.split(';').next());
        let is_json = media_type.is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json"));
        let encoded = self
            .header(CONTENT_ENCODING.as_str())
            .is_some_and(|value| !value.eq_ignore_ascii_case("identity"));
        if !is_json || encoded || self.head.headers.get_all(CONTENT_TYPE).iter().count() > 1 {
            return Err(Problem::UnsupportedMediaType);
        }
        let announced = self.header(CONTENT_LENGTH.as_str()).and_then(|value| value.parse::<u64>().ok());
        match announced {
            Some(length) if length > limit as u64 => Err(Problem::PayloadTooLarge(limit)),
            _ => Ok(()),
        }
    }
}

impl<P: Platform, B> Exchange<P, B> {
    /// The outside.
    pub fn platform(&self) -> &P {
        &self.instance.platform
    }

    /// HTTP method.
    pub fn method(&self) -> &http::Method {
        &self.head.method
    }

    /// Path without query.
    pub fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// All headers.
    pub fn headers(&self) -> &http::HeaderMap {
        &self.head.headers
    }

    /// A header's text; `None` when it is absent or not visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The value of `name` in the query, as it stands there.
    pub fn query(&self, name: &str) -> Option<String> {
        let pairs = self.head.uri.query().unwrap_or("").split('&');
        pairs
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    }

    /// Whether the query says `name=value`. Anything else under `name` is refused: what a mistyped
    /// `dry_run` was to keep from happening would happen.
    pub fn asks(&self, name: &str, value: &str) -> Result<bool, Problem> {
        let pairs = self.head.uri.query().unwrap_or("").split('&');
        let mut given =
            pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).filter(|(key, _)| *key == name);
        match (given.next(), given.next()) {
            (None, _) => Ok(false),
            (Some((_, text)), None) if text == value => Ok(true),
            _ => Err(Problem::SchemaValidation(vec![format!("{name}: can only be {value}")])),
        }
    }

    /// Whether the caller wants a stream: names its type, and not with weight 0 (RFC 9110 §12.4.2).
    pub fn wants_stream(&self) -> bool {
        let lines = self.head.headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).any(accepts_stream)
    }

    /// Notes something for the log line.
    pub fn note(&self, name: &'static str, value: impl Into<String>) {
        self.notes.borrow_mut().push((name, value.into()));
    }
}

/// Whether one item of an `accept` header accepts a stream.
fn accepts_stream(item: &str) -> bool {
    let mut parts = item.split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("text/event-stream"));
    let weight = |part: &str| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f32>().ok()).flatten()
    };
    named && !parts.any(|part| weight(part) == Some(0.0))
}
