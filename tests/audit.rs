//! The audit trail: at least once, none lost.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use triage_host::{Import, Reply, StoreFault};

use crate::support::*;

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn ids(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_event_is_a_complete_cloud_event_in_its_students_partition() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let mut request = ask("my mail is jane.doe@school.example, why does my loop throw an IndexError?");
    request.headers_mut().insert("x-request-id", "corr-1".parse().unwrap());
    let decision = json(&app.request(request).await);
    settle(&app).await;
    let published = sidecar.published();
    assert_eq!(published.len(), 1);
    assert_eq!((published[0].topic.as_str(), published[0].key.as_str()), ("learning.events", STUDENT));
    let event = &published[0].event;
    for (member, expected) in [
        ("specversion", "1.0"),
        ("type", "learnflow.triage.decision.v1"),
        ("subject", STUDENT),
        ("datacontenttype", "application/json"),
    ] {
        assert_eq!(event[member], expected, "{event}");
    }
    assert_eq!(event["id"], decision["request_id"]);
    let data = &event["data"];
    for member in [
        "request_id",
        "correlation_id",
        "student_id",
        "original_query",
        "intent_classification",
        "decision",
        "validation_results",
        "dapr_results",
        "processing_time_ms",
        "timestamp",
        "outcome",
        "model_version",
    ] {
        assert!(!data[member].is_null(), "{member} in {data}");
    }
    assert_eq!((&data["outcome"], &data["correlation_id"]), (&"completed".into(), &"corr-1".into()));
    assert!(!event.to_string().contains("jane.doe"), "{event}");
    assert!(
        sidecar.invoked()[0].text().contains("jane.doe@school.example"),
        "the agent gets the text unaltered"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_read_has_its_event_too_and_a_refused_one_a_security_event() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    app.request(post("/api/v1/triage").body(b"{}".to_vec()).unwrap()).await;
    let mut anonymous = ask(STUCK);
    anonymous.headers_mut().remove("authorization");
    app.request(anonymous).await;
    settle(&app).await;
    assert_eq!(sidecar.outcomes(), ["refused"]);
    let event = &sidecar.events("learning.events")[0]["data"];
    assert_eq!(event["validation_results"]["schema_valid"], false);
    assert_eq!(event["original_query"], Value::Null);
    let security = sidecar.events("learning.events.security");
    assert_eq!(security.len(), 1);
    assert_eq!(security[0]["data"]["count"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_refusals_is_not_a_flood_of_events() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let instance = app.instance("triage").await.unwrap();
    for _ in 0..100 {
        let mut anonymous = ask(STUCK);
        anonymous.headers_mut().remove("authorization");
        instance.request(anonymous).await;
    }
    settle(&app).await;
    assert!(sidecar.published().len() <= 4, "{}", sidecar.published().len());
}

#[tokio::test(start_paused = true)]
async fn with_the_broker_down_every_event_arrives_after_it_returns() {
    let sidecar = Sidecar::default();
    sidecar.broker_down();
    let app = app(&sidecar).await;
    let mut answered = BTreeSet::new();
    for minute in 0..5_u32 {
        for n in 0..20 {
            let decision = json(&app.request(ask_as(minute * 20 + n, STUCK)).await);
            answered.insert(decision["request_id"].as_str().unwrap().to_owned());
            app.clock().advance(secs(3)).await;
        }
    }
    assert_eq!(sidecar.published().len(), 0);
    sidecar.broker_up();
    app.clock().advance(secs(60)).await;
    app.request(maintenance()).await;
    assert_eq!(ids(&sidecar.events("learning.events")), answered);
    assert!(sidecar.outcomes().iter().all(|outcome| outcome == "completed"), "{:?}", sidecar.outcomes());
}

#[tokio::test(start_paused = true)]
async fn later_requests_drain_what_was_left_behind() {
    let sidecar = Sidecar::default();
    sidecar.broker_down();
    let app = app(&sidecar).await;
    let lost = json(&app.request(ask(STUCK)).await)["request_id"].as_str().unwrap().to_owned();
    sidecar.broker_up();
    app.clock().advance(secs(60)).await;
    for n in 0..3 {
        app.request(ask_as(n, STUCK)).await;
        app.clock().advance(secs(12)).await;
    }
    assert!(ids(&sidecar.events("learning.events")).contains(&lost));
}

#[tokio::test(start_paused = true)]
async fn an_instance_killed_after_its_answer_has_left_its_event_behind() {
    let sidecar = Sidecar::default();
    sidecar.broker(|_| (false, Reply::never()));
    let app = app(&sidecar).await;
    let instance = app.instance("triage").await.unwrap();
    let decision = json(&instance.request(ask(STUCK)).await);
    instance.kill();
    sidecar.broker_up();
    app.request(maintenance()).await;
    assert_eq!(sidecar.published().len(), 0, "not before its owner must be gone");
    app.clock().advance(secs(45)).await;
    app.request(maintenance()).await;
    let events = sidecar.events("learning.events");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["id"], decision["request_id"]);
    assert_eq!(sidecar.outcomes(), ["unknown"]);
}

#[tokio::test(start_paused = true)]
async fn without_outbox_the_event_is_published_before_the_answer_and_a_loss_is_told() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    app.store_faults().set(Import::Set, StoreFault::Full);
    let decision = json(&app.request(ask(STUCK)).await);
    assert_eq!(sidecar.published().len(), 1, "published when the answer is there");
    assert_eq!(decision["degraded"], serde_json::json!(["store"]));
    sidecar.broker_down();
    app.clock().advance(secs(6)).await;
    let decision = json(&app.request(ask(STUCK)).await);
    assert_eq!(decision["degraded"], serde_json::json!(["store", "audit"]));
}

#[tokio::test(start_paused = true)]
async fn a_healthy_request_costs_the_agreed_store_calls_before_its_answer() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let instance = app.instance("triage").await.unwrap();
    instance.request(ask(STUCK)).await;
    settle(&app).await;
    let before = app.store_ops().len();
    let answer = instance.request(ask(STUCK)).await;
    let ops: Vec<_> =
        app.store_ops().split_off(before).into_iter().filter(|op| op.at <= answer.head_at).collect();
    let count = |import: Import| ops.iter().filter(|op| op.import == import).count();
    let early = |import: Import| count(import);
    assert_eq!(early(Import::Get), 1, "the breakers: {ops:?}");
    assert_eq!(early(Import::Increment), 1, "the limiter");
    assert!(early(Import::Set) <= 1, "the write-ahead record");
    assert_eq!(early(Import::ListKeys), 0);
    assert_eq!(ops[0].import, Import::Get, "the first call is the asynchronous one");
}

#[tokio::test(start_paused = true)]
async fn sixteen_waiting_requests_share_their_writes() {
    let sidecar = Sidecar::new(|_, _| good().after(secs(1)));
    let app = app(&sidecar).await;
    app.store_faults().set(Import::Set, StoreFault::Slow(Duration::from_millis(20)));
    let instance = app.instance("triage").await.unwrap();
    instance.together((0..16).map(|n| ask_as(n, STUCK))).await;
    let sets = app.store_ops().iter().filter(|op| op.import == Import::Set && op.at < secs(1)).count();
    assert!(sets <= 4, "{sets} sets for sixteen write-ahead records");
    assert!(instance.finish().await);
    assert_eq!(sidecar.events("learning.events").len(), 16);
}

#[tokio::test(start_paused = true)]
async fn at_most_eight_publishes_are_under_way() {
    let sidecar = Sidecar::default();
    sidecar.broker(|_| (true, Reply::new(204).after(secs(1))));
    let app = app(&sidecar).await;
    let instance = app.instance("triage").await.unwrap();
    instance.together((0..16).map(|n| ask_as(n, STUCK))).await;
    app.clock().advance(Duration::from_millis(500)).await;
    assert!(app.calls_in_flight() <= 8, "{}", app.calls_in_flight());
    assert!(instance.finish().await);
    assert_eq!(sidecar.events("learning.events").len(), 16);
}

#[tokio::test(start_paused = true)]
async fn maintenance_needs_daprs_token_where_one_is_set() {
    let sidecar = Sidecar::default();
    let app = app_with(&sidecar, &[("app_api_token", "from-dapr")]).await;
    assert_eq!(app.request(maintenance()).await.status, 403);
    for (token, status) in [("from-dapr", 200), ("from-dap", 403), ("", 403)] {
        let mut request = maintenance();
        request.headers_mut().insert("dapr-api-token", token.parse().unwrap());
        assert_eq!(app.request(request).await.status, status, "{token:?}");
    }
    let mut twice = maintenance();
    for token in ["from-dapr", "other"] {
        twice.headers_mut().append("dapr-api-token", token.parse().unwrap());
    }
    assert_eq!(app.request(twice).await.status, 403);
    let options = http::Request::options("/internal/maintenance").body(Vec::new()).unwrap();
    assert_eq!(app.request(options).await.status, 204, "or Dapr unsubscribes");
}

/// Everything is there but `topic`.
fn all_but(sidecar: &Sidecar, topic: &'static str) {
    sidecar.broker(move |call| match call.path().ends_with(topic) {
        true => (false, Reply::json(403, r#"{"errorCode":"ERR_PUBSUB_FORBIDDEN"}"#)),
        false => (true, Reply::new(204)),
    });
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_refuses_keeps_no_other_from_being_drained() {
    for by_maintenance in [true, false] {
        let sidecar = Sidecar::new(|_, _| Reply::json(500, "{}"));
        let app = app(&sidecar).await;
        all_but(&sidecar, "/dead-letter.queue");
        app.request(ask_as(0, STUCK)).await;
        app.clock().advance(secs(31)).await;
        sidecar.broker_down();
        sidecar.agents(|_, _| good());
        let left = json(&app.request(ask_as(1, STUCK)).await)["request_id"].as_str().unwrap().to_owned();
        app.clock().advance(secs(120)).await;
        all_but(&sidecar, "/dead-letter.queue");
        if by_maintenance {
            app.request(maintenance()).await;
        } else {
            for n in 2..5 {
                app.request(ask_as(n, STUCK)).await;
                app.clock().advance(secs(12)).await;
            }
        }
        assert!(ids(&sidecar.events("learning.events")).contains(&left), "maintenance: {by_maintenance}");
        sidecar.broker_up();
        app.request(maintenance()).await;
        assert_eq!(sidecar.events("dead-letter.queue").len(), 1, "the refused one goes when it may");
    }
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_refuses_delays_no_other() {
    let sidecar = Sidecar::new(|_, _| Reply::json(500, "{}"));
    let app = app(&sidecar).await;
    all_but(&sidecar, "/dead-letter.queue");
    let instance = app.instance("triage").await.unwrap();
    instance.request(ask_as(0, STUCK)).await;
    sidecar.agents(|_, _| good());
    instance.request(ask_as(1, STUCK)).await;
    settle(&app).await;
    assert_eq!(sidecar.outcomes(), ["failed", "completed"]);
}

/// What the broker will never take (too large, say) must not hold up what stands behind it.
#[tokio::test(start_paused = true)]
async fn an_event_that_is_never_taken_holds_nothing_up() {
    let sidecar = Sidecar::default();
    sidecar.broker_down();
    let app = app(&sidecar).await;
    let mut left = BTreeSet::new();
    for n in 0..4 {
        let answer = json(&app.fresh(ask_as(n, STUCK)).await.unwrap());
        left.insert(answer["request_id"].as_str().unwrap().to_owned());
        app.clock().advance(secs(1)).await;
    }
    app.clock().advance(secs(60)).await;
    sidecar.broker(|call| match call.text().contains(&student(0)) {
        true => (false, Reply::json(500, "{}")),
        false => (true, Reply::new(204)),
    });
    app.request(maintenance()).await;
    assert_eq!(sidecar.events("learning.events").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_backlog_weeks_after_the_last_one_costs_a_look_and_not_a_march() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    for weeks in [0, 3] {
        app.clock().set_offset(weeks * 7 * 86_400);
        sidecar.broker_down();
        let before = app.store_ops().len();
        let left = json(&app.request(ask_as(0, STUCK)).await)["request_id"].as_str().unwrap().to_owned();
        app.clock().advance(secs(120)).await;
        sidecar.broker_up();
        for n in 1..4 {
            app.request(ask_as(n, STUCK)).await;
            app.clock().advance(secs(12)).await;
        }
        let calls = app.store_ops().len() - before;
        assert!(ids(&sidecar.events("learning.events")).contains(&left), "after {weeks} weeks");
        assert!(calls < 400, "{calls} store calls after {weeks} weeks");
    }
}

#[tokio::test(start_paused = true)]
async fn with_store_and_broker_away_an_event_is_tried_again() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let instance = app.instance("triage").await.unwrap();
    app.store_faults().set(Import::Set, StoreFault::Full);
    sidecar.broker_down();
    let lost = json(&instance.request(ask_as(0, STUCK)).await);
    assert_eq!(lost["degraded"], serde_json::json!(["store", "audit"]));
    sidecar.broker_up();
    let next = json(&instance.request(ask_as(1, STUCK)).await);
    app.clock().advance(secs(8)).await;
    let expected = [&lost, &next].map(|answer| answer["request_id"].as_str().unwrap().to_owned());
    assert_eq!(ids(&sidecar.events("learning.events")), BTreeSet::from(expected));
}

#[tokio::test(start_paused = true)]
async fn maintenance_called_with_a_wrong_token_is_a_security_event() {
    let sidecar = Sidecar::default();
    let app = app_with(&sidecar, &[("app_api_token", "from-dapr")]).await;
    app.request(maintenance()).await;
    settle(&app).await;
    let events = sidecar.events("learning.events.security");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["data"]["reason"], "dapr_api_token");
}

#[tokio::test(start_paused = true)]
async fn a_member_name_with_personal_data_in_it_reaches_no_event() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    let mut body = body(STUCK);
    let names =
        ["jane.doe@school.example", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "card_4111111111111111"];
    for name in names {
        body[name] = 1.into();
    }
    let response = app.request(post("/api/v1/triage").body(body.to_string().into_bytes()).unwrap()).await;
    assert_eq!(response.status, 400);
    settle(&app).await;
    let event = sidecar.events("learning.events")[0].to_string();
    for trace in ["jane.doe", "16C7e42F", "41111111"] {
        assert!(!event.contains(trace) && !response.text().contains(trace), "{event}");
    }
}

/// With one request per instance too: what waits for a topic that refuses is walked past.
#[tokio::test(start_paused = true)]
async fn instances_share_the_walk_past_what_cannot_go_out() {
    let sidecar = Sidecar::new(|_, _| Reply::json(500, "{}"));
    let app = app(&sidecar).await;
    all_but(&sidecar, "/dead-letter.queue");
    app.fresh(ask_as(0, STUCK)).await.unwrap();
    sidecar.agents(|_, _| good());
    app.clock().advance(secs(3 * 3_600)).await;
    sidecar.broker_down();
    let left = json(&app.fresh(ask_as(1, STUCK)).await.unwrap());
    app.clock().advance(secs(120)).await;
    all_but(&sidecar, "/dead-letter.queue");
    for n in 2..10 {
        app.fresh(ask_as(n, STUCK)).await.unwrap();
        app.clock().advance(secs(6)).await;
    }
    let published = ids(&sidecar.events("learning.events"));
    assert!(published.contains(left["request_id"].as_str().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn security_events_take_no_place_of_a_decision() {
    let sidecar = Sidecar::default();
    sidecar.broker(|call| match call.path().ends_with(".security") {
        true => (false, Reply::never()),
        false => (true, Reply::new(204)),
    });
    let app = app(&sidecar).await;
    let instance = app.instance("triage").await.unwrap();
    let claims = |member: &str, value: &str| {
        let mut claims = serde_json::json!({
            "iss": "learnflow-auth", "aud": "learnflow-api", "sub": STUDENT, "role": "student",
            "exp": 4_000_000_000_u64,
        });
        claims[member] = serde_json::from_str(value).unwrap();
        claims.to_string()
    };
    let header = r#"{"alg":"HS256","kid":"development"}"#;
    let secret = triage::config::DEVELOPMENT_SECRET.as_bytes();
    // Each is refused for a reason of its own, and reported at once.
    let tokens = [
        String::new(),
        "x".to_owned(),
        sign(secret, r#"{"alg":"none"}"#, "{}"),
        sign(b"another", header, &claims("role", "\"student\"")),
        sign(secret, header, &claims("iss", "\"x\"")),
        sign(secret, header, &claims("aud", "\"x\"")),
        sign(secret, header, &claims("exp", "1")),
        sign(secret, header, &claims("nbf", "4000000000")),
        sign(secret, header, &claims("role", "\"king\"")),
        sign(secret, header, &claims("sub", "\"x\"")),
    ];
    for token in tokens {
        let mut request = ask(STUCK);
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        assert!([401, 403].contains(&instance.request(request).await.status.as_u16()));
    }
    instance.request(ask(STUCK)).await;
    settle(&app).await;
    assert_eq!(sidecar.outcomes(), ["completed"]);
}
