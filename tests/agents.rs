//! `GET /api/v1/agents` and the breaker's reset.

use serde_json::Value;
use triage_host::Reply;

use crate::support::*;

fn reset(agent: &str, role: &str) -> http::Request<Vec<u8>> {
    post_as(&format!("/api/v1/agents/{agent}/breaker/reset"), STAFF, role).body(Vec::new()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_state_of_every_breaker_is_visible_to_staff() {
    let sidecar = Sidecar::new(|_, _| Reply::json(500, "{}"));
    let app = app(&sidecar).await;
    app.request(ask(STUCK)).await;
    let rows = json(&app.request(get_as("/api/v1/agents", "instructor")).await);
    let row = |rows: &Value, agent: &str| {
        rows["agents"].as_array().unwrap().iter().find(|row| row["agent"] == agent).cloned().unwrap()
    };
    assert_eq!(row(&rows, "debug-agent")["failures"], 1);
    assert_eq!(row(&rows, "debug-agent")["circuit_breaker"], "closed");
    assert_eq!(row(&rows, "debug-agent")["retry_at"], Value::Null);
    for n in 0..4 {
        app.request(ask_as(n, STUCK)).await;
    }
    let rows = json(&app.request(get_as("/api/v1/agents", "admin")).await);
    assert_eq!(row(&rows, "debug-agent")["circuit_breaker"], "open");
    assert!(row(&rows, "debug-agent")["retry_at"].is_string());
    assert_eq!(row(&rows, "review-agent")["circuit_breaker"], "closed");
    assert_eq!(rows["agents"].as_array().unwrap().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_admin_and_nobody_else_closes_a_breaker() {
    let sidecar = Sidecar::new(|_, _| Reply::json(500, "{}"));
    let app = app(&sidecar).await;
    for n in 0..5 {
        app.request(ask_as(n, STUCK)).await;
    }
    sidecar.agents(|_, _| good());
    assert_eq!(app.request(reset("debug-agent", "instructor")).await.status, 403);
    assert_eq!(app.request(ask(STUCK)).await.status, 502);
    assert_eq!(app.request(reset("unknown-agent", "admin")).await.status, 404);
    let answer = json(&app.request(reset("debug-agent", "admin")).await);
    assert_eq!((&answer["circuit_breaker"], &answer["was_open"]), (&"closed".into(), &true.into()));
    assert_eq!(app.request(ask(STUCK)).await.status, 200);
}
