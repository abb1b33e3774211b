//! What can go wrong with agents, sidecar and broker: one seeded, repeatable row each.
//!
//! For each row: the status, how many calls the agent saw, the state of the breaker afterwards, the
//! outcomes of the audit events, and how many dead letters were published.

use std::time::Duration;

use triage_host::{App, Call, Import, Reply, StoreFault, Trap};

use crate::support::*;

struct Row {
    name: &'static str,
    agent: fn(&Call, usize) -> Reply,
    status: u16,
    error: &'static str,
    calls: usize,
    failures: i64,
    outcome: &'static str,
    dead_letters: usize,
}

const OK: &str = "";

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn rows() -> Vec<Row> {
    let row = |name, agent, status, error, calls, failures| Row {
        name,
        agent,
        status,
        error,
        calls,
        failures,
        outcome: if status == 200 { "completed" } else { "failed" },
        dead_letters: usize::from(status != 200 && error != "agent_rejected"),
    };
    vec![
        row("healthy", |_, _| good(), 200, OK, 1, 0),
        row("agent down", |_, _| Reply::refused(), 502, "agent_unavailable", 3, 3),
        row(
            "agent down by dapr's own word",
            |_, _| Reply::json(500, r#"{"errorCode":"ERR_DIRECT_INVOKE","message":"x"}"#),
            502,
            "agent_unavailable",
            3,
            3,
        ),
        row("agent hangs", |_, _| Reply::never(), 502, "agent_unavailable", 1, 1),
        row("agent just below the timeout", |_, _| good().after(Duration::from_millis(1_990)), 200, OK, 1, 0),
        row(
            "agent just above the timeout",
            |_, _| good().after(Duration::from_millis(2_010)),
            502,
            "agent_unavailable",
            1,
            1,
        ),
        row("500", |_, _| Reply::json(500, "{}"), 502, "agent_unavailable", 1, 1),
        row("501", |_, _| Reply::json(501, "{}"), 502, "agent_unavailable", 1, 1),
        row("502", |_, _| Reply::json(502, "{}"), 502, "agent_unavailable", 3, 3),
        row("503", |_, _| Reply::json(503, "{}"), 502, "agent_unavailable", 3, 3),
        row(
            "503, retry-after 1",
            |_, _| Reply::json(503, "{}").header("retry-after", "1"),
            502,
            "agent_unavailable",
            3,
            3,
        ),
        row(
            "503, retry-after beyond the deadline",
            |_, _| Reply::json(503, "{}").header("retry-after", "60"),
            502,
            "agent_unavailable",
            1,
            1,
        ),
        row("504", |_, _| Reply::json(504, "{}"), 502, "agent_unavailable", 3, 3),
        row("429", |_, _| Reply::json(429, "{}"), 502, "agent_unavailable", 3, 3),
        row(
            "429, retry-after 2",
            |_, _| Reply::json(429, "{}").header("retry-after", "2"),
            502,
            "agent_unavailable",
            3,
            3,
        ),
        row("408", |_, _| Reply::json(408, "{}"), 502, "agent_unavailable", 3, 3),
        row(
            "redirect",
            |_, _| Reply::new(302).header("location", "http://evil.example/"),
            502,
            "agent_unavailable",
            1,
            1,
        ),
        row("400", |_, _| Reply::json(400, "{}"), 502, "agent_rejected", 1, 0),
        row("404", |_, _| Reply::json(404, "{}"), 502, "agent_rejected", 1, 0),
        row("200 with status error", |_, _| Reply::json(200, r#"{"status":"error"}"#), 200, OK, 1, 0),
        row("10 MB", |_, _| Reply::new(200).large(10_000_000), 502, "agent_invalid_reply", 1, 1),
        row("invalid JSON", |_, _| Reply::json(200, "<html>"), 502, "agent_invalid_reply", 1, 1),
        row("empty", |_, _| Reply::json(200, ""), 502, "agent_invalid_reply", 1, 1),
        row("cut in headers", |_, _| Reply::reset(), 502, "agent_unavailable", 1, 1),
        row("cut in body", |_, _| good().cut_after(10), 502, "agent_unavailable", 1, 1),
        row(
            "body stalls",
            |_, _| Reply::new(200).chunk(Duration::ZERO, "{").stall(),
            504,
            "deadline_exceeded",
            1,
            1,
        ),
        row("down, then up", |_, n| if n == 0 { Reply::refused() } else { good() }, 200, OK, 2, 0),
        row("twice 503, then up", |_, n| if n < 2 { Reply::json(503, "{}") } else { good() }, 200, OK, 3, 0),
        row(
            "500 is not tried again",
            |_, n| if n == 0 { Reply::json(500, "{}") } else { good() },
            502,
            "agent_unavailable",
            1,
            1,
        ),
    ]
}

async fn failures(app: &App) -> i64 {
    app.store().counter("n:bf:0:debug-agent").await.unwrap().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn every_way_an_agent_fails_has_its_answer_count_and_record() {
    for (seed, row) in rows().into_iter().enumerate() {
        let sidecar = Sidecar::new(row.agent);
        let app = builder(&sidecar).seed(seed as u64).build().await.unwrap();
        let response = app.request(ask(STUCK)).await;
        let name = row.name;
        if row.error.is_empty() {
            assert_eq!(response.status, row.status, "{name}: {}", response.text());
        } else {
            assert_eq!(problem(&response), (row.status, row.error.to_owned()), "{name}");
        }
        settle(&app).await;
        assert_eq!(sidecar.calls(), row.calls, "{name}: calls");
        assert_eq!(failures(&app).await, row.failures, "{name}: failures at the breaker");
        assert_eq!(sidecar.outcomes(), [row.outcome], "{name}: audit");
        assert_eq!(sidecar.events("dead-letter.queue").len(), row.dead_letters, "{name}: dead letters");
        assert!(response.head_at <= secs(11), "{name}: the deadline holds: {:?}", response.head_at);
        let keys: Vec<&str> = Vec::from_iter(sidecar_keys(&sidecar));
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{name}: one idempotency key");
        let outbox = app.store().keys().await.unwrap().iter().filter(|k| k.starts_with("v:ob:")).count();
        assert_eq!(outbox, 0, "{name}: nothing is left in the outbox");
    }
}

fn sidecar_keys(sidecar: &Sidecar) -> Vec<&'static str> {
    let keys = sidecar
        .invoked()
        .iter()
        .map(|call| call.header("idempotency-key").unwrap_or_default().to_owned())
        .collect::<Vec<_>>();
    keys.into_iter().map(|key| &*key.leak()).collect()
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_waited_for_and_the_budget_is_passed_on() {
    let sidecar =
        Sidecar::new(|_, n| if n == 0 { Reply::json(503, "{}").header("retry-after", "3") } else { good() });
    let app = app(&sidecar).await;
    let response = app.request(ask(STUCK)).await;
    assert_eq!(response.status, 200);
    assert_eq!(json(&response)["metadata"]["retry_count"], 1);
    let calls = sidecar.invoked();
    let waited = calls[1].at - calls[0].at;
    assert!((secs(3)..secs(4)).contains(&waited), "{waited:?}");
    let budget = |call: &Call| call.header("x-deadline-ms").unwrap().parse::<u64>().unwrap();
    assert!(budget(&calls[0]) <= 10_000 && budget(&calls[1]) <= 7_000);
}

#[tokio::test(start_paused = true)]
async fn the_sidecar_down_and_back_is_an_outage_and_a_recovery() {
    let sidecar = Sidecar::new(|_, _| Reply::refused());
    let app = app(&sidecar).await;
    sidecar.broker(|_| (false, Reply::refused()));
    let response = app.request(ask(STUCK)).await;
    assert_eq!(problem(&response), (502, "agent_unavailable".into()));
    assert_eq!(app.request(ask(STUCK)).await.status, 502, "attempts 4 and 5 open the breaker");
    sidecar.agents(|_, _| good());
    sidecar.broker_up();
    assert_eq!(app.request(ask(STUCK)).await.status, 502, "open");
    app.clock().advance(secs(45)).await;
    assert_eq!(app.request(ask(STUCK)).await.status, 200);
    app.request(maintenance()).await;
    app.clock().advance(secs(60)).await;
    app.request(maintenance()).await;
    assert_eq!(sidecar.events("learning.events").len(), 4, "{:?}", sidecar.outcomes());
    assert_eq!(sidecar.events("dead-letter.queue").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_slow_broker_delays_no_answer() {
    let sidecar = Sidecar::default();
    sidecar.broker(|_| (true, Reply::new(204).after(secs(4))));
    let app = app(&sidecar).await;
    let response = app.request(ask(STUCK)).await;
    assert_eq!(response.status, 200);
    assert!(response.ended_at < secs(1), "{:?}", response.ended_at);
}

#[tokio::test(start_paused = true)]
async fn clocks_that_jump_refuse_nobody_for_long_and_lose_nothing() {
    for jump in [-7_200, -60, 60, 7_200] {
        let sidecar = Sidecar::new(|_, _| Reply::json(500, "{}"));
        let app = app(&sidecar).await;
        for n in 0..5 {
            app.request(ask_as(n, STUCK)).await;
        }
        sidecar.agents(|_, _| good());
        app.clock().set_offset(jump);
        app.clock().advance(secs(40)).await;
        assert_eq!(app.request(ask(STUCK)).await.status, 200, "after a jump of {jump} s");
        settle(&app).await;
        assert_eq!(sidecar.events("learning.events").len(), 6, "after a jump of {jump} s");
    }
}

#[tokio::test(start_paused = true)]
async fn sixteen_requests_interleave_in_one_instance_without_mixing() {
    let sidecar = Sidecar::new(|call, n| {
        let student = call.header("x-student-id").unwrap().to_owned();
        let delay = Duration::from_millis(50 * (16 - n as u64 % 16));
        Reply::json(200, format!(r#"{{"echo":"{student}"}}"#)).after(delay)
    });
    let app = app(&sidecar).await;
    let instance = app.instance("triage").await.unwrap();
    let answers = instance.together((0..16).map(|n| ask_as(n, STUCK))).await;
    for (n, response) in answers.iter().enumerate() {
        let decision = json(response);
        assert_eq!(decision["student_id"], student(n as u32));
        assert_eq!(decision["agent_response"]["echo"], student(n as u32));
    }
    assert!(instance.finish().await);
    assert_eq!(sidecar.events("learning.events").len(), 16);
}

#[tokio::test(start_paused = true)]
async fn a_trap_in_one_of_sixteen_loses_no_event_of_the_others() {
    let sidecar = Sidecar::new(|_, _| good().after(Duration::from_millis(500)));
    let app = app(&sidecar).await;
    app.trap(Trap::on(Import::Outbound).nth(16));
    let instance = app.instance("triage").await.unwrap();
    let answers = instance.together((0..16).map(|n| ask_as(n, STUCK))).await;
    let answered = answers.iter().filter(|r| r.status == 200).count();
    drop(instance);
    assert_eq!(app.request(ask(STUCK)).await.status, 200, "the next instance serves");
    app.clock().advance(secs(60)).await;
    app.request(maintenance()).await;
    let events = sidecar.events("learning.events").len();
    assert!(events > answered, "{events} events for {answered} answers and one more");
    let ids: std::collections::BTreeSet<String> =
        sidecar.events("learning.events").iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), events, "none twice");
    let _ = app.take_violations();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_slows_down_or_stays_silent_stops_nobody() {
    for fault in [
        StoreFault::Fails("gone".into()),
        StoreFault::Slow(secs(1)),
        StoreFault::SlowThenFails(secs(1)),
        StoreFault::Silent,
        StoreFault::ReadOnly,
        StoreFault::Full,
    ] {
        let sidecar = Sidecar::default();
        let app = app(&sidecar).await;
        app.store_faults().set_all(fault.clone());
        let began = app.clock().elapsed();
        for n in 0..3 {
            let response = app.request(ask_as(n, STUCK)).await;
            assert_eq!(response.status, 200, "{fault:?}: {}", response.text());
        }
        let took = app.clock().elapsed() - began;
        assert!(took < secs(3), "{fault:?}: three answers took {took:?}");
        settle(&app).await;
        assert_eq!(sidecar.events("learning.events").len(), 3, "{fault:?}: published before the answer");
        app.store_faults().clear();
        app.clock().advance(secs(6)).await;
        let decision = json(&app.request(ask(STUCK)).await);
        assert_eq!(decision["degraded"], serde_json::Value::Null, "{fault:?}: recovered");
    }
}
