//! Idempotency: carried out once, replayed for a minute.

use std::time::Duration;

use http::Request;
use triage_host::Reply;

use crate::support::*;

fn keyed(key: &str, query: &str) -> Request<Vec<u8>> {
    let mut request = ask(query);
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    request
}

#[tokio::test(start_paused = true)]
async fn a_repeated_request_gets_the_same_answer_without_a_second_call() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let first = app.request(keyed("k1", STUCK)).await;
    settle(&app).await;
    let again = app.request(keyed("k1", STUCK)).await;
    assert_eq!((first.status, first.text()), (again.status, again.text()));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((first.header("idempotency-replayed"), sidecar.calls()), (None, 1));
    assert_eq!(sidecar.invoked()[0].header("idempotency-key"), Some("k1"));
}

#[tokio::test(start_paused = true)]
async fn both_places_for_the_key_mean_the_same_and_must_agree() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let key = "0123456789abcdef0123456789abcdef";
    let mut with_field = body(STUCK);
    with_field["student_progress"]["idempotency_key"] = key.into();
    let request = || post("/api/v1/triage").body(with_field.to_string().into_bytes()).unwrap();
    app.request(request()).await;
    settle(&app).await;
    assert_eq!(app.request(keyed(key, STUCK)).await.header("idempotency-replayed"), Some("true"));
    let mut both = request();
    both.headers_mut().insert("idempotency-key", "other".parse().unwrap());
    assert_eq!(problem(&app.request(both).await), (400, "schema_validation_failed".into()));
}

#[tokio::test(start_paused = true)]
async fn another_body_or_one_in_flight_is_a_conflict() {
    let sidecar = Sidecar::new(|_, _| good().after(Duration::from_secs(1)));
    let app = app(&sidecar).await;
    let (one, two) = tokio::join!(app.request(keyed("k", STUCK)), async {
        app.clock().advance(Duration::from_millis(100)).await;
        app.request(keyed("k", STUCK)).await
    });
    assert_eq!(one.status, 200);
    assert_eq!(problem(&two), (409, "idempotency_conflict".into()));
    settle(&app).await;
    assert_eq!(
        problem(&app.request(keyed("k", "something else entirely")).await),
        (409, "idempotency_conflict".into())
    );
    assert_eq!(sidecar.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn keys_are_the_students_own() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    for n in 0..2 {
        let mut request = ask_as(n, STUCK);
        request.headers_mut().insert("idempotency-key", "same".parse().unwrap());
        let response = app.request(request).await;
        assert_eq!(response.header("idempotency-replayed"), None);
        settle(&app).await;
    }
    assert_eq!(sidecar.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn only_good_answers_are_kept_and_for_a_minute_only() {
    let sidecar = Sidecar::new(|_, n| if n == 0 { Reply::json(500, "{}") } else { good() });
    let app = app(&sidecar).await;
    assert_eq!(app.request(keyed("k", STUCK)).await.status, 502);
    settle(&app).await;
    assert_eq!(app.request(keyed("k", STUCK)).await.status, 200, "the failure freed the key");
    app.clock().advance(Duration::from_secs(61)).await;
    let late = app.request(keyed("k", STUCK)).await;
    assert_eq!((late.status.as_u16(), late.header("idempotency-replayed")), (200, None));
    assert_eq!(sidecar.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_crash_in_flight_frees_the_key_within_seconds() {
    let sidecar = Sidecar::new(|_, _| Reply::never());
    let app = app(&sidecar).await;
    let instance = app.instance("triage").await.unwrap();
    {
        let hanging = instance.open(keyed("k", STUCK).map(triage_host::App::full));
        let _ = tokio::time::timeout(Duration::from_millis(500), hanging).await;
    }
    instance.kill();
    sidecar.agents(|_, _| good());
    assert_eq!(app.request(keyed("k", STUCK)).await.status, 409);
    app.clock().advance(Duration::from_secs(25)).await;
    assert_eq!(app.request(keyed("k", STUCK)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_store_never_holds_a_question() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    app.request(keyed("hunter2-key", &format!("{STUCK} swordfish"))).await;
    settle(&app).await;
    for key in app.store().keys().await.unwrap() {
        assert!(!key.contains("hunter2"), "{key}");
        if key.starts_with("v:") {
            let value = app.store().get(&key).await.unwrap().unwrap_or_default();
            assert!(!String::from_utf8_lossy(&value).contains("swordfish"), "{key}");
        }
    }
}
