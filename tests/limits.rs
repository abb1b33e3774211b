//! The rate limit: exact, across instances, with its headers.

use std::time::Duration;

use futures::future::join_all;
use http::Request;

use crate::support::*;

fn classify() -> Request<Vec<u8>> {
    post("/api/v1/classify").body(br#"{"query":"hello there"}"#.to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn of_140_in_a_window_exactly_100_pass() {
    for one_instance in [true, false] {
        let sidecar = Sidecar::default();
        let app = app(&sidecar).await;
        let answers = if one_instance {
            let instance = app.instance("triage").await.unwrap();
            let mut answers = Vec::new();
            for _ in 0..10 {
                answers.extend(instance.together((0..14).map(|_| ask(STUCK))).await);
            }
            answers
        } else {
            join_all((0..140).map(|_| app.request(ask(STUCK)))).await
        };
        let passed = answers.iter().filter(|r| r.status == 200).count();
        assert_eq!((passed, sidecar.calls()), (100, 100), "one instance: {one_instance}");
        for refused in answers.iter().filter(|r| r.status != 200) {
            assert_eq!(problem(refused), (429, "rate_limited".into()));
            let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=60).contains(&wait));
            assert!(
                refused.header("ratelimit").unwrap().contains("r=0"),
                "{:?}",
                refused.header("ratelimit")
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_minute_has_room_again_and_others_are_not_touched() {
    let sidecar = Sidecar::default();
    let app = app_with(&sidecar, &[("rate_limit_per_minute", "2")]).await;
    let statuses = |n: usize| {
        let app = &app;
        async move {
            join_all((0..n).map(|_| app.request(classify()))).await.iter().filter(|r| r.status == 200).count()
        }
    };
    assert_eq!(statuses(3).await, 2);
    assert_eq!(app.request(ask_as(9, STUCK)).await.status, 200, "another student");
    app.clock().advance(Duration::from_secs(60)).await;
    assert_eq!(statuses(3).await, 2);
}

#[tokio::test(start_paused = true)]
async fn headers_count_down_and_staff_are_limited_too() {
    let app = app_with(&Sidecar::default(), &[("rate_limit_per_minute", "2")]).await;
    let first = app.request(classify()).await;
    assert_eq!(first.header("ratelimit-policy"), Some("\"student\";q=2;w=60"));
    assert!(first.header("ratelimit").unwrap().starts_with("\"student\";r=1;t="));
    for expected in [200, 200, 429] {
        assert_eq!(app.request(get_as("/api/v1/agents", "admin")).await.status, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_costs_no_call_and_no_write_of_the_audit() {
    let sidecar = Sidecar::default();
    let app = app_with(&sidecar, &[("rate_limit_per_minute", "1")]).await;
    app.request(ask(STUCK)).await;
    settle(&app).await;
    let sets = app.store_count(triage_host::Import::Set);
    assert_eq!(app.request(ask(STUCK)).await.status, 429);
    settle(&app).await;
    assert_eq!((sidecar.calls(), app.store_count(triage_host::Import::Set)), (1, sets));
}

#[tokio::test(start_paused = true)]
async fn a_batch_costs_its_size_and_gives_back_what_did_not_fit() {
    let features = ("features", r#"{"enable_batch_processing":true}"#);
    let app = app_with(&Sidecar::default(), &[("rate_limit_per_minute", "5"), features]).await;
    let batch = |n: usize| {
        let body = serde_json::json!({ "queries": vec!["hello there"; n] }).to_string();
        post("/api/v1/classify/batch").body(body.into_bytes()).unwrap()
    };
    let answer = app.request(batch(3)).await;
    assert_eq!(json(&answer)["decisions"].as_array().unwrap().len(), 3);
    assert_eq!(app.request(batch(3)).await.status, 429);
    assert_eq!(app.request(batch(2)).await.status, 200, "there was room for two");
}

/// Whoever is refused must not take room from those beside it, not even for a moment.
#[tokio::test(start_paused = true)]
async fn a_batch_that_does_not_fit_keeps_nobody_else_out() {
    let features = ("features", r#"{"enable_batch_processing":true}"#);
    let app = app_with(&Sidecar::default(), &[("rate_limit_per_minute", "60"), features]).await;
    let batch = |n: usize| {
        let body = serde_json::json!({ "queries": vec!["hello there"; n] }).to_string();
        post("/api/v1/classify/batch").body(body.into_bytes()).unwrap()
    };
    assert_eq!(app.request(batch(20)).await.status, 200);
    let mixed = (0..50).map(|n| app.request(if n % 5 == 0 { batch(50) } else { classify() }));
    let statuses: Vec<u16> = join_all(mixed).await.iter().map(|r| r.status.as_u16()).collect();
    let of = |batches: bool, status: u16| {
        let picked = statuses.iter().enumerate().filter(|(n, _)| (n % 5 == 0) == batches);
        picked.filter(|(_, found)| **found == status).count()
    };
    assert_eq!((of(true, 429), of(false, 200)), (10, 40), "{statuses:?}");
}

/// What is let through is the limit, from fifty connections that go on asking.
#[tokio::test(start_paused = true)]
async fn fifty_connections_get_all_of_the_limit_and_no_more() {
    let app = app(&Sidecar::default()).await;
    for window in 0..3 {
        let one = || async {
            let mut passed = 0;
            for _ in 0..6 {
                passed += usize::from(app.request(classify()).await.status == 200);
            }
            passed
        };
        let passed: usize = join_all((0..50).map(|_| one())).await.iter().sum();
        assert_eq!(passed, 100, "window {window}");
        app.clock().advance(Duration::from_secs(60)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn counters_end() {
    let app = app(&Sidecar::default()).await;
    for n in 0..20 {
        app.request(ask_as(n, STUCK)).await;
    }
    app.clock().advance(Duration::from_secs(200)).await;
    app.request(maintenance()).await;
    let keys = app.store().keys().await.unwrap();
    assert!(!keys.iter().any(|key| key.starts_with("n:rl:")), "{keys:?}");
}
