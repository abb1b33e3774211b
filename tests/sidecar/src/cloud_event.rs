//! The event daprd makes of what is published.
//!
//! With `content-type: application/cloudevents+json` the body is the event: daprd only checks that it
//! is a JSON object, fills in what is missing and sets `topic` and `pubsubname`. Anything else is
//! wrapped into an event with an id of daprd's own, so a repeated publication gets another id.

use ct_codecs::{Base64, Encoder};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::APP_ID;
use crate::publish::Stamp;

/// What daprd knows about an event besides its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) content_type: &'a str,
    pub(crate) traceparent: &'a str,
    pub(crate) tracestate: &'a str,
    pub(crate) pubsub: &'a str,
    pub(crate) topic: &'a str,
    /// The request's `metadata.*`; `cloudevent.*` among it overrides the wrapper's fields.
    pub(crate) metadata: &'a Map<String, Value>,
}

/// The event as a consumer gets it, or why the body is none.
pub(crate) fn envelope(body: &[u8], origin: &Origin<'_>, stamp: &Stamp) -> Result<Value, String> {
    if is(origin.content_type, "application/cloudevents+json") {
        complete(body, origin, stamp).map(Value::Object)
    } else {
        Ok(Value::Object(wrap(body, origin, stamp)))
    }
}

/// A payload that is passed on untouched, as far as it can be shown.
pub(crate) fn json_or_text(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| text(body))
}

fn complete(body: &[u8], origin: &Origin<'_>, stamp: &Stamp) -> Result<Map<String, Value>, String> {
    // Like Go's decoder: the first JSON value counts, whatever follows it.
    let first = serde_json::Deserializer::from_slice(body).into_iter().next();
    let mut event: Map<String, Value> = first.ok_or("EOF")?.map_err(|fault| fault.to_string())?;
    if !event.contains_key("time") {
        event.insert("time".into(), time(stamp).into());
    }
    if !event.contains_key("traceid") {
        event.insert("traceid".into(), origin.traceparent.into());
        event.insert("traceparent".into(), origin.traceparent.into());
    }
    if !event.contains_key("tracestate") {
        event.insert("tracestate".into(), origin.tracestate.into());
    }
    event.insert("topic".into(), origin.topic.into());
    event.insert("pubsubname".into(), origin.pubsub.into());
    for (field, default) in [("source", "Dapr"), ("type", "com.dapr.event.sent"), ("specversion", "1.0")] {
        if event.get(field).is_none_or(Value::is_null) {
            event.insert(field.into(), default.into());
        }
    }
    Ok(event)
}

fn wrap(body: &[u8], origin: &Origin<'_>, stamp: &Stamp) -> Map<String, Value> {
    let given = |name: &str| -> Option<String> {
        let key = format!("cloudevent.{name}");
        let (_, value) = origin.metadata.iter().find(|(known, _)| known.eq_ignore_ascii_case(&key))?;
        value.as_str().filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let trace =
        given("traceparent").or_else(|| given("traceid")).unwrap_or_else(|| origin.traceparent.into());
    let content_type = if origin.content_type.is_empty() { "text/plain" } else { origin.content_type };
    let (field, data) = data(content_type, body);
    let mut event = Map::from_iter([
        ("id".to_owned(), given("id").unwrap_or_else(|| stamp.id.to_string()).into()),
        ("specversion".to_owned(), "1.0".into()),
        ("datacontenttype".to_owned(), content_type.into()),
        ("source".to_owned(), given("source").unwrap_or_else(|| APP_ID.into()).into()),
        ("type".to_owned(), given("type").unwrap_or_else(|| "com.dapr.event.sent".into()).into()),
        ("topic".to_owned(), origin.topic.into()),
        ("pubsubname".to_owned(), origin.pubsub.into()),
        ("traceid".to_owned(), trace.clone().into()),
        ("traceparent".to_owned(), trace.into()),
        ("tracestate".to_owned(), given("tracestate").unwrap_or_else(|| origin.tracestate.into()).into()),
        ("time".to_owned(), time(stamp).into()),
        (field.to_owned(), data),
    ]);
    if let Some(subject) = given("subject") {
        event.insert("subject".into(), subject.into());
    }
    event
}

fn data(content_type: &str, body: &[u8]) -> (&'static str, Value) {
    if is(content_type, "application/json") {
        ("data", json_or_text(body))
    } else if is(content_type, "application/octet-stream")
        || is(content_type, "application/cloudevents+protobuf")
    {
        ("data_base64", Base64::encode_to_string(body).unwrap_or_default().into())
    } else {
        ("data", text(body))
    }
}

fn text(body: &[u8]) -> Value {
    String::from_utf8_lossy(body).into()
}

/// Whether a content type is this one, parameters aside.
fn is(content_type: &str, expected: &str) -> bool {
    let media_type = content_type.split_once(';').map_or(content_type, |(media_type, _)| media_type);
    media_type.eq_ignore_ascii_case(expected)
}

fn time(stamp: &Stamp) -> String {
    OffsetDateTime::from_unix_timestamp(stamp.now)
        .ok()
        .and_then(|now| now.format(&Rfc3339).ok())
        .unwrap_or_default()
}
