//! Bad input: the right problem document, nothing reaches an agent, the instance lives on.

use std::time::Duration;

use http::Request;
use serde_json::json;
use triage_host::App;

use crate::support::*;

fn with_token(token: &str) -> Request<Vec<u8>> {
    Request::post("/api/v1/triage")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(body(STUCK).to_string().into_bytes())
        .unwrap()
}

fn with_body(body: impl Into<Vec<u8>>) -> Request<Vec<u8>> {
    post("/api/v1/triage").body(body.into()).unwrap()
}

fn header(name: &str, value: &str) -> Request<Vec<u8>> {
    let mut request = ask(STUCK);
    request.headers_mut().insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    request
}

fn without(name: &str) -> Request<Vec<u8>> {
    let mut request = ask(STUCK);
    request.headers_mut().remove(name);
    request
}

fn expired() -> String {
    let claims = json!({"iss": "learnflow-auth", "aud": "learnflow-api", "sub": STUDENT, "role": "student", "iat": 1, "exp": 2});
    sign(triage::config::DEVELOPMENT_SECRET.as_bytes(), r#"{"alg":"HS256"}"#, &claims.to_string())
}

fn unsigned() -> String {
    let token = sign(b"", r#"{"alg":"none"}"#, r#"{"sub":"x"}"#);
    token[..=token.rfind('.').unwrap()].to_owned()
}

#[tokio::test(start_paused = true)]
async fn each_fault_gets_its_problem_and_one_instance_survives_them_all() {
    let sidecar = Sidecar::default();
    let app = app_with(&sidecar, &[("rate_limit_per_minute", "1000")]).await;
    let instance = app.instance("triage").await.unwrap();
    let mut foreign = body(STUCK);
    foreign["student_progress"]["student_id"] = json!(student(7));
    let get = |path: &str| Request::get(path).body(Vec::new()).unwrap();
    let cases: Vec<(&str, Request<Vec<u8>>, u16, &str)> = vec![
        ("broken JSON", with_body("{\"query\":"), 400, "schema_validation_failed"),
        ("no JSON", with_body("hello"), 400, "schema_validation_failed"),
        ("empty", with_body(""), 400, "schema_validation_failed"),
        ("not UTF-8", with_body(vec![0xff, 0xfe]), 400, "schema_validation_failed"),
        ("wrong types", with_body(r#"{"query":1,"student_progress":[]}"#), 400, "schema_validation_failed"),
        ("a member twice", with_body(r#"{"query":"a","query":"b"}"#), 400, "schema_validation_failed"),
        ("deep", with_body("[".repeat(60_000)), 400, "schema_validation_failed"),
        (
            "a long number",
            with_body(format!("{{\"query\":{}}}", "9".repeat(50_000))),
            400,
            "schema_validation_failed",
        ),
        ("70 KiB", with_body(vec![b' '; 70 * 1024]), 413, "payload_too_large"),
        ("no token", without("authorization"), 401, "invalid_jwt"),
        ("no type", without("content-type"), 415, "unsupported_media_type"),
        ("form", header("content-type", "application/x-www-form-urlencoded"), 415, "unsupported_media_type"),
        ("compressed", header("content-encoding", "gzip"), 415, "unsupported_media_type"),
        (
            "wrong key",
            with_token(&sign(b"another secret of sufficient length", r#"{"alg":"HS256"}"#, "{}")),
            401,
            "invalid_jwt",
        ),
        ("expired", with_token(&expired()), 401, "invalid_jwt"),
        ("alg none", with_token(&unsigned()), 401, "invalid_jwt"),
        ("no token at all", with_token("x"), 401, "invalid_jwt"),
        ("foreign student", with_body(foreign.to_string()), 403, "forbidden"),
        ("unknown route", get("/api/v2/triage"), 404, "not_found"),
        ("wrong method", get("/api/v1/triage"), 405, "method_not_allowed"),
        (
            "student at staff's door",
            { post("/api/v1/agents").method("GET").body(Vec::new()).unwrap() },
            403,
            "forbidden",
        ),
    ];
    for (name, request, status, error) in cases {
        let response = instance.request(request).await;
        assert_eq!(problem(&response), (status, error.to_owned()), "{name}");
    }
    assert_eq!(sidecar.calls(), 0);
    assert_eq!(instance.request(ask(STUCK)).await.status, 200, "the instance lives on");
    assert_eq!(app.instances()["triage"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_405_names_the_method_and_a_401_the_scheme() {
    let app = app(&Sidecar::default()).await;
    let response = app.request(Request::get("/api/v1/triage").body(Vec::new()).unwrap()).await;
    assert_eq!(response.header("allow"), Some("POST"));
    let response = app.request(without("authorization")).await;
    assert!(response.header("www-authenticate").unwrap().starts_with("Bearer"));
}

#[tokio::test(start_paused = true)]
async fn a_body_without_an_end_is_a_408() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let pieces = vec![(Duration::ZERO, "{\"query\":".into()), (Duration::from_secs(3), "\"a\"".into())];
    let request = post("/api/v1/triage").body(App::pieces(pieces, false)).unwrap();
    let response = app.open(request).await.collect().await;
    assert_eq!(problem(&response), (408, "request_timeout".into()));
    assert_eq!(response.head_at.as_secs(), 10);
    assert_eq!(sidecar.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_a_caller_sent_comes_back_in_an_error_or_a_log_line() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let secret = "hunter2-very-secret";
    let requests = [
        with_token(&format!("{secret}.{secret}.{secret}")),
        with_body(format!("{{\"query\": \"{secret}\", \"{secret}\": 1")),
        with_body(json!({"query": secret, "student_progress": {"student_id": secret}}).to_string()),
        ask(secret),
    ];
    for request in requests {
        let response = app.request(request).await;
        if response.status != 200 {
            assert!(!response.text().contains(secret), "{}", response.text());
        }
    }
    settle(&app).await;
    for line in app.logs() {
        assert!(!format!("{line:?}").contains(secret), "{line:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_query_that_says_something_else_is_refused() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    for path in ["/api/v1/triage?on_low_confidence=rejekt", "/api/v1/classify?explain=yes"] {
        let question = if path.contains("triage") { body(STUCK) } else { json!({"query": STUCK}) };
        let request = post(path).body(question.to_string().into_bytes()).unwrap();
        assert_eq!(problem(&app.request(request).await), (400, "schema_validation_failed".into()), "{path}");
    }
    assert_eq!(sidecar.calls(), 0);
}
