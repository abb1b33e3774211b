//! Publishing, seen from the caller.

use http::{Method, Request};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::answer;

const CLOUD_EVENT: &str = "application/cloudevents+json";

fn stamp() -> Stamp {
    Stamp { id: Uuid::from_u128(7), now: 1_767_225_600 }
}

fn post(uri: &str, content_type: &str, body: &str) -> Answer {
    let request = Request::builder().method(Method::POST).uri(uri).header("content-type", content_type);
    answer(&request.body(body.as_bytes().to_vec()).unwrap(), &stamp())
}

fn published(uri: &str, content_type: &str, body: &str) -> Publication {
    let answer = post(uri, content_type, body);
    assert_eq!(answer.response.status(), 204, "{}", String::from_utf8_lossy(&answer.response.body().bytes()));
    assert!(answer.response.headers().is_empty() && answer.response.body().pieces.is_empty());
    answer.published.unwrap()
}

fn fault(uri: &str, content_type: &str, body: &str) -> (u16, Value) {
    let answer = post(uri, content_type, body);
    assert!(answer.published.is_none());
    let bytes = answer.response.body().bytes();
    assert_eq!(answer.response.headers()["content-type"], "application/json");
    assert_eq!(answer.response.headers()["content-length"], bytes.len().to_string().as_str());
    (answer.response.status().as_u16(), serde_json::from_slice(&bytes).unwrap())
}

#[test]
fn a_cloud_event_keeps_its_fields_and_gains_what_daprd_adds() {
    let event = json!({
        "specversion": "1.0", "id": "mine", "source": "/learnflow/triage", "type": "learnflow.triage.decision.v1",
        "time": "2026-01-01T00:00:00.123Z", "traceparent": "00-1-2-01", "topic": "other", "data": {"n": 1},
    });
    let uri = "/v1.0/publish/kafka-pubsub/learning.events?metadata.partitionKey=student_1%26x";
    let publication = published(uri, "application/CloudEvents+json; charset=utf-8", &event.to_string());
    assert_eq!(publication.topic, "learning.events");
    assert_eq!(publication.partition_key.as_deref(), Some("student_1&x"));
    // daprd overwrites `traceparent` when `traceid` is missing; the caller sent no trace of its own.
    let expected = json!({
        "specversion": "1.0", "id": "mine", "source": "/learnflow/triage", "type": "learnflow.triage.decision.v1",
        "time": "2026-01-01T00:00:00.123Z", "traceid": "", "traceparent": "", "tracestate": "",
        "topic": "learning.events", "pubsubname": "kafka-pubsub", "data": {"n": 1},
    });
    assert_eq!(publication.event, expected);
}

#[test]
fn a_sparse_cloud_event_gets_defaults_but_no_id() {
    let publication = published("/v1.0/publish/kafka-pubsub/t", CLOUD_EVENT, r#"{"source": null} trailing"#);
    let expected = json!({
        "specversion": "1.0", "source": "Dapr", "type": "com.dapr.event.sent", "time": "2026-01-01T00:00:00Z",
        "traceid": "", "traceparent": "", "tracestate": "", "topic": "t", "pubsubname": "kafka-pubsub",
    });
    assert_eq!(publication.event, expected);
    assert_eq!(publication.partition_key, None);
}

#[test]
fn anything_else_is_wrapped_under_an_id_of_daprds_own() {
    let cases = [
        ("application/json", r#"{"id": "mine"}"#, json!({"data": {"id": "mine"}})),
        ("application/json", "{broken", json!({"data": "{broken"})),
        ("text/plain", "hello", json!({"data": "hello"})),
        ("application/cloudevents", "{}", json!({"data": "{}"})),
        ("application/octet-stream", "hi", json!({"data_base64": "aGk="})),
    ];
    for (content_type, body, data) in cases {
        let event = published("/v1.0/publish/kafka-pubsub/t", content_type, body).event;
        let mut expected = json!({
            "specversion": "1.0", "id": "00000000-0000-0000-0000-000000000007", "source": "triage",
            "type": "com.dapr.event.sent", "datacontenttype": content_type, "time": "2026-01-01T00:00:00Z",
            "traceid": "", "traceparent": "", "tracestate": "", "topic": "t", "pubsubname": "kafka-pubsub",
        });
        expected.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        assert_eq!(event, expected, "{content_type}");
    }
}

#[test]
fn metadata_overrides_the_wrapper_only() {
    let uri = "/v1.0/publish/kafka-pubsub/t?metadata.cloudevent.id=mine&metadata.CloudEvent.subject=s";
    let wrapped = published(uri, "application/json", "1").event;
    assert_eq!((&wrapped["id"], &wrapped["subject"]), (&json!("mine"), &json!("s")));
    let own = published(uri, CLOUD_EVENT, r#"{"id": "own"}"#).event;
    assert_eq!((&own["id"], own.get("subject")), (&json!("own"), None));
}

#[test]
fn a_raw_payload_is_passed_untouched() {
    let uri = "/v1.0/publish/kafka-pubsub/t?metadata.rawPayload=true";
    assert_eq!(published(uri, "application/json", r#"{"a":1}"#).event, json!({"a": 1}));
    assert_eq!(published(uri, CLOUD_EVENT, "no json").event, json!("no json"));
}

#[test]
fn the_line_is_one_line_of_json() {
    let uri = "/v1.0/publish/kafka-pubsub/a?metadata.partitionKey=k";
    let line = published(uri, "text/plain", "two\nlines").line();
    assert!(!line.contains('\n'));
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["published"], &line["partition_key"]), (&json!("a"), &json!("k")));
    assert_eq!(line["event"]["data"], "two\nlines");
}

#[test]
fn an_unknown_pubsub_is_daprds_404() {
    let uri = "/v1.0/publish/mypubsub/t?metadata.partitionKey=k&other=1";
    let expected = json!({
        "errorCode": "ERR_PUBSUB_NOT_FOUND",
        "message": "pubsub mypubsub is not found",
        "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "domain": "dapr.io",
            "reason": "DAPR_PUBSUB_NOT_FOUND", "metadata": {"partitionKey": "k"},
        }],
    });
    assert_eq!(fault(uri, CLOUD_EVENT, "{}"), (404, expected));
}

#[test]
fn a_body_that_is_no_event_is_daprds_500() {
    for body in ["", "{\"}", "[1]", "null", "\"text\""] {
        let (status, document) = fault("/v1.0/publish/kafka-pubsub/t", CLOUD_EVENT, body);
        assert_eq!((status, &document["errorCode"]), (500, &json!("ERR_PUBSUB_CLOUD_EVENTS_SER")), "{body}");
        assert_eq!(document["message"], "cannot create cloudevent");
        assert_eq!(document["details"][0]["resource_name"], "kafka-pubsub");
        assert_eq!(document["details"][1]["reason"], "DAPR_PUBSUB_CLOUD_EVENT_CREATION");
        assert_eq!(document["details"][1]["metadata"]["appID"], "triage");
    }
}

#[test]
fn a_bad_flag_is_daprds_400() {
    let (status, document) =
        fault("/v1.0/publish/kafka-pubsub/t?metadata.rawPayload=maybe", "text/plain", "x");
    assert_eq!(status, 400);
    assert_eq!(document["errorCode"], "ERR_PUBSUB_REQUEST_METADATA");
    let message =
        "failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is 'maybe'";
    assert_eq!(document["message"], message);
}

#[test]
fn the_callers_trace_goes_into_the_event() {
    let request = Request::post("/v1.0/publish/kafka-pubsub/t")
        .header("traceparent", "00-a-b-01")
        .header("tracestate", "x=y");
    let event = answer(&request.body(b"1".to_vec()).unwrap(), &stamp()).published.unwrap().event;
    assert_eq!((&event["traceid"], &event["tracestate"]), (&json!("00-a-b-01"), &json!("x=y")));
    assert_eq!(event["datacontenttype"], "text/plain");
}
