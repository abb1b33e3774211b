//! Errors as problem documents (RFC 9457), with the older contract's fields kept beside them.
//!
//! One row per error in [`Problem::row`]; `docs/problems.md` explains each `type`. No
//! token, question, upstream body or secret may stand in any field.

use serde_json::{Map, Value, json};

use crate::agents::AgentId;

/// Everything a caller can be told instead of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// 400: every fault, as `field.path: message`.
    SchemaValidation(Vec<String>),
    /// 401: callers never learn which check failed.
    InvalidJwt,
    /// 403 with the reason a caller may know.
    Forbidden(&'static str),
    /// 404.
    NotFound,
    /// 405 with the allowed methods.
    MethodNotAllowed(&'static str),
    /// 408: the body was not complete in time.
    RequestTimeout,
    /// 409 with the reason.
    IdempotencyConflict(&'static str),
    /// 413 with the limit in bytes.
    PayloadTooLarge(usize),
    /// 415.
    UnsupportedMediaType,
    /// 422: the caller asked to be refused rather than routed on a guess.
    LowConfidence {
        /// Who would have answered.
        fallback_agent: AgentId,
        /// Calibrated confidence of the best intent.
        confidence: f64,
    },
    /// 422: a class of suspicious text that this deployment blocks.
    ContentBlocked(Vec<&'static str>),
    /// 429 with seconds until there is room.
    RateLimited {
        /// Seconds until the window ends.
        retry_after: u64,
    },
    /// 502: the agent could not be reached or failed.
    AgentUnavailable {
        /// State of the breaker: closed, open or half-open.
        circuit_breaker: &'static str,
        /// Seconds after which another try makes sense.
        retry_after: u64,
        /// Whether the request went to the dead letter queue.
        dead_lettered: bool,
    },
    /// 502: the agent refused the request (its own 4xx).
    AgentRejected,
    /// 502: the reply was not JSON, or too large.
    AgentInvalidReply {
        /// Whether the request went to the dead letter queue.
        dead_lettered: bool,
    },
    /// 503: what is missing, by name.
    ServiceUnavailable(String),
    /// 504: the overall deadline.
    DeadlineExceeded {
        /// Whether the request went to the dead letter queue.
        dead_lettered: bool,
    },
}

/// The base of every `type`: names, not addresses (RFC 9457 §3.1.1 allows URIs that lead nowhere).
pub const TYPE_BASE: &str = "urn:learnflow:triage:problem:";

const DEAD_LETTER_FALLBACK: &str = "dead_letter_queue";

impl Problem {
    /// Status, `error`, title.
    pub const fn row(&self) -> (u16, &'static str, &'static str) {
        match self {
            Self::SchemaValidation(_) => {
                (400, "schema_validation_failed", "the request does not fit its schema")
            }
            Self::InvalidJwt => (401, "invalid_jwt", "authentication failed"),
            Self::Forbidden(_) => (403, "forbidden", "not allowed"),
            Self::NotFound => (404, "not_found", "no such resource"),
            Self::MethodNotAllowed(_) => (405, "method_not_allowed", "method not allowed here"),
            Self::RequestTimeout => (408, "request_timeout", "the request was not complete in time"),
            Self::IdempotencyConflict(_) => (409, "idempotency_conflict", "idempotency key already in use"),
            Self::PayloadTooLarge(_) => (413, "payload_too_large", "the request body is too large"),
            Self::UnsupportedMediaType => {
                (415, "unsupported_media_type", "the body must be application/json")
            }
            Self::LowConfidence { .. } => (422, "low_confidence", "no intent is clear enough"),
            Self::ContentBlocked(_) => (422, "content_blocked", "this content is not accepted here"),
            Self::RateLimited { .. } => (429, "rate_limited", "too many requests"),
            Self::AgentUnavailable { .. } => (502, "agent_unavailable", "the tutor agent is unavailable"),
            Self::AgentRejected => (502, "agent_rejected", "the tutor agent refused the request"),
            Self::AgentInvalidReply { .. } => {
                (502, "agent_invalid_reply", "the tutor agent's reply was unusable")
            }
            Self::ServiceUnavailable(_) => (503, "service_unavailable", "the service cannot answer now"),
            Self::DeadlineExceeded { .. } => (504, "deadline_exceeded", "the answer took too long"),
        }
    }

    /// HTTP status.
    pub const fn status(&self) -> u16 {
        self.row().0
    }

    /// The closed `error` label.
    pub const fn error(&self) -> &'static str {
        self.row().1
    }

    /// Whether asking again later can help.
    pub const fn retryable(&self) -> bool {
        matches!(self.status(), 408 | 429 | 503 | 504)
            || matches!(self, Self::AgentUnavailable { .. } | Self::AgentInvalidReply { .. })
    }

    /// The document. `instance` is the request id.
    pub fn document(&self, instance: &str) -> Value {
        let (status, error, title) = self.row();
        let mut document = Map::new();
        document.insert("type".into(), format!("{TYPE_BASE}{error}").into());
        document.insert("title".into(), title.into());
        document.insert("status".into(), status.into());
        document.insert("detail".into(), self.detail().into());
        document.insert("instance".into(), format!("urn:uuid:{instance}").into());
        document.insert("error".into(), error.into());
        if let Value::Object(extra) = self.extra() {
            document.extend(extra);
        }
        Value::Object(document)
    }

    /// Headers that belong to the status.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::InvalidJwt => {
                vec![("www-authenticate", "Bearer realm=\"triage\", error=\"invalid_token\"".into())]
            }
            Self::MethodNotAllowed(allow) => vec![("allow", (*allow).into())],
            Self::RateLimited { retry_after } | Self::AgentUnavailable { retry_after, .. } => {
                vec![("retry-after", retry_after.to_string())]
            }
            _ => Vec::new(),
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::SchemaValidation(faults) => match faults.len() {
                1 => "1 fault, see details".into(),
                n => format!("{n} faults, see details"),
            },
            Self::InvalidJwt => "send a valid token as \"authorization: Bearer …\"".into(),
            Self::Forbidden(why) | Self::IdempotencyConflict(why) => (*why).into(),
            Self::NotFound => "nothing is served under this path".into(),
            Self::MethodNotAllowed(allow) => format!("allowed: {allow}"),
            Self::RequestTimeout => "the body did not arrive in time".into(),
            Self::PayloadTooLarge(limit) => format!("at most {limit} bytes"),
            Self::UnsupportedMediaType => {
                "send content-type: application/json, without content-encoding".into()
            }
            Self::LowConfidence { .. } => {
                "rephrase the question, or ask without on_low_confidence=reject".into()
            }
            Self::ContentBlocked(flags) => format!("flagged as {}", flags.join(", ")),
            Self::RateLimited { retry_after } => format!("try again in {retry_after} seconds"),
            Self::AgentUnavailable { retry_after, .. } => format!("try again in {retry_after} seconds"),
            Self::AgentRejected => "asking again will not help".into(),
            Self::AgentInvalidReply { .. } => "the reply was not JSON or over 1 MiB".into(),
            Self::ServiceUnavailable(what) => what.clone(),
            Self::DeadlineExceeded { .. } => "no answer within the overall deadline".into(),
        }
    }

    fn extra(&self) -> Value {
        let fallback = |dead: bool| if dead { json!(DEAD_LETTER_FALLBACK) } else { Value::Null };
        match self {
            Self::SchemaValidation(faults) => json!({ "details": faults }),
            Self::InvalidJwt | Self::Forbidden(_) | Self::ServiceUnavailable(_) => {
                json!({ "message": self.detail() })
            }
            Self::LowConfidence { fallback_agent, confidence } => {
                json!({ "fallback_agent": fallback_agent, "confidence": confidence })
            }
            Self::ContentBlocked(flags) => json!({ "flags": flags }),
            Self::RateLimited { retry_after } => json!({ "retry_after": retry_after }),
            Self::AgentUnavailable { circuit_breaker, retry_after, dead_lettered } => json!({
                "circuit_breaker": circuit_breaker,
                "fallback": fallback(*dead_lettered),
                "retry_after": retry_after,
            }),
            Self::AgentInvalidReply { dead_lettered } | Self::DeadlineExceeded { dead_lettered } => {
                json!({ "fallback": fallback(*dead_lettered) })
            }
            _ => json!({}),
        }
    }
}

#[cfg(test)]
#[path = "problem_tests.rs"]
pub(crate) mod tests;
