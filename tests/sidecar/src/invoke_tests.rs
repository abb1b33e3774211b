//! Finding the agent, and daprd's treatment of what it replies.

use std::time::Duration;

use http::Request;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::{Ending, MAX_BODY_BYTES, Stamp, Wait, answer};

const PATH: &str = "/v1.0/invoke/debug-agent/method/process";

fn stamp() -> Stamp {
    Stamp { id: Uuid::nil(), now: 0 }
}

fn question(simulate: Option<&str>) -> Vec<u8> {
    let context = simulate.map_or(json!({}), |simulate| json!({"metadata": {"simulate": simulate}}));
    let body = json!({
        "intent": "syntax_help", "confidence": 0.9, "query": "why?", "student_context": context, "routing_metadata": {},
    });
    body.to_string().into_bytes()
}

fn call(path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    let request =
        headers.iter().fold(Request::post(path), |request, (name, value)| request.header(*name, *value));
    answer(&request.body(body).unwrap(), &stamp())
}

fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.response.body().bytes()).unwrap()
}

fn message(answer: &Answer) -> (u16, String) {
    let document = json(answer);
    assert_eq!(document["errorCode"], "ERR_DIRECT_INVOKE");
    assert_eq!(answer.response.headers()["content-type"], "application/json");
    (answer.response.status().as_u16(), document["message"].as_str().unwrap().to_owned())
}

const STREAM: [(&str, &str); 1] = [("accept", "text/event-stream")];

#[test]
fn the_app_is_taken_from_header_then_basic_auth_then_path() {
    // "dapr-app-id:review-agent", "Dapr-App-Id:x", "user:review-agent"
    let (own, case, other) = (
        "Basic ZGFwci1hcHAtaWQ6cmV2aWV3LWFnZW50",
        "Basic RGFwci1BcHAtSWQ6eA==",
        "Basic dXNlcjpyZXZpZXctYWdlbnQ=",
    );
    let by_path = Some(("debug-agent", "process"));
    let whole = "v1.0/invoke/debug-agent/method/process";
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Option<(&'a str, &'a str)>);
    let cases: [Case<'_>; 13] = [
        (PATH, &[], by_path),
        ("//v1.0//invoke/debug-agent/method/process/", &[], by_path),
        ("/v1.0/invoke/debug-agent/method/a/../b", &[], Some(("debug-agent", "b"))),
        ("/v1.0/invoke/debug%2Dagent.default/method/process", &[], Some(("debug-agent.default", "process"))),
        (PATH, &[("dapr-app-id", "review-agent")], Some(("review-agent", whole))),
        (PATH, &[("dapr-app-id", "")], by_path),
        (PATH, &[("authorization", own)], Some(("review-agent", whole))),
        (PATH, &[("authorization", case)], Some(("x", whole))),
        (PATH, &[("authorization", other)], by_path),
        ("/process", &[("dapr-app-id", "a"), ("authorization", own)], Some(("a", "process"))),
        ("/process", &[], None),
        ("/v1.0/invoke/debug-agent", &[], None),
        ("/v1.0/invoke//method/process", &[], None),
    ];
    for (path, headers, expected) in cases {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let expected =
            expected.map(|(app_id, method)| Target { app_id: app_id.into(), method: method.into() });
        assert_eq!(target(path, &headers), expected, "{path} {headers:?}");
    }
}

#[test]
fn a_smuggled_header_sends_the_question_to_a_route_no_agent_has() {
    let answer = call(PATH, &[("dapr-app-id", "review-agent")], question(None));
    assert_eq!((answer.response.status().as_u16(), json(&answer)), (404, json!({"detail": "Not Found"})));
    let answer = call("/process", &[("dapr-app-id", "debug-agent")], question(None));
    assert_eq!(json(&answer)["agent"], "debug-agent");
}

#[test]
fn what_names_no_known_app_is_daprds_error() {
    let no_app = "failed getting app id either from the URL path or the header dapr-app-id";
    let cases = [
        (
            "/v1.0/invoke/nobody/method/process",
            500,
            "failed to invoke, id: nobody, err: couldn't find service: nobody",
        ),
        ("/v1.0/invoke/a.b.c/method/process", 500, "failed to invoke, id: a.b.c, err: invalid app id a.b.c"),
        ("/v1.0/unknown", 404, no_app),
        ("/v1.0/publish", 404, no_app),
        ("/v1.0/publish/kafka-pubsub/", 404, no_app),
        ("/v1.0/healthz", 404, no_app),
        ("/", 404, no_app),
    ];
    for (path, status, text) in cases {
        assert_eq!(message(&call(path, &[], Vec::new())), (status, text.to_owned()), "{path}");
        assert_eq!(
            message(&call(path, &STREAM, Vec::new())),
            (status, text.to_owned()),
            "{path} as a stream"
        );
    }
}

#[test]
fn a_document_carries_its_length_and_the_agents_headers() {
    let answer = call(PATH, &[], question(Some("status:429;retry-after=2")));
    assert_eq!(answer.response.status(), 429);
    let headers = answer.response.headers();
    assert_eq!(
        (&headers["retry-after"], &headers["content-type"]),
        (&"2".parse().unwrap(), &"application/json".parse().unwrap())
    );
    assert_eq!(headers["content-length"], answer.response.body().bytes().len().to_string().as_str());
}

#[test]
fn a_success_is_labelled_as_a_stream_whatever_it_is() {
    for simulate in [None, Some("plain"), Some("error"), Some("invalid"), Some("huge")] {
        let answer = call(PATH, &[("accept", " TEXT/event-stream ")], question(simulate));
        assert_eq!(answer.response.status(), 200);
        assert_eq!(answer.response.headers()["content-type"], "text/event-stream", "{simulate:?}");
        assert!(!answer.response.headers().contains_key("content-length"), "{simulate:?}");
    }
    for (accept, simulate, label) in [
        ("application/json", None, "application/json"),
        ("text/event-stream, application/json", None, "text/event-stream"),
        ("text/event-stream, application/json", Some("plain"), "application/json"),
        ("text/event-stream;q=1", Some("plain"), "application/json"),
    ] {
        let answer = call(PATH, &[("accept", accept)], question(simulate));
        assert_eq!(answer.response.headers()["content-type"], label, "{accept}, {simulate:?}");
    }
}

#[test]
fn one_who_takes_a_stream_or_a_document_sees_the_agents_status() {
    let either = [("accept", "text/event-stream, application/json")];
    let answer = call(PATH, &either, question(Some("status:429;retry-after=2")));
    assert_eq!(
        (answer.response.status().as_u16(), &answer.response.headers()["retry-after"]),
        (429, &"2".parse().unwrap())
    );
}

#[test]
fn a_stream_that_was_asked_for_loses_the_agents_status() {
    let lost = "failed to invoke, id: debug-agent, err: rpc error: code = Internal desc = error invoking app channel: \
                no response received from stream";
    let bodies = [question(Some("status:429;retry-after=2")), question(Some("status:503")), b"{}".to_vec()];
    for body in bodies {
        let answer = call(PATH, &STREAM, body);
        assert_eq!(message(&answer), (500, lost.to_owned()));
        assert!(!answer.response.headers().contains_key("retry-after"));
    }
}

#[test]
fn a_document_that_is_cut_promises_more_than_it_brings() {
    let whole = call(PATH, &[], question(None)).response.body().bytes().len();
    let answer = call(PATH, &[], question(Some("cut")));
    assert_eq!(answer.response.headers()["content-length"], whole.to_string().as_str());
    assert_eq!(
        (answer.response.body().bytes().len(), answer.response.body().ending),
        (whole / 2, Ending::Broken)
    );
}

#[test]
fn a_document_that_is_truncated_is_whole_to_http_and_broken_as_json() {
    let answer = call(PATH, &[], question(Some("truncate")));
    let bytes = answer.response.body().bytes();
    assert_eq!(answer.response.headers()["content-length"], bytes.len().to_string().as_str());
    assert_eq!(answer.response.body().ending, Ending::Complete);
    assert!(serde_json::from_slice::<Value>(&bytes).is_err());
}

#[test]
fn a_stream_that_is_interrupted_has_its_first_events_and_no_end() {
    for (simulate, ending) in [("cut", Ending::Broken), ("truncate", Ending::Complete)] {
        let answer = call(PATH, &STREAM, question(Some(simulate)));
        let text = String::from_utf8(answer.response.body().bytes()).unwrap();
        assert_eq!(text.matches("event: message\n").count(), 2, "{simulate}");
        assert!(!text.contains("event: end"), "{simulate}");
        assert_eq!(answer.response.body().ending, ending);
    }
}

#[test]
fn waiting_is_the_heads_and_stays_through_daprd() {
    for headers in [&[][..], &STREAM] {
        let slow = call(PATH, headers, question(Some("slow:1500")));
        assert_eq!(
            (slow.wait, slow.response.status().as_u16()),
            (Wait::For(Duration::from_millis(1500)), 200)
        );
        assert_eq!(call(PATH, headers, question(Some("stall"))).wait, Wait::Forever);
        assert_eq!(call(PATH, headers, question(None)).wait, Wait::For(Duration::ZERO));
    }
}

#[test]
fn an_unknown_simulation_is_named_to_the_developer_in_every_mode() {
    for headers in [&[][..], &STREAM] {
        let answer = call(PATH, headers, question(Some("explode")));
        assert_eq!(answer.response.status(), 400);
        let message = json(&answer)["message"].as_str().unwrap().to_owned();
        assert!(message.contains("\"explode\"") && message.contains("truncate, plain"), "{message}");
    }
}

#[test]
fn a_body_over_daprds_limit_is_refused() {
    assert_eq!(call(PATH, &[], vec![b' '; MAX_BODY_BYTES + 1]).response.status(), 413);
}

#[test]
fn health_needs_no_app() {
    for path in ["/v1.0/healthz", "/v1.0/healthz/outbound"] {
        let answer = answer(&Request::get(path).body(Vec::new()).unwrap(), &stamp());
        assert_eq!(answer.response.status(), 204);
        assert!(answer.response.headers().is_empty());
    }
}
