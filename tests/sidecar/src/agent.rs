//! The five tutor agents.
//!
//! Each knows its intents and answers them with the same text every time. A question for another
//! agent is answered too, 200 with `"status": "error"`: in this fleet an agent's refusal is an
//! answer, not a failure of the call.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::answer::{Body, Wait};
use crate::event_stream;
use crate::lesson::{self, Lesson};
use crate::misbehave::misbehave;
use crate::simulate::Simulate;

/// An agent.
#[derive(Debug)]
pub struct Agent {
    /// Its Dapr app id.
    pub app_id: &'static str,
    /// What it calls the intents it answers.
    pub intents: &'static [&'static str],
    /// Whether it also takes what triage was not sure about, of whatever intent.
    pub takes_abstained: bool,
    lesson: Lesson,
}

/// The fleet.
pub static AGENTS: [Agent; 5] = [
    Agent { app_id: "debug-agent", intents: &["syntax_help"], takes_abstained: false, lesson: lesson::DEBUG },
    Agent {
        app_id: "concepts-agent",
        intents: &["concept_explanation"],
        takes_abstained: false,
        lesson: lesson::CONCEPTS,
    },
    Agent {
        app_id: "exercise-agent",
        intents: &["exercise_request", "practice_exercises"],
        takes_abstained: false,
        lesson: lesson::EXERCISE,
    },
    Agent {
        app_id: "progress-agent",
        intents: &["progress_check"],
        takes_abstained: false,
        lesson: lesson::PROGRESS,
    },
    Agent { app_id: "review-agent", intents: &["none"], takes_abstained: true, lesson: lesson::REVIEW },
];

impl Agent {
    /// The agent of this app id.
    #[must_use]
    pub fn named(app_id: &str) -> Option<&'static Self> {
        AGENTS.iter().find(|agent| agent.app_id == app_id)
    }
}

/// A call as it reaches the agent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) verb: &'a Method,
    pub(crate) method: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) request_id: Option<&'a str>,
    pub(crate) stream: bool,
}

/// What an agent sends back, before its sidecar passes it on.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) wait: Wait,
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<u32>,
    pub(crate) media_type: &'static str,
    pub(crate) body: Body,
    /// The length the agent promises, where it does not keep the promise.
    pub(crate) declared_length: Option<usize>,
}

impl Reply {
    pub(crate) fn json(status: StatusCode, document: &Value) -> Self {
        Self {
            wait: Wait::For(Duration::ZERO),
            status,
            retry_after: None,
            media_type: "application/json",
            body: Body::whole(document.to_string().into_bytes()),
            declared_length: None,
        }
    }

    fn stream(body: Body) -> Self {
        Self { media_type: "text/event-stream", body, ..Self::json(StatusCode::OK, &Value::Null) }
    }
}

/// The agent's reply; `Err` with what was asked for where no such misbehaviour is known.
pub(crate) fn reply(agent: &Agent, question: &Question<'_>) -> Result<Reply, String> {
    // The agents have one route each, under whatever name the agent table gives it.
    if question.method.is_empty() || question.method.contains('/') {
        return Ok(Reply::json(StatusCode::NOT_FOUND, &json!({"detail": "Not Found"})));
    }
    if question.verb != Method::POST {
        return Ok(Reply::json(StatusCode::METHOD_NOT_ALLOWED, &json!({"detail": "Method Not Allowed"})));
    }
    let body = serde_json::from_slice(question.body).unwrap_or(Value::Null);
    let faults = faults(&body);
    if !faults.is_empty() {
        let document = json!({
            "status": "error", "agent": agent.app_id, "error": "malformed_request", "details": faults,
            "request_id": question.request_id,
        });
        return Ok(Reply::json(StatusCode::BAD_REQUEST, &document));
    }
    match Simulate::wanted(body.get("student_context").unwrap_or(&Value::Null)) {
        Ok(None) => Ok(teach(agent, question, &body)),
        Ok(Some(simulate)) => Ok(misbehave(agent, question, &body, simulate)),
        Err(found) => Err(found),
    }
}

/// A field of the body, what it must be, and whether a value is that.
type Rule = (&'static str, &'static str, fn(&Value) -> bool);

/// Everything that is wrong with a body, by field.
fn faults(body: &Value) -> Vec<String> {
    let rules: [Rule; 5] = [
        ("intent", "a string", Value::is_string),
        ("confidence", "a number from 0 to 1", |value| {
            value.as_f64().is_some_and(|it| (0.0..=1.0).contains(&it))
        }),
        ("query", "a string that is not empty", |value| value.as_str().is_some_and(|it| !it.is_empty())),
        ("student_context", "an object", Value::is_object),
        ("routing_metadata", "an object", Value::is_object),
    ];
    if !body.is_object() {
        return vec!["body: expected a JSON object".to_owned()];
    }
    rules
        .into_iter()
        .filter(|(field, _, holds)| !body.get(field).is_some_and(holds))
        .map(|(field, expected, _)| format!("{field}: expected {expected}"))
        .collect()
}

/// The usual answer of an agent, or its refusal.
pub(crate) fn teach(agent: &Agent, question: &Question<'_>, body: &Value) -> Reply {
    let intent = intent(body);
    let abstained = body.pointer("/routing_metadata/abstained").and_then(Value::as_bool).unwrap_or(false);
    if !(agent.intents.contains(&intent) || agent.takes_abstained && abstained) {
        return refusal(agent, question, body, "intent_not_supported");
    }
    let (text, next_steps) = (agent.lesson.text, agent.lesson.next_steps);
    if question.stream {
        let end = json!({
            "status": "success", "agent": agent.app_id, "intent": intent, "next_steps": next_steps,
            "request_id": question.request_id,
        });
        return Reply::stream(event_stream::told(text, &end));
    }
    let document = json!({
        "status": "success", "agent": agent.app_id, "intent": intent,
        "response": {"text": text, "next_steps": next_steps},
        "request_id": question.request_id,
    });
    Reply::json(StatusCode::OK, &document)
}

/// 200 with `"status": "error"`.
pub(crate) fn refusal(agent: &Agent, question: &Question<'_>, body: &Value, error: &str) -> Reply {
    let document = json!({
        "status": "error", "agent": agent.app_id, "intent": intent(body), "error": error,
        "supported_intents": agent.intents,
        "request_id": question.request_id,
    });
    Reply::json(StatusCode::OK, &document)
}

fn intent(body: &Value) -> &str {
    body.get("intent").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
#[path = "agent_tests.rs"]
mod tests;
