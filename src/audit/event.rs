//! The audit event `learnflow.triage.decision.v1` and its payload `TriageAudit`.

use serde::Serialize;
use serde_json::{Value, json};

use super::Record;
use crate::agents::AgentId;
use crate::config::DaprConfig;
use crate::dapr::CloudEvent;
use crate::dead_letter::DeadLetter;
use crate::ids::TraceContext;
use crate::ports::UnixMillis;
use crate::timestamp;

/// CloudEvents type of a decision.
const DECISION: &str = "learnflow.triage.decision.v1";
/// CloudEvents type of a dead letter.
const DEAD_LETTER: &str = "learnflow.triage.dead-letter.v1";

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Answered.
    Completed,
    /// A stream broke after its first byte.
    Truncated,
    /// The caller hung up.
    ClientClosed,
    /// Answered with the stored answer to the same request.
    Replayed,
    /// Refused by us: 400, 409, 422.
    Refused,
    /// The agent could not answer: 502, 504.
    Failed,
    /// The instance ended before it could say.
    Unknown,
}

impl Ending {
    /// The closed label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Truncated => "truncated",
            Self::ClientClosed => "client_closed",
            Self::Replayed => "replayed",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// What is known of a request when its event is made.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Our id; also the event's.
    pub request_id: String,
    /// The caller's id.
    pub correlation_id: Option<String>,
    /// Who asked.
    pub student_id: String,
    /// The question, redacted.
    pub query: Option<String>,
    /// Best intent, confidence, runner-up, suspicions. No keywords: they are the student's words.
    pub classification: Value,
    /// Which agent, and why.
    pub decision: Value,
    /// Faults of the request.
    pub schema_errors: Vec<String>,
    /// The trace, if tracing is on.
    pub trace: Option<TraceContext>,
}

/// What came of the call.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    /// Whether the agent answered; null while nobody knows.
    pub success: Option<bool>,
    /// Calls made.
    pub attempts: usize,
    /// Whether the breaker refused or opened.
    pub breaker_triggered: bool,
    /// Closed label of the last failure.
    pub error: Option<String>,
}

/// Builds the event.
#[derive(Debug, Clone)]
pub struct TriageAudit {
    /// What was asked and decided.
    pub facts: Facts,
    /// What came of it.
    pub delivery: Delivery,
    /// How it ended.
    pub outcome: Ending,
    /// Milliseconds from arrival to the answer.
    pub processing_time_ms: f64,
    /// When it was decided.
    pub at: UnixMillis,
}

impl TriageAudit {
    /// The event, on its way to the audit topic.
    pub fn record(&self, dapr: &DaprConfig) -> Record {
        let facts = &self.facts;
        let time = timestamp::format(self.at);
        let data = json!({
            "request_id": facts.request_id,
            "correlation_id": facts.correlation_id,
            "student_id": facts.student_id,
            "original_query": facts.query,
            "intent_classification": facts.classification,
            "decision": facts.decision,
            "validation_results": {
                "schema_valid": facts.schema_errors.is_empty(),
                "auth_valid": true,
                "errors": facts.schema_errors,
            },
            "dapr_results": {
                "invocation_success": self.delivery.success,
                "attempts": self.delivery.attempts,
                "circuit_breaker_triggered": self.delivery.breaker_triggered,
                "error_message": self.delivery.error,
            },
            "processing_time_ms": self.processing_time_ms,
            "timestamp": time,
            "outcome": self.outcome,
            "model_version": crate::intent::model_version(),
        });
        let mut event = CloudEvent::new("decisions", DECISION, &facts.request_id, time, data);
        event.subject = Some(facts.student_id.clone());
        event.traceparent = facts.trace.as_ref().map(TraceContext::traceparent);
        event.traceid.clone_from(&event.traceparent);
        Record::new(dapr.audit_topic.clone(), facts.student_id.clone(), event)
    }
}

/// The event of a dead letter, on its way to its topic. It carries the whole letter, so that it can
/// be kept for replay by whoever finds the event left behind.
pub fn dead_letter(dapr: &DaprConfig, letter: &DeadLetter) -> Record {
    let data = serde_json::to_value(letter).unwrap_or_default();
    let mut event =
        CloudEvent::new("dead-letters", DEAD_LETTER, &letter.request_id, timestamp::format(letter.at), data);
    event.subject = Some(letter.student_id.clone());
    Record { keep: true, ..Record::new(dapr.dead_letter_topic.clone(), letter.student_id.clone(), event) }
}

/// The part of a decision that the event repeats.
pub fn decision(
    agent: Option<&AgentId>,
    status: Option<u16>,
    error: Option<&'static str>,
    breaker: &str,
    retries: u32,
) -> Value {
    json!({
        "target_agent": agent,
        "status": status,
        "error": error,
        "circuit_breaker_status": breaker,
        "retry_count": retries,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Settings};

    fn audit(schema_errors: &[&str]) -> TriageAudit {
        let facts = Facts {
            request_id: "r-1".into(),
            correlation_id: Some("c-1".into()),
            student_id: "student_1".into(),
            query: Some("why?".into()),
            classification: json!({ "intent_type": "syntax_help" }),
            decision: decision(None, Some(502), Some("agent_unavailable"), "open", 2),
            schema_errors: schema_errors.iter().map(|&fault| fault.to_owned()).collect(),
            trace: None,
        };
        let delivery = Delivery {
            success: Some(false),
            attempts: 3,
            breaker_triggered: true,
            error: Some("status_503".into()),
        };
        TriageAudit {
            facts,
            delivery,
            outcome: Ending::Failed,
            processing_time_ms: 7.5,
            at: 1_767_225_600_000,
        }
    }

    #[test]
    fn an_event_tells_the_whole_story_under_the_students_key() {
        let dapr = Config::read(&Settings::default()).unwrap().dapr;
        let record = audit(&["query: must be a string"]).record(&dapr);
        assert_eq!((record.topic.as_str(), record.key.as_str()), ("learning.events", "student_1"));
        let event = serde_json::to_value(&record.event).unwrap();
        assert_eq!((&event["type"], &event["id"]), (&json!(DECISION), &json!("r-1")));
        assert_eq!(
            (&event["subject"], &event["time"]),
            (&json!("student_1"), &json!("2026-01-01T00:00:00.000Z"))
        );
        let data = &event["data"];
        assert_eq!(data["outcome"], "failed");
        assert_eq!(data["validation_results"]["schema_valid"], false);
        assert_eq!(data["dapr_results"]["attempts"], 3);
        assert_eq!(data["dapr_results"]["error_message"], "status_503");
        assert_eq!(data["decision"]["circuit_breaker_status"], "open");
        assert_eq!(data["model_version"], crate::intent::model_version());
        let sound = serde_json::to_value(audit(&[]).record(&dapr).event).unwrap();
        assert_eq!(sound["data"]["validation_results"]["schema_valid"], true);
    }

    #[test]
    fn endings_are_written_as_they_are_labelled() {
        for ending in [
            Ending::Completed,
            Ending::Truncated,
            Ending::ClientClosed,
            Ending::Replayed,
            Ending::Refused,
            Ending::Failed,
            Ending::Unknown,
        ] {
            assert_eq!(json!(ending), ending.as_str());
        }
    }
}
