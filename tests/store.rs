//! The rules for the store: what stands in it, for how long, on both back ends.

use std::time::Duration;

use triage_host::{Import, StoreFault};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn values_and_counters_never_share_a_key() {
    let sidecar = Sidecar::new(|_, n| if n % 3 == 0 { triage_host::Reply::json(500, "{}") } else { good() });
    let app = app(&sidecar).await;
    for n in 0..30 {
        let mut request = ask_as(n, STUCK);
        request.headers_mut().insert("idempotency-key", format!("k{n}").parse().unwrap());
        app.request(request).await;
    }
    settle(&app).await;
    app.request(maintenance()).await;
    for op in app.store_ops() {
        match op.import {
            Import::Set => assert!(op.key.starts_with("v:"), "set {}", op.key),
            Import::Increment => assert!(op.key.starts_with("n:"), "increment {}", op.key),
            Import::Get => assert!(op.key.starts_with("v:"), "get {}", op.key),
            _ => {}
        }
        assert!(!op.key.contains("student_"), "caller-chosen bytes in {}", op.key);
    }
    assert!(app.violations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn listing_happens_in_maintenance_only() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    for n in 0..10 {
        app.request(ask_as(n, STUCK)).await;
    }
    app.request(get_as("/api/v1/dead-letters", "admin")).await;
    app.request(get_as("/api/v1/agents", "admin")).await;
    settle(&app).await;
    assert_eq!(app.store_count(Import::ListKeys), 0);
    app.request(maintenance()).await;
    assert_eq!(app.store_count(Import::ListKeys), 1);
}

#[tokio::test(start_paused = true)]
async fn an_idle_service_leaves_next_to_nothing_behind() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    for n in 0..50 {
        let mut request = ask_as(n, STUCK);
        request.headers_mut().insert("idempotency-key", format!("k{n}").parse().unwrap());
        app.request(request).await;
    }
    settle(&app).await;
    let per_student = app.store().keys().await.unwrap().len() as f64 / 50.0;
    assert!(per_student <= 4.0, "{per_student} keys for each student");
    app.clock().advance(Duration::from_secs(7_200)).await;
    app.request(maintenance()).await;
    let left = app.store().keys().await.unwrap();
    assert!(left.len() <= 3, "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_store_is_left_alone_for_five_seconds() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let instance = app.instance("triage").await.unwrap();
    instance.request(ask(STUCK)).await;
    settle(&app).await;
    app.store_faults().set_all(StoreFault::Silent);
    let began = app.clock().elapsed();
    let response = instance.request(ask(STUCK)).await;
    assert_eq!(json(&response)["degraded"], serde_json::json!(["store"]));
    assert!(
        app.clock().elapsed() - began < Duration::from_millis(100),
        "{:?}",
        app.clock().elapsed() - began
    );
    let calls = app.store_ops().len();
    instance.request(ask(STUCK)).await;
    settle(&app).await;
    assert_eq!(app.store_ops().len(), calls, "no call while it is left alone");
    let synchronous =
        app.store_ops().iter().filter(|op| op.at >= began && op.import == Import::Increment).count();
    assert_eq!(synchronous, 0);
}

/// A burst must meet its limit: the read of one that comes late says nothing when others got theirs.
#[tokio::test(start_paused = true)]
async fn a_busy_store_is_not_taken_for_a_silent_one() {
    for (others, degraded) in [(true, serde_json::Value::Null), (false, serde_json::json!(["store"]))] {
        let sidecar = Sidecar::default();
        let app = app(&sidecar).await;
        let instance = app.instance("triage").await.unwrap();
        instance.request(ask_as(0, STUCK)).await;
        settle(&app).await;
        app.store_faults().set(Import::Get, StoreFault::Slow(Duration::from_millis(80)));
        let meanwhile = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            app.store_faults().clear();
            if others {
                instance.request(ask_as(1, STUCK)).await;
            }
        };
        let (late, ()) = tokio::join!(instance.request(ask_as(2, STUCK)), meanwhile);
        assert_eq!(json(&late)["degraded"], degraded, "others answered: {others}");
    }
}

#[tokio::test(start_paused = true)]
async fn records_of_another_version_are_ignored_not_fatal() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    for value in [&b"{\"v\":99}"[..], b"\xff\xfe", b"", b"null"] {
        app.store().set("v:breakers", value).await.unwrap();
        app.store().set("v:ob:1:1", value).await.unwrap();
        assert_eq!(app.request(ask(STUCK)).await.status, 200);
        assert_eq!(app.request(maintenance()).await.status, 200);
    }
}
