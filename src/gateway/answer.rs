//! From an outcome to a response with the headers every response carries, and the log line.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::response::Builder;
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::{Map, Value};

use super::exchange::Exchange;
use super::relay::Relay;
use crate::config::{Config, Flag};
use crate::page::{self, Part};
use crate::ports::Platform;
use crate::problem::Problem;
use crate::timestamp;

/// What the edge sends.
pub enum Answer<P: Platform> {
    /// Complete; `content-length` is set.
    Full(Response<Vec<u8>>),
    /// A head, and what writes the body.
    Stream(Response<()>, Box<Relay<P>>),
}

/// What came of an endpoint.
pub enum Outcome<P: Platform> {
    /// JSON text with its status and further headers.
    Json(u16, String, Vec<(&'static str, String)>),
    /// A file of the page.
    Page(Part),
    /// 204.
    Empty,
    /// An event stream.
    Stream(Box<Relay<P>>),
    /// A problem document.
    Problem(Problem),
}

impl<P: Platform> Outcome<P> {
    /// 200 with `value` as JSON.
    pub fn ok(value: &impl serde::Serialize) -> Result<Self, Problem> {
        serde_json::to_string(value)
            .map(|text| Self::Json(200, text, Vec::new()))
            .map_err(|_| Problem::ServiceUnavailable("the answer could not be written".into()))
    }
}

/// On every response (design section 8), beside the policy of what a browser may load for it.
const SECURITY_HEADERS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("cache-control", "no-store"),
];

/// All answers but the page are data and never rendered.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Headers that a page of another origin may read.
const EXPOSED: &str = "x-request-id, x-correlation-id, retry-after, ratelimit, ratelimit-policy, traceparent, \
                       idempotency-replayed, x-triage-cached";

/// Builds the response and writes the log line.
pub fn finish<P: Platform, B>(exchange: &Exchange<P, B>, outcome: Outcome<P>) -> Answer<P> {
    let config = exchange.instance.config().ok();
    let policy = match outcome {
        Outcome::Page(_) => page::CONTENT_SECURITY_POLICY,
        _ => CONTENT_SECURITY_POLICY,
    };
    let (status, content_type, body, headers, relay) = match outcome {
        Outcome::Json(status, text, headers) => {
            (status, "application/json", text.into_bytes(), headers, None)
        }
        Outcome::Page(part) => {
            let text = part.text(config.as_deref()).into_bytes();
            (200, part.content_type(), text, Vec::new(), None)
        }
        Outcome::Empty => (204, "", Vec::new(), Vec::new(), None),
        Outcome::Stream(relay) => {
            // Tells proxies in front (nginx, and so Kong) not to collect the stream.
            let unbuffered = vec![("x-accel-buffering", "no".to_owned())];
            (200, "text/event-stream", Vec::new(), unbuffered, Some(relay))
        }
        Outcome::Problem(problem) => {
            exchange.note("error", problem.error());
            let body = problem.document(&exchange.request_id).to_string().into_bytes();
            (problem.status(), "application/problem+json", body, problem.headers(), None)
        }
    };
    log(exchange, status);
    let mut response = base(exchange, config.as_deref(), status).header("content-security-policy", policy);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    if !content_type.is_empty() {
        response = response.header(CONTENT_TYPE, content_type);
    }
    match relay {
        Some(relay) => Answer::Stream(built(response, ()), relay),
        None => {
            // 204 has no body and may not announce one (RFC 9110 §8.6).
            if status != 204 {
                response = response.header(CONTENT_LENGTH, body.len());
            }
            let body = if exchange.method() == Method::HEAD { Vec::new() } else { body };
            Answer::Full(built(response, body))
        }
    }
}

fn base<P: Platform, B>(exchange: &Exchange<P, B>, config: Option<&Config>, status: u16) -> Builder {
    let mut response = Response::builder().status(status).header("x-request-id", &exchange.request_id);
    for (name, value) in SECURITY_HEADERS {
        response = response.header(name, HeaderValue::from_static(value));
    }
    if let Some(id) = &exchange.correlation_id {
        response = response.header("x-correlation-id", id);
    }
    if config.is_none_or(|config| config.flags.on(Flag::DistributedTracing)) {
        response = response.header("traceparent", exchange.trace.traceparent());
    }
    if let Some(quota) = exchange.quota.get() {
        for (name, value) in quota.headers() {
            response = response.header(name, value);
        }
    }
    cors(exchange, config, response)
}

/// CORS for the configured origins only (Fetch standard, "CORS protocol").
fn cors<P: Platform, B>(exchange: &Exchange<P, B>, config: Option<&Config>, response: Builder) -> Builder {
    let Some(config) = config.filter(|config| !config.cors_origins.is_empty()) else { return response };
    let response = response.header("vary", "origin");
    let allowed =
        exchange.header("origin").filter(|origin| config.cors_origins.iter().any(|known| known == origin));
    let Some(origin) = allowed else { return response };
    let response = response
        .header("access-control-allow-origin", origin)
        .header("access-control-expose-headers", EXPOSED);
    if exchange.method() != Method::OPTIONS {
        return response;
    }
    response
        .header("access-control-allow-methods", "GET, POST")
        .header(
            "access-control-allow-headers",
            "authorization, content-type, accept, idempotency-key, x-request-id, traceparent, tracestate",
        )
        .header("access-control-max-age", "600")
}

/// The response; a header that cannot be one (none is known) costs the answer, not the instance.
fn built<T: Default>(response: Builder, body: T) -> Response<T> {
    response.body(body).unwrap_or_else(|_| {
        let mut empty = Response::new(T::default());
        *empty.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        empty
    })
}

/// One JSON line per request: closed labels and numbers, never text or tokens.
fn log<P: Platform, B>(exchange: &Exchange<P, B>, status: u16) {
    let platform = exchange.platform();
    let took = platform.monotonic().saturating_sub(exchange.started);
    let mut line = Map::new();
    line.insert("time".into(), timestamp::format(platform.now()).into());
    line.insert("request_id".into(), exchange.request_id.clone().into());
    line.insert("trace_id".into(), exchange.trace.trace_id.clone().into());
    line.insert("method".into(), known_method(exchange.method()).into());
    line.insert("status".into(), status.into());
    line.insert("ms".into(), (took.as_secs_f64() * 1_000.0).into());
    for (name, value) in exchange.notes.borrow().iter() {
        line.insert((*name).to_owned(), value.clone().into());
    }
    platform.log(&Value::Object(line).to_string());
}

fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
