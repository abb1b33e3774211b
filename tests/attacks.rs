//! Attacks on the component: each has its status and `error`, reaches no agent, learns nothing, and
//! leaves the instance alive.

#[path = "support/token.rs"]
#[allow(dead_code, reason = "the unit tests use the rest")]
mod token;

use std::collections::BTreeSet;

use http::Request;
use serde_json::json;
use token::{Signer, Token, attacks};
use triage_host::App;
use triage_host::clock::VIRTUAL_START;

use crate::support::{Sidecar, app_with, body_of, json, plain, problem};

fn now() -> u64 {
    VIRTUAL_START.as_secs()
}

fn question(token: &str) -> Request<Vec<u8>> {
    let body = body_of(crate::support::STUCK, token::STUDENT).to_string().into_bytes();
    let mut request =
        Request::post("/api/v1/triage").header("content-type", "application/json").body(body).unwrap();
    if let Ok(value) = http::HeaderValue::from_bytes(format!("Bearer {token}").as_bytes()) {
        request.headers_mut().insert("authorization", value);
    }
    request
}

async fn app(sidecar: &Sidecar) -> App {
    app_with(sidecar, &[("jwt_keys", &token::jwks()), ("rate_limit_per_minute", "1000000")]).await
}

#[tokio::test(start_paused = true)]
async fn every_hostile_token_is_refused_by_one_instance_that_lives_on() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let instance = app.instance("triage").await.unwrap();
    // White space around a header's value is not part of it (RFC 9110 §5.5).
    let list: Vec<_> = attacks::all(now()).into_iter().filter(|a| a.token.trim() == a.token).collect();
    assert!(list.len() >= 80, "{} attacks", list.len());
    let mut bodies = BTreeSet::new();
    for attack in &list {
        let response = instance.request(question(&attack.token)).await;
        assert_ne!(response.status, 200, "{}", attack.name);
        let expected = if attack.refusal == "bad_role" { (403, "forbidden") } else { (401, "invalid_jwt") };
        assert_eq!(problem(&response), (expected.0, expected.1.to_owned()), "{}", attack.name);
        let mut body = json(&response);
        body.as_object_mut().unwrap().remove("instance");
        bodies.insert(body.to_string());
    }
    assert_eq!(bodies.len(), 2, "callers cannot tell the refusals apart: {bodies:?}");
    assert_eq!(sidecar.calls(), 0);
    for signer in [Signer::Rs256, Signer::Es256, Signer::EdDsa, Signer::Hs256] {
        let good = Token::student(now()).key(signer.clone()).build();
        assert_eq!(instance.request(question(&good)).await.status, 200, "{signer:?}");
    }
    assert!(instance.finish().await);
    let log = format!("{:?}", app.logs());
    for attack in list.iter().filter(|attack| attack.token.len() > 40) {
        assert!(!log.contains(&attack.token), "{} is in the log", attack.name);
    }
    assert!(!log.contains(std::str::from_utf8(token::SECRET).unwrap()));
}

/// Requests with a good token that are attacks all the same.
fn attacks_on_the_request() -> Vec<(&'static str, Request<Vec<u8>>, u16, &'static str)> {
    let good = Token::student(now()).build();
    let with = |name: &str, value: &[u8]| {
        let mut request = question(&good);
        let name = http::HeaderName::try_from(name).unwrap();
        request.headers_mut().append(name, http::HeaderValue::from_bytes(value).unwrap());
        request
    };
    let replaced = |name: &str, value: &str| {
        let mut request = question(&good);
        request.headers_mut().insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        request
    };
    let body = |body: Vec<u8>| question(&good).map(|_| body);
    let text = |text: &str| body(text.as_bytes().to_vec());
    let mut deep = body_of("q", token::STUDENT);
    deep["student_progress"]["metadata"] = (0..40).fold(json!({}), |inner, _| json!({ "a": inner }));
    let mut wide = body_of("q", token::STUDENT);
    wide["student_progress"]["metadata"] = json!((0..20_000).collect::<Vec<_>>());
    let mut foreign = body_of("q", token::STUDENT);
    foreign["student_progress"]["student_id"] = json!("student_0190f3a2-7b1c-7def-8a90-000000000000");
    vec![
        (
            "two Authorization headers",
            with("authorization", format!("Bearer {good}").as_bytes()),
            401,
            "invalid_jwt",
        ),
        ("basic authentication", replaced("authorization", "Basic YTpi"), 401, "invalid_jwt"),
        (
            "a spoofed consumer",
            with("x-consumer-username", b"student_0190f3a2-7b1c-7def-8a90-000000000000"),
            401,
            "invalid_jwt",
        ),
        ("an empty consumer", with("x-consumer-username", b""), 401, "invalid_jwt"),
        ("another student's id", body(foreign.to_string().into_bytes()), 403, "forbidden"),
        ("a JSON bomb of depth", body(deep.to_string().into_bytes()), 400, "schema_validation_failed"),
        ("a JSON bomb of depth, open", body(b"{\"a\":".repeat(10_000)), 400, "schema_validation_failed"),
        ("an array where an object belongs", body(wide.to_string().into_bytes()), 413, "payload_too_large"),
        (
            "a number of 60 000 digits",
            text(&format!("{{\"query\":{}}}", "1".repeat(60_000))),
            400,
            "schema_validation_failed",
        ),
        ("an exponent", text("{\"query\":1e999999999}"), 400, "schema_validation_failed"),
        ("a member twice", text(r#"{"query":"a","query":"b"}"#), 400, "schema_validation_failed"),
        (
            "a member twice, escaped",
            text(r#"{"query":"a","\u0071uery":"b"}"#),
            400,
            "schema_validation_failed",
        ),
        ("__proto__", text(r#"{"__proto__":{"role":"admin"},"query":"a"}"#), 400, "schema_validation_failed"),
        ("invalid UTF-8", body(vec![b'"', 0xc0, 0xaf, b'"']), 400, "schema_validation_failed"),
        ("a lone surrogate", text(r#"{"query":"\ud800"}"#), 400, "schema_validation_failed"),
        (
            "an overlong idempotency key",
            with("idempotency-key", "k".repeat(5_000).as_bytes()),
            400,
            "schema_validation_failed",
        ),
        (
            "two idempotency keys",
            {
                let mut request = with("idempotency-key", b"a");
                request.headers_mut().append("idempotency-key", "b".parse().unwrap());
                request
            },
            400,
            "schema_validation_failed",
        ),
        ("a compressed body", with("content-encoding", b"gzip"), 415, "unsupported_media_type"),
        ("a form", replaced("content-type", "text/plain"), 415, "unsupported_media_type"),
        ("two content types", with("content-type", b"text/plain"), 415, "unsupported_media_type"),
        ("65 KiB", body(vec![b' '; 65 * 1024 + 1]), 413, "payload_too_large"),
        ("a length that lies upwards", replaced("content-length", "999999999"), 413, "payload_too_large"),
    ]
}

#[tokio::test(start_paused = true)]
async fn every_hostile_request_has_its_problem() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let instance = app.instance("triage").await.unwrap();
    let mut told = String::new();
    for (name, request, status, error) in attacks_on_the_request() {
        let response = instance.request(request).await;
        assert_eq!(problem(&response), (status, error.to_owned()), "{name}");
        told.push_str(&response.text());
    }
    assert_eq!(sidecar.calls(), 0);
    told.push_str(&format!("{:?}", app.logs()));
    for secret in [Token::student(now()).build().as_str(), std::str::from_utf8(token::SECRET).unwrap()] {
        assert!(!told.contains(secret), "a secret in an answer or the log");
    }
    let good = question(&Token::student(now()).build());
    assert_eq!(instance.request(good).await.status, 200, "the instance lives on");
}

/// Over a socket: the rest of the body would be taken for the next request.
#[tokio::test(flavor = "multi_thread")]
async fn a_length_that_lies_downwards_cuts_the_body_and_smuggles_nothing() {
    use std::io::{Read as _, Write as _};
    let sidecar = Sidecar::default();
    let app = plain().sidecar(sidecar.clone()).variable("jwt_keys", &token::jwks()).build().await.unwrap();
    let server = app.serve("127.0.0.1:0").await.unwrap();
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let bearer = Token::student(seconds).build();
    let address = server.address();
    let talk = move || {
        let head = format!(
            "POST /api/v1/triage HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {bearer}\r\n\
             content-type: application/json\r\ncontent-length: 1\r\n\r\n"
        );
        let body = body_of(crate::support::STUCK, token::STUDENT);
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut got = String::new();
        stream.read_to_string(&mut got).unwrap();
        got
    };
    let got = tokio::task::spawn_blocking(talk).await.unwrap();
    let answers = |with: &str| got.matches(with).count();
    assert_eq!((answers("HTTP/1.1 "), answers("HTTP/1.1 400 ")), (2, 2), "{got}");
    assert_eq!(sidecar.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_odd_but_allowed_passes_and_a_callers_dapr_header_goes_nowhere() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let good = Token::student(now()).build();
    let mut request = question(&good);
    request.headers_mut().insert("authorization", format!("bearer {good}").parse().unwrap());
    request.headers_mut().insert("x-consumer-username", token::STUDENT.parse().unwrap());
    request.headers_mut().insert("dapr-app-id", "progress-agent".parse().unwrap());
    request.headers_mut().insert("dapr-api-token", "mine".parse().unwrap());
    assert_eq!(app.request(request).await.status, 200);
    let call = sidecar.invoked().pop().unwrap();
    assert_eq!(call.path(), "/v1.0/invoke/debug-agent/method/process");
    assert_eq!((call.header("dapr-app-id"), call.header("dapr-api-token")), (None, None));
}

#[tokio::test(start_paused = true)]
async fn the_published_key_and_other_faults_of_configuration_are_a_503_by_name() {
    let cluster = ("dapr_url", "http://localhost:3500");
    let production = ("environment", "production");
    for (variables, name) in [
        (vec![cluster], "jwt_keys"),
        (vec![cluster, production], "jwt_keys"),
        (vec![production], "dapr_url"),
        (vec![("jwt_keys", "hunter2")], "jwt_keys"),
        (vec![("jwt_keys", "")], "jwt_keys"),
        (vec![("retry_attempts", "hunter2")], "retry_attempts"),
    ] {
        let sidecar = Sidecar::default();
        let app = app_with(&sidecar, &variables).await;
        let response = app.request(crate::support::ask("q")).await;
        assert_eq!(problem(&response), (503, "service_unavailable".into()), "{variables:?}");
        assert!(
            response.text().contains(name) && !response.text().contains("hunter2"),
            "{}",
            response.text()
        );
        assert_eq!(app.request(Request::get("/health").body(Vec::new()).unwrap()).await.status, 200);
        assert_eq!(sidecar.calls(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn published_keys_are_fetched_once_kept_and_fetched_anew_for_an_unknown_one() {
    let sidecar = Sidecar::default();
    let url = "http://keys.test/jwks.json";
    let variables = [("jwt_keys", ""), ("jwt_jwks_url", url), ("jwt_jwks_origin", "http://keys.test")];
    let set = json!({ "keys": token::public_jwks() }).to_string();
    let app = app_with(&sidecar, &variables).await;
    app.script("keys.test", move |_: &triage_host::Call| triage_host::Reply::json(200, set.clone()));
    let fetches = || app.calls().iter().filter(|call| call.uri.host() == Some("keys.test")).count();
    let instance = app.instance("triage").await.unwrap();
    let good = || question(&Token::student(now()).key(Signer::Rs256).build());
    let answers = instance.together((0..8).map(|_| good())).await;
    assert!(answers.iter().all(|r| r.status == 200), "all wait for the one fetch");
    assert_eq!(fetches(), 1);
    let unknown = || question(&Token::student(now()).key(Signer::Rs256).header("kid", "new").build());
    for _ in 0..20 {
        assert_eq!(instance.request(unknown()).await.status, 401);
    }
    assert_eq!(fetches(), 1, "asked a moment ago");
    app.clock().advance(std::time::Duration::from_secs(31)).await;
    for _ in 0..20 {
        assert_eq!(instance.request(unknown()).await.status, 401);
    }
    assert_eq!(fetches(), 2, "at most once in 30 s");
    assert_eq!(instance.request(good()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn without_the_published_keys_nobody_is_told_to_log_in_again() {
    let sidecar = Sidecar::default();
    let variables =
        [("jwt_keys", ""), ("jwt_jwks_url", "http://keys.test/j"), ("jwt_jwks_origin", "http://keys.test")];
    let app = app_with(&sidecar, &variables).await;
    app.script("keys.test", |_: &triage_host::Call| triage_host::Reply::refused());
    let response = app.request(question(&Token::student(now()).key(Signer::Rs256).build())).await;
    assert_eq!(problem(&response), (503, "service_unavailable".into()));
}

#[tokio::test(start_paused = true)]
async fn who_hangs_up_while_the_keys_are_fetched_keeps_nobody_out() {
    let sidecar = Sidecar::default();
    let variables =
        [("jwt_keys", ""), ("jwt_jwks_url", "http://keys.test/j"), ("jwt_jwks_origin", "http://keys.test")];
    let app = app_with(&sidecar, &variables).await;
    let set = json!({ "keys": token::public_jwks() }).to_string();
    app.script("keys.test", move |_: &triage_host::Call| {
        triage_host::Reply::json(200, set.clone()).after(std::time::Duration::from_millis(500))
    });
    let instance = app.instance("triage").await.unwrap();
    let request = || question(&Token::student(now()).key(Signer::Rs256).build());
    {
        let hanging = instance.open(request().map(triage_host::App::full));
        let _ = tokio::time::timeout(std::time::Duration::from_millis(200), hanging).await;
    }
    app.clock().advance(std::time::Duration::from_secs(1)).await;
    assert_eq!(instance.request(request()).await.status, 200);
}
