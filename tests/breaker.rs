//! The breaker across instances: trips, refuses, probes once, recovers.

use std::time::Duration;

use futures::future::join_all;
use triage_host::{App, Reply};

use crate::support::*;

/// Five failures that are not retried, each from an instance of its own.
async fn trip(app: &App, sidecar: &Sidecar) {
    sidecar.agents(|_, _| Reply::json(500, "{}"));
    for n in 0..5 {
        let response = app.fresh(ask_as(n, STUCK)).await.unwrap();
        assert_eq!(problem(&response), (502, "agent_unavailable".into()), "failure {n}");
    }
    assert_eq!(sidecar.calls(), 5);
    sidecar.forget_calls();
}

async fn fifty(app: &App, first: u32) -> Vec<triage_host::Response> {
    join_all((first..first + 50).map(|n| app.request(ask_as(n, STUCK)))).await
}

#[tokio::test(start_paused = true)]
async fn five_failures_open_it_for_everybody() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    trip(&app, &sidecar).await;
    sidecar.agents(|_, _| good());
    for response in fifty(&app, 100).await {
        assert_eq!(problem(&response), (502, "agent_unavailable".into()));
        let body = json(&response);
        assert_eq!(body["circuit_breaker"], "open");
        assert_eq!(body["fallback"], "dead_letter_queue");
        assert!((1..=30).contains(&body["retry_after"].as_u64().unwrap()));
        assert_eq!(response.header("retry-after"), Some(body["retry_after"].to_string().as_str()));
    }
    assert_eq!(sidecar.calls(), 0, "none of the fifty reaches the sidecar");
}

#[tokio::test(start_paused = true)]
async fn after_its_time_one_probe_of_fifty_passes_and_closes_it() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    trip(&app, &sidecar).await;
    app.clock().advance(Duration::from_secs(31)).await;
    sidecar.agents(|_, _| good().after(Duration::from_millis(200)));
    let answers = fifty(&app, 200).await;
    assert_eq!(answers.iter().filter(|r| r.status == 200).count(), 1);
    assert_eq!(sidecar.calls(), 1, "one probe");
    let probe = answers.iter().find(|r| r.status == 200).unwrap();
    assert_eq!(json(probe)["metadata"]["circuit_breaker_status"], "half-open");
    settle(&app).await;
    let turned_away = |event: &&serde_json::Value| event["data"]["dapr_results"]["attempts"] == 0;
    let events = sidecar.events("learning.events");
    let refused: Vec<_> = events.iter().filter(turned_away).collect();
    assert_eq!(refused.len(), 49);
    assert!(refused.iter().all(|e| e["data"]["dapr_results"]["circuit_breaker_triggered"] == true));
    assert!(fifty(&app, 300).await.iter().all(|r| r.status == 200), "closed again");
}

#[tokio::test(start_paused = true)]
async fn a_failed_probe_opens_it_again() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    trip(&app, &sidecar).await;
    app.clock().advance(Duration::from_secs(31)).await;
    assert_eq!(app.request(ask(STUCK)).await.status, 502);
    assert_eq!(sidecar.calls(), 1, "the probe");
    app.clock().advance(Duration::from_secs(29)).await;
    assert_eq!(app.request(ask(STUCK)).await.status, 502);
    assert_eq!(sidecar.calls(), 1, "refused");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_never_returns_frees_its_lease() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    trip(&app, &sidecar).await;
    app.clock().advance(Duration::from_secs(31)).await;
    sidecar.agents(|_, _| Reply::never());
    let instance = app.instance("triage").await.unwrap();
    {
        let hanging = instance.open(ask(STUCK).map(App::full));
        let _ = tokio::time::timeout(Duration::from_millis(500), hanging).await;
    }
    instance.kill();
    sidecar.agents(|_, _| good());
    assert_eq!(app.request(ask(STUCK)).await.status, 502, "the lease is taken");
    app.clock().advance(Duration::from_secs(11)).await;
    assert_eq!(app.request(ask(STUCK)).await.status, 200, "the next lease");
}

#[tokio::test(start_paused = true)]
async fn a_success_admitted_before_the_trip_does_not_close_it() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    sidecar.agents(|call, _| match call.text().contains("slow one") {
        true => good().after(Duration::from_millis(1_800)),
        false => Reply::json(500, "{}"),
    });
    let slow = app.request(ask_as(50, &format!("{STUCK} slow one")));
    let trip = async {
        app.clock().advance(Duration::from_millis(100)).await;
        for n in 0..5 {
            app.request(ask_as(n, STUCK)).await;
        }
    };
    let (slow, ()) = tokio::join!(slow, trip);
    assert_eq!(slow.status, 200);
    settle(&app).await;
    sidecar.agents(|_, _| good());
    assert_eq!(app.request(ask(STUCK)).await.status, 502, "still open");
}

#[tokio::test(start_paused = true)]
async fn a_success_in_between_starts_the_count_anew() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    for round in 0..3 {
        sidecar.agents(|_, _| Reply::json(500, "{}"));
        for n in 0..4 {
            app.request(ask_as(round * 10 + n, STUCK)).await;
        }
        sidecar.agents(|_, _| good());
        assert_eq!(app.request(ask_as(round * 10 + 5, STUCK)).await.status, 200, "round {round}");
        settle(&app).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_agents_breaker_leaves_the_others_alone() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    trip(&app, &sidecar).await;
    sidecar.agents(|_, _| good());
    for (query, agent) in CLEAR {
        let expected = if agent == "debug-agent" { 502 } else { 200 };
        assert_eq!(app.request(ask(query)).await.status, expected, "{agent}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_the_flag_off_every_call_is_admitted() {
    let sidecar = Sidecar::new(|_, _| Reply::json(500, "{}"));
    let app = app_with(&sidecar, &[("features", r#"{"enable_circuit_breaker":false}"#)]).await;
    for n in 0..8 {
        app.request(ask_as(n, STUCK)).await;
    }
    assert_eq!(sidecar.calls(), 8);
}
