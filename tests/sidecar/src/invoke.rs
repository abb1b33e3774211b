//! Service invocation: which agent a request means, and what daprd makes of the agent's reply.
//!
//! The app is taken from the header `dapr-app-id`, else from basic auth with that user name, else
//! from `/v1.0/invoke/{app}/method/{method}`. With either header the whole path becomes the method,
//! so a header that a caller smuggles in sends the question elsewhere, and to a route which no agent
//! has.
//!
//! What daprd changes on the way back, which a caller has to live with:
//! - with `accept: text/event-stream` (that value alone) a success is labelled as an event stream,
//!   whatever it is, and loses its length;
//! - with it, any other status than 2xx is lost: the caller gets 500 `ERR_DIRECT_INVOKE`, and neither
//!   the agent's status nor its `retry-after`;
//! - with any other value everything passes as it is, a stream among several types included.

use ct_codecs::{Base64, Decoder};
use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, HeaderMap, RETRY_AFTER};

use crate::agent::{self, Agent, Question, Reply};
use crate::answer::Answer;
use crate::fault;
use crate::misbehave;
use crate::route::{clean, decode, parameter};

const DAPR_APP_ID: &str = "dapr-app-id";

/// The app and method a request means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// As the caller wrote it, namespace included.
    pub app_id: String,
    /// Path of the app's route, without the leading slash.
    pub method: String,
}

/// The answer of the agent that the request means, or daprd's error.
#[must_use]
pub fn invoke(request: &Request<Vec<u8>>) -> Answer {
    let Some(target) = target(request.uri().path(), request.headers()) else {
        return fault::no_app_id();
    };
    match find(&target.app_id) {
        Ok(agent) => relay(&target, agent, request),
        Err(cause) => fault::direct_invoke(&target.app_id, &cause),
    }
}

/// Whom a request means: `None` when it does not say.
#[must_use]
pub fn target(path: &str, headers: &HeaderMap) -> Option<Target> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let named = header(DAPR_APP_ID).filter(|id| !id.is_empty()).map(str::to_owned);
    if let Some(app_id) = named.or_else(|| header(AUTHORIZATION.as_str()).and_then(basic_app_id)) {
        return Some(Target { app_id, method: clean(&decode(path)) });
    }
    let decoded = decode(path);
    let rest = after(after(&decoded, "v1.0")?, "invoke")?;
    let (app_id, method) = rest.split_once("/method/").filter(|(app_id, _)| !app_id.is_empty())?;
    Some(Target { app_id: parameter(app_id), method: clean(method) })
}

/// What follows a first segment and its slashes.
fn after<'a>(path: &'a str, segment: &str) -> Option<&'a str> {
    let rest = path.trim_start_matches('/').strip_prefix(segment)?;
    rest.starts_with('/').then(|| rest.trim_start_matches('/'))
}

fn basic_app_id(authorization: &str) -> Option<String> {
    let decoded = Base64::decode_to_vec(authorization.strip_prefix("Basic ")?, None).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (user, app_id) = decoded.split_once(':')?;
    (user.eq_ignore_ascii_case(DAPR_APP_ID) && !app_id.contains(':')).then(|| app_id.to_owned())
}

/// An app id may carry a namespace; the agents live in the sidecar's own, whatever it is called.
fn find(app_id: &str) -> Result<&'static Agent, String> {
    let mut parts = app_id.split('.');
    let name = parts.next().unwrap_or_default();
    if parts.nth(1).is_some() {
        return Err(format!("invalid app id {app_id}"));
    }
    Agent::named(name).ok_or_else(|| format!("couldn't find service: {name}"))
}

fn relay(target: &Target, agent: &Agent, request: &Request<Vec<u8>>) -> Answer {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let accept = header(ACCEPT.as_str()).unwrap_or_default().to_ascii_lowercase();
    let stream = accept.trim() == "text/event-stream";
    let question = Question {
        verb: request.method(),
        method: &target.method,
        body: request.body(),
        request_id: header("x-request-id"),
        stream: accept.contains("text/event-stream"),
    };
    match agent::reply(agent, &question) {
        Ok(reply) if stream => relay_stream(target, reply),
        Ok(reply) => relay_document(reply),
        Err(found) => misbehave::unknown_simulate(&found),
    }
}

fn relay_stream(target: &Target, reply: Reply) -> Answer {
    let wait = reply.wait;
    let answer = if reply.status.is_success() {
        Answer::event_stream(reply.body)
    } else {
        let cause =
            "rpc error: code = Internal desc = error invoking app channel: no response received from stream";
        fault::direct_invoke(&target.app_id, cause)
    };
    Answer { wait, ..answer }
}

/// The length stands for the whole document, also when the body breaks before its end.
fn relay_document(reply: Reply) -> Answer {
    let length = reply.declared_length.unwrap_or_else(|| reply.body.bytes().len());
    let mut answer = Answer::sized(reply.status, reply.media_type, length, reply.body);
    answer.wait = reply.wait;
    if let Some(seconds) = reply.retry_after {
        answer.headers().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

#[cfg(test)]
#[path = "invoke_tests.rs"]
mod tests;
