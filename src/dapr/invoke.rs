//! `POST /v1.0/invoke/{app}/method/{method}`: one call of a tutor agent.

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Builder;
use serde_json::{Map, Value, json};

use crate::agents::Agent;
use crate::config::DaprConfig;
use crate::ids::TraceContext;
use crate::intent::Intent;

/// What stays the same on every attempt of a request.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Our request id.
    pub request_id: String,
    /// Who asked.
    pub student_id: String,
    /// Lets the agent recognise a repeated attempt.
    pub idempotency_key: String,
    /// Whether a stream is wanted.
    pub stream: bool,
    /// Suspicions about the text, comma-separated.
    pub risk: Option<String>,
    /// Whether this is a redacted replay of a dead letter.
    pub redacted: bool,
    /// The trace to continue, if tracing is on.
    pub trace: Option<TraceContext>,
    /// The question, unaltered.
    pub query: String,
    /// What the student wants.
    pub intent: Intent,
    /// How sure that is.
    pub confidence: f64,
    /// `student_progress` as it came.
    pub student_context: Map<String, Value>,
}

/// What an attempt asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// A document.
    Json,
    /// A stream, in the one way that Dapr takes for it: another status than 2xx is then hidden.
    Stream,
    /// A stream or a document. Dapr passes on what comes as it comes, with its status.
    Either,
}

impl Accept {
    const fn media_types(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Stream => "text/event-stream",
            Self::Either => "text/event-stream, application/json",
        }
    }
}

/// What an attempt adds.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Who is called.
    pub agent: &'a Agent,
    /// From 1.
    pub attempt: u32,
    /// What is asked for.
    pub accept: Accept,
    /// What is left of the overall deadline.
    pub remaining: Duration,
}

/// The request of one attempt.
///
/// Headers come from this list only: a caller's `dapr-app-id` would re-route the call.
/// `content-length` must be there: without it Dapr treats the call as a stream.
pub fn invoke(dapr: &DaprConfig, invocation: &Invocation, call: Call<'_>) -> Option<http::Request<Vec<u8>>> {
    let agent = call.agent;
    let body = serde_json::to_vec(&body(invocation, call)).ok()?;
    let uri = format!("{}/v1.0/invoke/{}/method/{}", dapr.url, agent.id, agent.method);
    let mut request = http::Request::post(uri)
        .header(CONTENT_TYPE, "application/json")
        .header(CONTENT_LENGTH, body.len())
        .header(ACCEPT, call.accept.media_types())
        .header("x-request-id", &invocation.request_id)
        .header("x-student-id", &invocation.student_id)
        .header("idempotency-key", &invocation.idempotency_key)
        .header("x-deadline-ms", call.remaining.as_millis().to_string());
    let trace = invocation.trace.as_ref();
    request = with(request, "x-triage-risk", invocation.risk.as_deref());
    request = with(request, "x-triage-redacted", invocation.redacted.then_some("true"));
    request = with(request, "traceparent", trace.map(TraceContext::traceparent).as_deref());
    request = with(request, "tracestate", trace.and_then(|t| t.state.as_deref()));
    request = with(request, "dapr-api-token", dapr.api_token.as_deref());
    request.body(body).ok()
}

fn with(request: Builder, name: &str, value: Option<&str>) -> Builder {
    match value {
        Some(value) => request.header(name, value),
        None => request,
    }
}

fn body(invocation: &Invocation, call: Call<'_>) -> Value {
    let agent = call.agent;
    // The alias is the agent's name for its own intent; as a fallback it is asked about another.
    let alias = agent.intent_alias.as_deref().filter(|_| agent.intent == invocation.intent);
    json!({
        "intent": alias.unwrap_or_else(|| invocation.intent.as_str()),
        "confidence": invocation.confidence,
        "query": invocation.query,
        "student_context": invocation.student_context,
        "routing_metadata": {
            "request_id": invocation.request_id,
            "target_agent": agent.id,
            "priority": agent.priority,
            "attempt": call.attempt,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::{AgentTable, EMBEDDED};
    use crate::config::{Config, Settings};

    fn invocation() -> Invocation {
        Invocation {
            request_id: "r-1".into(),
            student_id: "student_1".into(),
            idempotency_key: "k-1".into(),
            stream: false,
            risk: Some("sql".into()),
            redacted: false,
            trace: Some(TraceContext::continue_from(None, None, [1; 16])),
            query: "'; DROP TABLE students; --".into(),
            intent: Intent::ExerciseRequest,
            confidence: 0.9,
            student_context: Map::new(),
        }
    }

    fn request(invocation: &Invocation) -> http::Request<Vec<u8>> {
        let table = AgentTable::parse(EMBEDDED).unwrap();
        let agent = table.for_intent(invocation.intent).unwrap();
        let dapr = Config::read(&Settings::default()).unwrap().dapr;
        let accept = Accept::Json;
        let remaining = Duration::from_millis(7_500);
        invoke(&dapr, invocation, Call { agent, attempt: 2, accept, remaining }).unwrap()
    }

    #[test]
    fn a_call_carries_the_agreed_headers_and_no_others() {
        let request = request(&invocation());
        assert_eq!(request.uri().path(), "/v1.0/invoke/exercise-agent/method/process");
        let mut names: Vec<&str> = request.headers().keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "accept",
                "content-length",
                "content-type",
                "idempotency-key",
                "traceparent",
                "x-deadline-ms",
                "x-request-id",
                "x-student-id",
                "x-triage-risk"
            ]
        );
        assert_eq!(request.headers()["x-deadline-ms"], "7500");
        assert_eq!(request.headers()["content-length"], request.body().len().to_string().as_str());
    }

    #[test]
    fn the_text_is_unaltered_and_the_intent_has_the_agents_own_name() {
        let body: Value = serde_json::from_slice(request(&invocation()).body()).unwrap();
        assert_eq!(body["query"], "'; DROP TABLE students; --");
        assert_eq!(body["intent"], "practice_exercises");
        assert_eq!(body["routing_metadata"]["attempt"], 2);
        let mut keys: Vec<&String> = body.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, ["confidence", "intent", "query", "routing_metadata", "student_context"]);
    }
}
