//! The main path and what every answer carries.

use http::Request;
use serde_json::Value;

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn each_intent_reaches_its_agent_and_small_talk_the_review_agent() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    for (query, agent) in CLEAR.into_iter().chain([("haha thanks, have a nice weekend", "review-agent")]) {
        let response = app.request(ask(query)).await;
        let decision = json(&response);
        assert_eq!(response.status, 200, "{decision}");
        assert_eq!(decision["target_agent"], agent, "{query}: {decision}");
        let call = sidecar.invoked().pop().unwrap();
        assert_eq!(call.path(), format!("/v1.0/invoke/{agent}/method/process"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_flat_and_complete() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let decision = json(&app.request(ask(STUCK)).await);
    for (member, expected) in [
        ("target_agent", "debug-agent"),
        ("intent_type", "syntax_help"),
        ("dapr_app_id", "debug-agent"),
        ("student_id", STUDENT),
    ] {
        assert_eq!(decision[member], expected, "{decision}");
    }
    assert_eq!(decision["metadata"]["priority"], "high");
    assert_eq!(decision["metadata"]["retry_count"], 0);
    assert_eq!(decision["metadata"]["circuit_breaker_status"], "closed");
    assert_eq!(decision["agent_response"]["response"]["text"], "look at line 3");
    assert_eq!(decision["degraded"], Value::Null);
    assert!(decision["confidence"].as_f64().unwrap() >= 0.6);
    assert!(decision["timing_ms"]["total"].is_number());
}

#[tokio::test(start_paused = true)]
async fn every_answer_carries_its_headers() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut request = ask(STUCK);
    request.headers_mut().insert("x-request-id", "mine-1".parse().unwrap());
    request.headers_mut().insert("traceparent", parent.parse().unwrap());
    for response in
        [app.request(request).await, app.request(Request::get("/nowhere").body("").unwrap()).await]
    {
        for name in
            ["x-request-id", "traceparent", "x-content-type-options", "content-length", "cache-control"]
        {
            assert!(response.header(name).is_some(), "{name} at {}", response.status);
        }
    }
    let call = sidecar.invoked().pop().unwrap();
    assert!(call.header("traceparent").unwrap().starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
    assert_ne!(call.header("traceparent"), Some(parent), "our own span");
    assert_ne!(call.header("x-request-id"), Some("mine-1"), "the request id is ours");
}

#[tokio::test(start_paused = true)]
async fn the_agent_gets_the_text_unaltered_and_the_agreed_headers_only() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let text = "why does \"'; DROP TABLE students; --\" work?\n\u{202e}\u{0} 한국어 my mail is a@b.example";
    let mut request = ask(text);
    for (name, value) in
        [("dapr-app-id", "progress-agent"), ("x-forwarded-for", "1.2.3.4"), ("cookie", "a=b")]
    {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    app.request(request).await;
    let call = sidecar.invoked().pop().unwrap();
    let sent: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(sent["query"], text);
    assert!(matches!(call.framing, triage_host::Framing::Length(_)), "{:?}", call.framing);
    for absent in ["dapr-app-id", "x-forwarded-for", "cookie", "authorization"] {
        assert_eq!(call.header(absent), None, "{absent}");
    }
    for present in ["idempotency-key", "x-deadline-ms", "x-student-id", "x-request-id", "content-type"] {
        assert!(call.header(present).is_some(), "{present}");
    }
}

#[tokio::test(start_paused = true)]
async fn classify_decides_without_calling_or_publishing_anything() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let request = || post("/api/v1/classify?explain=true").body(format!(r#"{{"query":"{STUCK}"}}"#)).unwrap();
    let decision = json(&app.request(request()).await);
    assert_eq!(decision["intent_type"], "syntax_help");
    assert_eq!(decision["agent_response"], Value::Null);
    let matches = decision["explanation"]["matches"].as_array().unwrap();
    assert!(!matches.is_empty());
    for found in matches {
        let (start, end) =
            (found["start"].as_u64().unwrap() as usize, found["end"].as_u64().unwrap() as usize);
        assert_eq!(&STUCK[start..end], found["text"].as_str().unwrap());
    }
    settle(&app).await;
    assert_eq!((sidecar.calls(), sidecar.published().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn probes_answer_as_they_should() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let get = |path: &str| Request::get(path).body(Vec::new()).unwrap();
    for path in ["/health", "/ready", "/openapi.json"] {
        let response = app.request(get(path)).await;
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        assert_eq!(response.header("content-length"), Some(response.body.len().to_string().as_str()));
    }
    let head = app.request(Request::head("/health").body(Vec::new()).unwrap()).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
}

#[tokio::test(start_paused = true)]
async fn ready_names_what_failed_and_keeps_its_answer_for_a_second() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let get = || Request::get("/ready").body(Vec::new()).unwrap();
    let instance = app.instance("triage").await.unwrap();
    assert_eq!(instance.request(get()).await.status, 200);
    app.store_faults().set_all(triage_host::StoreFault::Fails("gone".into()));
    assert_eq!(instance.request(get()).await.status, 200, "kept");
    app.clock().advance(std::time::Duration::from_millis(1_100)).await;
    let response = instance.request(get()).await;
    assert_eq!(problem(&response), (503, "service_unavailable".into()));
    assert!(response.text().contains("key-value store"), "{}", response.text());
}

#[tokio::test(start_paused = true)]
async fn the_stand_in_sidecar_answers_all_five_intents() {
    let app = plain().virtual_time().build().await.unwrap();
    for (query, agent) in CLEAR.into_iter().chain([("haha thanks, have a nice weekend", "review-agent")]) {
        let decision = json(&app.request(ask(query)).await);
        assert_eq!(decision["target_agent"], agent, "{decision}");
        assert_eq!(decision["agent_response"]["status"], "success", "{decision}");
    }
}
