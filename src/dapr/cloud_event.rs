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
    /// The same under the name Dapr looks for: without it Dapr writes its own over `traceparent`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub traceid: Option<String>,
    /// The payload.
    pub data: Value,
}

impl CloudEvent {
    /// An event from the part of this service called `part`. Source and id together are unique: a
    /// decision and the dead letter of the same request differ in their source.
    pub fn new(part: &str, kind: &str, id: &str, time: String, data: Value) -> Self {
        Self {
            specversion: "1.0".into(),
            id: id.into(),
            source: format!("/learnflow/triage/{part}"),
            kind: kind.into(),
            subject: None,
            time,
            datacontenttype: "application/json".into(),
            traceparent: None,
            traceid: None,
            data,
        }
    }
}
