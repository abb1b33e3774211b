//! Dead letters: published, listed, replayed once.

use serde_json::Value;
use triage_host::Reply;

use crate::support::*;

fn replay(id: &str, query: &str) -> http::Request<Vec<u8>> {
    post_as(&format!("/api/v1/dead-letters/{id}/replay{query}"), STAFF, "admin").body(Vec::new()).unwrap()
}

async fn letters(app: &triage_host::App) -> Vec<Value> {
    json(&app.request(get_as("/api/v1/dead-letters", "admin")).await)["dead_letters"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test(start_paused = true)]
async fn a_failed_request_is_published_listed_and_replayed_once() {
    let sidecar = Sidecar::new(|_, _| Reply::json(503, "{}"));
    let app = app(&sidecar).await;
    let query = format!("{STUCK} write me at jane@school.example");
    assert_eq!(app.request(ask(&query)).await.status, 502);
    settle(&app).await;
    let first_key = sidecar.invoked()[0].header("idempotency-key").unwrap().to_owned();
    let event = &sidecar.events("dead-letter.queue")[0];
    assert_eq!(event["data"]["attempts"].as_array().unwrap().len(), 3);
    assert_eq!(event["data"]["attempts"][0]["cause"], "status_503");
    assert!(!event.to_string().contains("jane@"), "{event}");
    let listed = letters(&app).await;
    assert_eq!(listed.len(), 1);
    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!(listed[0]["cause"], "status_503");

    sidecar.forget_calls();
    let dry = json(&app.request(replay(id, "?dry_run=true")).await);
    assert_eq!((&dry["dry_run"], sidecar.calls()), (&true.into(), 0));

    assert_eq!(app.request(replay(id, "")).await.status, 502, "the agent is still down");
    sidecar.agents(|_, _| good());
    // Its attempts were the fifth failure in a row.
    app.clock().advance(std::time::Duration::from_secs(31)).await;
    let answer = json(&app.request(replay(id, "")).await);
    assert_eq!(answer["agent_response"]["status"], "success");
    let call = sidecar.invoked().pop().unwrap();
    assert_eq!(call.header("x-triage-redacted"), Some("true"));
    assert_eq!(call.header("idempotency-key"), Some(first_key.as_str()));
    assert!(!call.text().contains("jane@"));
    let calls = sidecar.calls();
    assert_eq!(problem(&app.request(replay(id, "")).await), (409, "idempotency_conflict".into()));
    assert_eq!(sidecar.calls(), calls, "not a second time");
    assert!(letters(&app).await[0]["replayed_at"].is_string());
}

#[tokio::test(start_paused = true)]
async fn replays_at_the_same_time_call_once() {
    let sidecar = Sidecar::new(|_, _| Reply::json(500, "{}"));
    let app = app(&sidecar).await;
    app.request(ask(STUCK)).await;
    settle(&app).await;
    let id = letters(&app).await[0]["id"].as_str().unwrap().to_owned();
    sidecar.forget_calls();
    sidecar.agents(|_, _| good().after(std::time::Duration::from_millis(300)));
    let (a, b) = tokio::join!(app.request(replay(&id, "")), app.request(replay(&id, "")));
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!((statuses, sidecar.calls()), ([200, 409], 1));
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_probes_and_is_refused_has_found_the_agent_alive() {
    let sidecar = Sidecar::new(|_, _| Reply::json(500, "{}"));
    let app = app(&sidecar).await;
    for n in 0..5 {
        app.request(ask_as(n, STUCK)).await;
    }
    settle(&app).await;
    let id = letters(&app).await[0]["id"].as_str().unwrap().to_owned();
    app.clock().advance(std::time::Duration::from_secs(31)).await;
    sidecar.agents(|_, _| Reply::json(400, "{}"));
    assert_eq!(problem(&app.request(replay(&id, "")).await), (502, "agent_rejected".into()));
    sidecar.agents(|_, _| good());
    let answer = json(&app.request(ask_as(9, STUCK)).await);
    assert_eq!(answer["metadata"]["circuit_breaker_status"], "closed", "{answer}");
}

#[tokio::test(start_paused = true)]
async fn only_admins_see_them_and_unknown_ones_are_not_found() {
    let app = app(&Sidecar::default()).await;
    assert_eq!(app.request(get_as("/api/v1/dead-letters", "instructor")).await.status, 403);
    for id in ["1-1", "x", "99999999999999999999-1", "..%2f"] {
        assert_eq!(app.request(replay(id, "")).await.status, 404, "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn they_end_after_seven_days() {
    let sidecar = Sidecar::new(|_, _| Reply::json(500, "{}"));
    let app = app(&sidecar).await;
    app.request(ask(STUCK)).await;
    settle(&app).await;
    for (days, left) in [(6, 1), (9, 0)] {
        app.clock().set_offset(days * 86_400);
        app.request(maintenance()).await;
        let keys = app.store().keys().await.unwrap();
        assert_eq!(
            keys.iter().filter(|key| key.starts_with("v:dl:")).count(),
            left,
            "after {days} days: {keys:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_was_refused_keeps_nobody_out() {
    let sidecar = Sidecar::new(|_, _| Reply::json(500, "{}"));
    let app = app(&sidecar).await;
    app.request(ask(STUCK)).await;
    settle(&app).await;
    let id = letters(&app).await[0]["id"].as_str().unwrap().to_owned();
    sidecar.agents(|_, _| Reply::never());
    let instance = app.instance("triage").await.unwrap();
    {
        let hanging = instance.open(replay(&id, "").map(triage_host::App::full));
        let _ = tokio::time::timeout(std::time::Duration::from_millis(500), hanging).await;
    }
    instance.kill();
    sidecar.agents(|_, _| good());
    let mut statuses = Vec::new();
    for _ in 0..5 {
        app.clock().advance(std::time::Duration::from_secs(30)).await;
        statuses.push(app.request(replay(&id, "")).await.status.as_u16());
    }
    assert!(statuses.contains(&200), "{statuses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_cannot_be_kept_now_is_kept_later() {
    let sidecar = Sidecar::new(|_, _| Reply::json(500, "{}"));
    // The last one's events take longest: the slot of all is given up when the store works again.
    sidecar.broker(|call| {
        let took = if call.text().contains(&student(11)) { 4_900 } else { 1_000 };
        (true, Reply::new(204).after(std::time::Duration::from_millis(took)))
    });
    let app = app_with(&sidecar, &[("features", r#"{"enable_circuit_breaker":false}"#)]).await;
    let instance = app.instance("triage").await.unwrap();
    let answers = instance.together((0..12).map(|n| ask_as(n, STUCK))).await;
    assert!(answers.iter().all(|answer| json(answer)["fallback"] == "dead_letter_queue"));
    app.store_faults().set(triage_host::Import::Set, triage_host::StoreFault::Full);
    app.clock().advance(std::time::Duration::from_secs(4)).await;
    app.store_faults().clear();
    app.clock().advance(std::time::Duration::from_secs(80)).await;
    app.request(maintenance()).await;
    let listed = letters(&app).await;
    let kept: std::collections::BTreeSet<_> = listed.iter().map(|row| row["request_id"].as_str()).collect();
    assert_eq!(kept.len(), 12, "each, and rather twice than never");
}

#[tokio::test(start_paused = true)]
async fn a_mistyped_dry_run_is_refused_and_not_carried_out() {
    let sidecar = Sidecar::new(|_, _| Reply::json(500, "{}"));
    let app = app(&sidecar).await;
    app.request(ask(STUCK)).await;
    settle(&app).await;
    let id = letters(&app).await[0]["id"].as_str().unwrap().to_owned();
    sidecar.agents(|_, _| good());
    sidecar.forget_calls();
    for query in ["?dry_run=1", "?dry_run", "?dry_run=tru%65", "?dry_run=true&dry_run=false", "?dry_run="] {
        let answer = problem(&app.request(replay(&id, query)).await);
        assert_eq!(answer, (400, "schema_validation_failed".into()), "{query}");
    }
    assert_eq!(sidecar.calls(), 0);
    let page = get_as("/api/v1/dead-letters?before=x", "admin");
    assert_eq!(problem(&app.request(page).await), (400, "schema_validation_failed".into()));
}
