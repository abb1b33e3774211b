//! The headers of every response, and CORS for the pages that may call.

use http::Request;
use triage_host::{Reply, Response};

use crate::support::*;

const PAGE: &str = "https://app.learnflow.example";

const SECURITY: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("cache-control", "no-store"),
];

/// One answer of each kind, as a page at `origin` gets it; each with the status it must have.
async fn answers(origin: &str) -> Vec<(&'static str, u16, Response)> {
    let stream = || Reply::new(200).header("content-type", "text/event-stream").body("data: a\n\n");
    let sidecar =
        Sidecar::new(
            move |call, _| {
                if call.header("accept") == Some("text/event-stream") { stream() } else { good() }
            },
        );
    let app = app_with(&sidecar, &[("cors_origins", PAGE), ("rate_limit_per_minute", "3")]).await;
    let plain = |path: &str| Request::get(path).body(Vec::new()).unwrap();
    let mut nobody = ask(STUCK);
    nobody.headers_mut().remove("authorization");
    let mut unlisted = plain("/api/v1/agents");
    unlisted.headers_mut().insert("authorization", ask(STUCK).headers()["authorization"].clone());
    let broken = ask(STUCK).map(|_| b"{".to_vec());
    let requests = [
        ("an answer", 200, ask(STUCK)),
        ("a stream", 200, ask_stream(STUCK)),
        ("a bad body", 400, broken),
        ("too many", 429, ask(STUCK)),
        ("no token", 401, nobody),
        ("another role", 403, unlisted),
        ("no such path", 404, plain("/nowhere")),
        ("another method", 405, plain("/api/v1/triage")),
        ("health", 200, plain("/health")),
        ("the contract", 200, plain("/openapi.json")),
        ("a preflight", 204, Request::options("/api/v1/triage").body(Vec::new()).unwrap()),
    ];
    let mut answers = Vec::new();
    for (name, status, mut request) in requests {
        request.headers_mut().insert("origin", origin.parse().unwrap());
        answers.push((name, status, app.request(request).await));
    }
    answers
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_answer_carries_the_security_headers() {
    for (name, status, answer) in answers(PAGE).await {
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        for (header, value) in SECURITY {
            assert_eq!(answer.header(header), Some(value), "{header} of {name}");
        }
        assert!(answer.header("x-request-id").is_some_and(|id| id.len() == 36), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_known_page_may_read_every_kind_of_answer_and_an_unknown_one_none() {
    for (name, _, answer) in answers(PAGE).await {
        assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE), "{name}");
        assert_eq!(answer.header("vary"), Some("origin"), "{name}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "tokens, no cookies: {name}");
        let exposed = answer.header("access-control-expose-headers").unwrap();
        assert!(exposed.contains("retry-after") && exposed.contains("x-request-id"), "{name}");
        let preflight = answer.header("access-control-allow-headers").is_some();
        assert_eq!(preflight, name == "a preflight");
    }
    let strangers = ["https://evil.example", "null", "https://app.learnflow.example.evil.example", "*"];
    for origin in strangers {
        for (name, status, answer) in answers(origin).await {
            assert_eq!(answer.status, status, "the answer itself is the same: {name}");
            let told = answer.headers.keys().find(|header| header.as_str().starts_with("access-control"));
            assert_eq!(told, None, "{name} for {origin}");
            assert_eq!(answer.header("vary"), Some("origin"), "caches keep them apart: {name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_configured_origins_nothing_is_said_about_them() {
    let app = app(&Sidecar::default()).await;
    let mut request = ask(STUCK);
    request.headers_mut().insert("origin", PAGE.parse().unwrap());
    let answer = app.request(request).await;
    assert_eq!((answer.header("vary"), answer.header("access-control-allow-origin")), (None, None));
}
