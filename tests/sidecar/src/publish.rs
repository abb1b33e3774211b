//! `POST /v1.0/publish/{pubsub}/{topic}`: takes an event, wraps it as daprd does, and reports it.
//!
//! Nothing is kept: [`Publication::line`] is what a developer, or a test, gets to see of the event.

use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::APP_ID;
use crate::answer::Answer;
use crate::cloud_event::{self, Origin};
use crate::fault::PubSubFault;

/// The only pub/sub component there is.
pub const PUBSUB: &str = "kafka-pubsub";

/// What daprd draws and reads for an event that does not bring it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The id of an event that is wrapped.
    pub id: Uuid,
    /// Seconds since the Unix epoch.
    pub now: i64,
}

/// An event on its way to a topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    /// The pub/sub component.
    pub pubsub: String,
    /// The topic.
    pub topic: String,
    /// `metadata.partitionKey` of the request.
    pub partition_key: Option<String>,
    /// The event as a consumer gets it; a string where a raw payload is not JSON.
    pub event: Value,
}

impl Publication {
    /// The event as one line of JSON.
    #[must_use]
    pub fn line(&self) -> String {
        json!({
            "published": self.topic,
            "pubsub": self.pubsub,
            "partition_key": self.partition_key,
            "event": self.event,
        })
        .to_string()
    }
}

/// 204 and the publication, or daprd's error.
#[must_use]
pub fn publish(request: &Request<Vec<u8>>, pubsub: &str, topic: &str, stamp: &Stamp) -> Answer {
    match publication(request, pubsub, topic, stamp) {
        Ok(publication) => Answer { published: Some(publication), ..Answer::empty() },
        Err(fault) => fault.answer(),
    }
}

fn publication<'a>(
    request: &Request<Vec<u8>>,
    pubsub: &'a str,
    topic: &str,
    stamp: &Stamp,
) -> Result<Publication, PubSubFault<'a>> {
    let metadata = metadata(request.uri().query().unwrap_or_default());
    if pubsub != PUBSUB {
        return Err(not_found(pubsub, metadata));
    }
    let raw = raw_payload(&metadata).map_err(|value| bad_metadata(pubsub, &value, metadata.clone()))?;
    let event = if raw {
        cloud_event::json_or_text(request.body())
    } else {
        let header =
            |name| request.headers().get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
        let origin = Origin {
            content_type: header(CONTENT_TYPE.as_str()).unwrap_or_default(),
            traceparent: header("traceparent").unwrap_or_default(),
            tracestate: header("tracestate").unwrap_or_default(),
            pubsub,
            topic,
            metadata: &metadata,
        };
        cloud_event::envelope(request.body(), &origin, stamp).map_err(|cause| no_event(pubsub, &cause))?
    };
    let partition_key = metadata.get("partitionKey").and_then(Value::as_str).map(str::to_owned);
    Ok(Publication { pubsub: pubsub.to_owned(), topic: topic.to_owned(), partition_key, event })
}

/// The query's `metadata.*`, without the prefix; the first of a repeated one.
fn metadata(query: &str) -> Map<String, Value> {
    let mut metadata = Map::new();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        if let Some(name) = key.strip_prefix("metadata.") {
            metadata.entry(name).or_insert_with(|| value.into());
        }
    }
    metadata
}

/// `metadata.rawPayload`, with the spellings Go takes for a boolean.
fn raw_payload(metadata: &Map<String, Value>) -> Result<bool, String> {
    match metadata.get("rawPayload").and_then(Value::as_str).unwrap_or_default() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        other => Err(other.to_owned()),
    }
}

fn not_found(pubsub: &str, metadata: Map<String, Value>) -> PubSubFault<'_> {
    PubSubFault {
        status: StatusCode::NOT_FOUND,
        code: "ERR_PUBSUB_NOT_FOUND",
        reason: "DAPR_PUBSUB_NOT_FOUND",
        message: format!("pubsub {pubsub} is not found"),
        metadata,
        resource: None,
    }
}

fn bad_metadata<'a>(pubsub: &'a str, value: &str, metadata: Map<String, Value>) -> PubSubFault<'a> {
    PubSubFault {
        status: StatusCode::BAD_REQUEST,
        code: "ERR_PUBSUB_REQUEST_METADATA",
        reason: "DAPR_PUBSUB_METADATA_DESERIALIZATION",
        message: format!(
            "failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is '{value}'"
        ),
        metadata,
        resource: Some(pubsub),
    }
}

fn no_event<'a>(pubsub: &'a str, cause: &str) -> PubSubFault<'a> {
    PubSubFault {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        code: "ERR_PUBSUB_CLOUD_EVENTS_SER",
        reason: "DAPR_PUBSUB_CLOUD_EVENT_CREATION",
        message: "cannot create cloudevent".to_owned(),
        metadata: Map::from_iter([("appID".to_owned(), APP_ID.into()), ("error".to_owned(), cause.into())]),
        resource: Some(pubsub),
    }
}

#[cfg(test)]
#[path = "publish_tests.rs"]
mod tests;
