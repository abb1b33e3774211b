//! Which requests share an instance.

use std::time::Duration;

use http::Request;
use triage_host::{Fault, Limits, RedisStandIn, Store};

use crate::support::{app, get, text};

#[tokio::test(start_paused = true)]
async fn a_held_instance_keeps_its_memory() {
    let app = app().build().await.unwrap();
    let instance = app.instance("probe").await.unwrap();
    for seen in ["1", "2", "3"] {
        assert_eq!(instance.request(get("/seen")).await.text(), seen);
    }
    assert_eq!(app.fresh(get("/seen")).await.unwrap().text(), "1");
    assert_eq!(app.instances().get("probe"), Some(&2));
}

#[tokio::test(start_paused = true)]
async fn requests_together_interleave_in_one_instance() {
    let app = app().build().await.unwrap();
    let instance = app.instance("probe").await.unwrap();
    let answers = instance.together((0..16).map(|_| get("/sleep?ms=100"))).await;
    assert!(answers.iter().all(|answer| answer.text() == "100"));
    assert_eq!(app.clock().elapsed(), Duration::from_millis(100));
    let seen = instance.together([get("/seen"), get("/seen")]).await;
    assert_eq!(seen.iter().map(|answer| answer.text()).collect::<Vec<_>>(), ["17", "18"]);
}

#[tokio::test(start_paused = true)]
async fn a_trap_takes_every_request_of_its_instance_with_it_and_no_other() {
    let app = app().build().await.unwrap();
    let instance = app.instance("probe").await.unwrap();
    let answers = instance.together([get("/sleep?ms=50"), get("/trap")]);
    let (answers, other) = tokio::join!(answers, app.request(get("/sleep?ms=50")));
    assert!(answers.iter().all(|answer| matches!(answer.fault, Some(Fault::Trap(_)))));
    assert_eq!(other.text(), "50");
    assert!(matches!(instance.request(get("/")).await.fault, Some(Fault::Trap(_))));
    assert!(app.logs().iter().any(|line| line.text.contains("asked to")));
}

#[tokio::test(start_paused = true)]
async fn work_after_the_answer_goes_on() {
    let app = app().build().await.unwrap();
    assert_eq!(text(&app, "/later?k=a&v=1&ms=300").await, "later");
    assert_eq!(app.store().get("a").await, Ok(None));
    app.clock().advance(Duration::from_millis(301)).await;
    assert_eq!(app.store().get("a").await, Ok(Some(b"1".to_vec())));
    let instance = app.instance("probe").await.unwrap();
    instance.request(get("/later?k=b&v=1&ms=300")).await;
    assert!(instance.finish().await);
    assert_eq!(app.store().exists("b").await, Ok(true));
}

#[tokio::test(start_paused = true)]
async fn a_killed_instance_does_nothing_more() {
    let app = app().build().await.unwrap();
    let instance = app.instance("probe").await.unwrap();
    instance.request(get("/later?k=a&v=1&ms=300")).await;
    instance.kill();
    app.clock().advance(Duration::from_secs(1)).await;
    assert_eq!(app.store().exists("a").await, Ok(false));
}

#[tokio::test(start_paused = true)]
async fn an_instance_ends_after_its_last_request() {
    let limits = Limits { requests: 2, ..Limits::default() };
    let app = app().limits(limits).build().await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(text(&app, "/seen").await);
        app.clock().advance(Duration::from_millis(1)).await;
    }
    assert_eq!(seen, ["1", "2", "1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn the_pool_never_gives_an_instance_more_requests_at_a_time_than_it_may() {
    let limits = Limits { concurrent: 4, ..Limits::default() };
    let app = app().limits(limits).build().await.unwrap();
    let requests = (0..16).map(|_| app.request(get("/sleep?ms=100")));
    let answers = futures::future::join_all(requests).await;
    assert!(answers.iter().all(|answer| answer.text() == "100"));
    assert!(app.instances().get("probe").is_some_and(|made| *made >= 4));
}

#[tokio::test(start_paused = true)]
async fn a_request_timeout_ends_a_request() {
    let limits = Limits { request_timeout: Some(Duration::from_secs(2)), ..Limits::default() };
    let app = app().limits(limits).build().await.unwrap();
    let response = app.request(get("/sleep?ms=10000")).await;
    assert_eq!((response.status.as_u16(), response.fault), (500, Some(Fault::Expired)));
    assert_eq!(response.head_at, Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_body_is_not_lost_between_requests_of_one_instance() {
    let app = app().build().await.unwrap();
    let instance = app.instance("probe").await.unwrap();
    let posts = (0..8).map(|n| Request::post("/echo").body(format!("body {n}")).unwrap());
    let answers = instance.together(posts).await;
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(answer.text(), format!("body {number}"));
    }
}

/// Runs `work` on a paused clock of its own; its end is as abrupt as a SIGKILL for whatever still runs.
fn process<F: Future<Output = ()>>(work: F) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(work);
}

#[test]
fn dropping_the_runtime_kills_everything_and_the_store_serves_the_next_process() {
    for store in [Store::in_memory(), RedisStandIn::start().unwrap().store()] {
        process(async {
            let app = app().store(&store).build().await.unwrap();
            text(&app, "/kv/set?k=a&v=1").await;
            text(&app, "/later?k=b&v=1&ms=300").await;
            app.clock().advance(Duration::from_millis(299)).await;
        });
        process(async {
            let app = app().store(&store).build().await.unwrap();
            app.clock().advance(Duration::from_secs(1)).await;
            assert_eq!(text(&app, "/wasi/list").await, "a");
        });
    }
}
