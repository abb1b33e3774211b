//! `TriageRequest` and `ClassifyRequest`: read with all faults at once.

use serde_json::{Map, Value};

use super::schema::{FaultList, Object};
use super::{MAX_BATCH, MAX_QUERY};
use crate::intent::{AgentSource, Intent};
use crate::ports::UnixMillis;
use crate::{json, timestamp};

/// How far a request's own time may be from ours, in milliseconds.
const CLOCK_TOLERANCE_MS: u64 = 300_000;

/// A validated question with its context.
#[derive(Debug, Clone, PartialEq)]
pub struct TriageRequest {
    /// The question, as it was typed.
    pub query: String,
    /// Who asks, while doing what.
    pub progress: Progress,
    /// `session_context`, checked, as it came.
    pub session: Session,
}

/// A question for a decision only: the progress may be missing or partial.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifyRequest {
    /// The question, as it was typed.
    pub query: String,
    /// Context, where given.
    pub progress: Option<Progress>,
    /// `session_context`.
    pub session: Session,
}

/// What is known of the conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Session {
    /// How many turns went before.
    pub turn_number: Option<u32>,
    /// What the last turn was about.
    pub previous_intent: Option<Intent>,
}

/// `student_progress`.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// `student_<uuid>`.
    pub student_id: String,
    /// Where in the platform the message was typed.
    pub source: AgentSource,
    /// completion, quiz, quality, consistency.
    pub scores: [Option<f64>; 4],
    /// The older way to give an idempotency key.
    pub idempotency_key: Option<String>,
    /// The object as it came, for the agent.
    pub raw: Map<String, Value>,
}

impl TriageRequest {
    /// Reads the body of `POST /api/v1/triage`; every fault as `field.path: message`.
    pub fn parse(body: &[u8], now: UnixMillis) -> Result<Self, Vec<String>> {
        read(body, &["query", "student_progress", "timestamp", "session_context"], |object, faults| {
            let query = query(object);
            let progress = object.required("student_progress").and_then(|value| progress(value, faults));
            if let Some(value) = object.optional("timestamp") {
                recent(object, value, now);
            }
            let session = session(object, faults);
            Some(Self { query: query?, progress: progress?, session })
        })
    }
}

impl ClassifyRequest {
    /// Reads the body of `POST /api/v1/classify`.
    pub fn parse(body: &[u8]) -> Result<Self, Vec<String>> {
        read(body, &["query", "student_progress", "session_context"], |object, faults| {
            let query = query(object);
            let progress = object.optional("student_progress").and_then(|value| progress(value, faults));
            let session = session(object, faults);
            Some(Self { query: query?, progress, session })
        })
    }

    /// Reads the body of `POST /api/v1/classify/batch`: the questions.
    pub fn parse_batch(body: &[u8]) -> Result<Vec<String>, Vec<String>> {
        read(body, &["queries"], |object, _| {
            let Value::Array(items) = object.required("queries")? else {
                object.fault("queries", "must be an array");
                return None;
            };
            if !(1..=MAX_BATCH).contains(&items.len()) {
                object.fault("queries", "must hold 1 to 100 questions");
                return None;
            }
            let texts =
                items.iter().enumerate().map(|(i, item)| question(object, &format!("queries[{i}]"), item));
            // All of them first: every fault is told, not the first one only.
            texts.collect::<Vec<_>>().into_iter().collect()
        })
    }
}

/// Runs `fields` over the body; a value counts only when there was no fault at all.
fn read<T>(
    body: &[u8],
    known: &[&str],
    fields: impl FnOnce(&Object<'_>, &FaultList) -> Option<T>,
) -> Result<T, Vec<String>> {
    let value = json::parse(body).map_err(|message| vec![format!("body: {message}")])?;
    let faults = FaultList::default();
    let read = Object::open(&value, "", known, &faults).and_then(|object| fields(&object, &faults));
    let faults = faults.into_inner();
    read.filter(|_| faults.is_empty()).ok_or(faults)
}

fn query(object: &Object<'_>) -> Option<String> {
    question(object, "query", object.required("query")?)
}

fn question(object: &Object<'_>, name: &str, value: &Value) -> Option<String> {
    let Some(text) = value.as_str() else {
        object.fault(name, "must be a string");
        return None;
    };
    if text.trim().is_empty() {
        object.fault(name, "must not be empty or only white space");
        return None;
    }
    if text.chars().count() > MAX_QUERY {
        object.fault(name, "must be at most 5000 characters");
        return None;
    }
    Some(text.to_owned())
}

const PROGRESS_FIELDS: [&str; 10] = [
    "student_id",
    "exercise_id",
    "timestamp",
    "agent_source",
    "completion_score",
    "quiz_score",
    "quality_score",
    "consistency_score",
    "idempotency_key",
    "metadata",
];

fn progress(value: &Value, faults: &FaultList) -> Option<Progress> {
    let object = Object::open(value, "student_progress", &PROGRESS_FIELDS, faults)?;
    let student_id = checked(&object, "student_id", is_student_id, "must be student_ and a lower-case uuid");
    checked(&object, "exercise_id", is_exercise_id, "must be ex_ and letters, digits, '_' or '-'");
    checked(&object, "timestamp", |text| timestamp::parse(text).is_some(), "must be an RFC 3339 time");
    let source = checked(
        &object,
        "agent_source",
        |text| AgentSource::from_name(text).is_some(),
        "must be concepts, review, debug, exercise or progress",
    );
    let scores = ["completion_score", "quiz_score", "quality_score", "consistency_score"]
        .map(|name| object.share(name));
    if object.optional("metadata").is_some_and(|value| !value.is_object()) {
        object.fault("metadata", "must be null or an object");
    }
    let idempotency_key = object.optional("idempotency_key").and_then(|value| {
        let text = object.text("idempotency_key", value)?;
        let valid = is_lower_hex(text, 32);
        if !valid {
            object.fault("idempotency_key", "must be null or 32 lower-case hexadecimal digits");
        }
        valid.then(|| text.to_owned())
    });
    Some(Progress {
        student_id: student_id?.to_owned(),
        source: AgentSource::from_name(source?)?,
        scores,
        idempotency_key,
        raw: value.as_object()?.clone(),
    })
}

/// A required text member that satisfies `rule`.
fn checked<'a>(
    object: &Object<'a>,
    name: &str,
    rule: impl Fn(&str) -> bool,
    message: &str,
) -> Option<&'a str> {
    let text = object.text(name, object.required(name)?)?;
    let valid = rule(text);
    if !valid {
        object.fault(name, message);
    }
    valid.then_some(text)
}

fn recent(object: &Object<'_>, value: &Value, now: UnixMillis) {
    let Some(text) = object.text("timestamp", value) else { return };
    match timestamp::parse(text) {
        None => object.fault("timestamp", "must be an RFC 3339 time"),
        Some(at) if at.abs_diff(now) > CLOCK_TOLERANCE_MS => {
            object.fault("timestamp", "must be within 5 minutes of now");
        }
        Some(_) => {}
    }
}

fn session(object: &Object<'_>, faults: &FaultList) -> Session {
    let mut session = Session::default();
    let Some(value) = object.optional("session_context") else { return session };
    let known = ["conversation_id", "turn_number", "previous_intent"];
    let Some(context) = Object::open(value, "session_context", &known, faults) else { return session };
    if let Some(value) = context.optional("conversation_id")
        && context.text("conversation_id", value).is_some_and(|text| !is_uuid(text))
    {
        context.fault("conversation_id", "must be a uuid");
    }
    if let Some(value) = context.optional("turn_number") {
        session.turn_number = whole(value);
        if session.turn_number.is_none() {
            context.fault("turn_number", "must be a whole number from 0");
        }
    }
    if let Some(value) = context.optional("previous_intent") {
        session.previous_intent = value.as_str().and_then(Intent::from_str);
        if session.previous_intent.is_none() {
            context.fault("previous_intent", "must be one of the intents");
        }
    }
    session
}

/// A whole number from 0, as JSON Schema means it: `2.0` is one. Saturates.
fn whole(value: &Value) -> Option<u32> {
    let number = value.as_f64().filter(|number| *number >= 0.0 && number.fract() == 0.0)?;
    Some(number as u32)
}

/// The hyphenated form of RFC 9562; `uuid` reads others too.
fn is_uuid(text: &str) -> bool {
    text.len() == uuid::fmt::Hyphenated::LENGTH && uuid::Uuid::try_parse(text).is_ok()
}

/// `student_` and a lower-case UUID.
pub fn is_student_id(text: &str) -> bool {
    text.strip_prefix("student_").is_some_and(is_lower_uuid)
}

fn is_lower_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.len() == 5 && groups.iter().zip([8, 4, 4, 4, 12]).all(|(group, n)| is_lower_hex(group, n))
}

fn is_lower_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn is_exercise_id(text: &str) -> bool {
    text.strip_prefix("ex_").is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    })
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
