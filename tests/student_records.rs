//! What the store holds of one student can be handed over and deleted.

use http::Request;
use serde_json::Value;
use triage_host::Reply;

use crate::support::*;

fn records(sub: &str) -> Request<Vec<u8>> {
    Request::get(format!("/internal/students/{sub}/records")).body(Vec::new()).unwrap()
}

fn erase(sub: &str) -> Request<Vec<u8>> {
    Request::post(format!("/internal/students/{sub}/records/erase")).body(Vec::new()).unwrap()
}

fn lengths(records: &Value) -> [usize; 3] {
    ["dead_letters", "stored_answers", "pending_events"].map(|name| records[name].as_array().unwrap().len())
}

/// A dead letter, a stored answer and an event for each of two students.
async fn world() -> (Sidecar, triage_host::App) {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    for n in [1, 2] {
        sidecar.agents(|_, _| good());
        let mut request = ask_as(n, STUCK);
        request.headers_mut().insert("idempotency-key", "once".parse().unwrap());
        assert_eq!(app.request(request).await.status, 200);
        sidecar.agents(|_, _| Reply::json(400, "{}"));
        app.request(ask_as(n, STUCK)).await;
        sidecar.agents(|_, _| Reply::json(503, "{}"));
        assert_eq!(app.request(ask_as(n, CLEAR[n as usize].0)).await.status, 502);
        settle(&app).await;
    }
    (sidecar, app)
}

#[tokio::test(start_paused = true)]
async fn an_export_holds_one_students_records_and_nobody_elses() {
    let (_sidecar, app) = world().await;
    let found = json(&app.request(records(&student(1))).await);
    assert_eq!(found["student_id"], student(1));
    assert_eq!(lengths(&found), [1, 1, 0], "{found}");
    assert!(!found.to_string().contains(&student(2)), "{found}");
}

#[tokio::test(start_paused = true)]
async fn erasure_deletes_one_students_records_and_leaves_the_others() {
    let (_sidecar, app) = world().await;
    let done = json(&app.request(erase(&student(1))).await);
    assert_eq!(
        (&done["deleted"]["dead_letters"], &done["deleted"]["stored_answers"]),
        (&1.into(), &1.into())
    );
    assert_eq!(lengths(&json(&app.request(records(&student(1))).await)), [0, 0, 0]);
    assert_eq!(lengths(&json(&app.request(records(&student(2))).await)), [1, 1, 0]);
    let again = json(&app.request(erase(&student(1))).await);
    assert_eq!(again["deleted"]["dead_letters"], 0);
}

#[tokio::test(start_paused = true)]
async fn an_event_on_its_way_is_shown_and_survives_erasure() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    sidecar.broker_down();
    assert_eq!(app.request(ask_as(1, STUCK)).await.status, 200);
    settle(&app).await;
    assert_eq!(lengths(&json(&app.request(records(&student(1))).await)), [0, 0, 1]);
    assert_eq!(json(&app.request(erase(&student(1))).await)["pending_events"], 1);
    assert_eq!(lengths(&json(&app.request(records(&student(1))).await)), [0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn records_are_guarded_like_maintenance() {
    let sidecar = Sidecar::default();
    let app = app_with(&sidecar, &[("app_api_token", "s3cret-of-dapr-itself-0123456789")]).await;
    for request in [records(&student(1)), erase(&student(1))] {
        assert_eq!(problem(&app.request(request).await), (403, "forbidden".into()));
    }
    assert_eq!(problem(&app.request(records("student_x")).await), (404, "not_found".into()));
}

#[tokio::test(start_paused = true)]
async fn an_answer_past_its_time_is_shown_and_deleted_all_the_same() {
    let (_sidecar, app) = world().await;
    app.clock().advance(std::time::Duration::from_secs(120)).await;
    assert_eq!(lengths(&json(&app.request(records(&student(1))).await)), [1, 1, 0]);
    app.request(erase(&student(1))).await;
    let kept = app.store().keys().await.unwrap().into_iter().filter(|key| key.starts_with("v:id:"));
    assert_eq!(kept.count(), 1, "the other student's");
}

#[tokio::test(start_paused = true)]
async fn a_replay_under_way_does_not_bring_an_erased_letter_back() {
    let (sidecar, app) = world().await;
    sidecar.agents(|_, _| good().after(std::time::Duration::from_secs(1)));
    let listed = json(&app.request(get_as("/api/v1/dead-letters", "admin")).await);
    let ids = listed["dead_letters"].as_array().unwrap().iter().filter(|row| row["student_id"] == student(1));
    let id = ids.map(|row| row["id"].as_str().unwrap().to_owned()).next().unwrap();
    let path = format!("/api/v1/dead-letters/{id}/replay");
    let replay = app.request(post_as(&path, STAFF, "admin").body(Vec::new()).unwrap());
    let erasure = async {
        app.clock().advance(std::time::Duration::from_millis(300)).await;
        app.request(erase(&student(1))).await
    };
    let (replayed, _) = tokio::join!(replay, erasure);
    assert_eq!(json(&replayed)["replayed"], true);
    assert_eq!(lengths(&json(&app.request(records(&student(1))).await))[0], 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_store_is_found_out_before_its_keys_are_listed() {
    let (_sidecar, app) = world().await;
    app.store_faults().set_all(triage_host::StoreFault::Silent);
    assert_eq!(problem(&app.request(records(&student(1))).await).0, 503);
    assert_eq!(app.store_count(triage_host::Import::ListKeys), 0);
}
