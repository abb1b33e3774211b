//! CloudEvents 1.0 in JSON format.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An event as it is published. Consumers drop repeats by `source` and `id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: String,
    /// Unique within `source`: the request id.
    pub id: String,
    /// Who says so.
    pub source: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whom it is about: the student.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// RFC 3339.
    pub time: String,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// W3C trace context (distributed tracing extension).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub traceparent: Option<String>,
    /// The payload.
    pub data: Value,
}

impl CloudEvent {
    /// An event from this service.
    pub fn new(kind: &str, id: &str, time: String, data: Value) -> Self {
        Self {
            specversion: "1.0".into(),
            id: id.into(),
            source: "/learnflow/triage".into(),
            kind: kind.into(),
            subject: None,
            time,
            datacontenttype: "application/json".into(),
            traceparent: None,
            data,
        }
    }
}
