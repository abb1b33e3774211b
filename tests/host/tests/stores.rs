//! Both key-value interfaces on both back ends, their faults, and what breaks Spin.

use std::time::Duration;

use triage_host::{Import, RedisStandIn, Store, StoreFault, Violation};

use crate::support::{app, get, text};

fn stores() -> [Store; 2] {
    [Store::in_memory(), RedisStandIn::start().unwrap().store()]
}

#[tokio::test(start_paused = true)]
async fn both_interfaces_see_one_store() {
    for store in stores() {
        let app = app().store(&store).build().await.unwrap();
        for (path, answer) in [
            ("/kv/get?k=a", "none"),
            ("/kv/exists?k=a", "false"),
            ("/kv/set?k=a&v=1", "done"),
            ("/wasi/get?k=a", "some:1"),
            ("/wasi/set?k=b&v=2", "done"),
            ("/kv/get?k=b", "some:2"),
            ("/wasi/list", "a,b"),
            ("/wasi/exists?k=a", "true"),
            ("/kv/delete?k=a", "done"),
            ("/wasi/delete?k=nothing", "done"),
            ("/wasi/list", "b"),
            ("/wasi/increment?k=n&d=0", "0"),
            ("/wasi/increment?k=n&d=5", "5"),
        ] {
            assert_eq!(text(&app, path).await, answer, "{path}");
        }
        assert_eq!(app.store().counter("n").await, Ok(Some(5)));
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_labels_of_the_manifest_can_be_opened() {
    let app = app().build().await.unwrap();
    assert_eq!(text(&app, "/kv/get?k=a&label=other").await, "error Error::AccessDenied");
    assert_eq!(text(&app, "/wasi/get?k=a&label=other").await, "error Error::AccessDenied");
}

#[tokio::test(start_paused = true)]
async fn every_call_is_counted_with_key_and_time() {
    let app = app().build().await.unwrap();
    text(&app, "/kv/set?k=a&v=123").await;
    app.clock().advance(Duration::from_secs(5)).await;
    text(&app, "/wasi/increment?k=n&d=1").await;
    let ops = app.store_ops();
    let told: Vec<_> = ops.iter().map(|op| (op.import, op.key.as_str(), op.at.as_secs())).collect();
    let expected =
        [(Import::Open, "", 0), (Import::Set, "a", 0), (Import::Open, "", 5), (Import::Increment, "n", 5)];
    assert_eq!(told, expected);
    assert_eq!(ops.get(1).unwrap().bytes, 3);
    assert_eq!(app.store_count(Import::Set), 1);
    app.store().set("direct", b"x").await.unwrap();
    assert_eq!(app.store_ops().len(), 4, "the test's own calls are not counted");
}

#[tokio::test(start_paused = true)]
async fn faults_come_and_go_per_operation() {
    for store in stores() {
        let app = app().store(&store).build().await.unwrap();
        let faults = app.store_faults();
        faults.set(Import::Get, StoreFault::Fails("kaputt".to_owned()));
        assert_eq!(text(&app, "/kv/get?k=a").await, r#"error Error::Other("kaputt")"#);
        assert_eq!(text(&app, "/wasi/set?k=a&v=1").await, "done");
        faults.clear();
        assert_eq!(text(&app, "/wasi/get?k=a").await, "some:1");
        for (fault, set, delete) in [(StoreFault::ReadOnly, false, false), (StoreFault::Full, false, true)] {
            faults.set_all(fault);
            assert_eq!(text(&app, "/kv/set?k=b&v=1").await == "done", set);
            assert_eq!(text(&app, "/wasi/increment?k=n&d=1").await == "1", set);
            assert_eq!(text(&app, "/kv/delete?k=b").await == "done", delete);
            assert_eq!(text(&app, "/kv/get?k=a").await, "some:1");
            faults.clear();
        }
        assert_eq!(text(&app, "/wasi/increment?k=n&d=1").await, "1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_asynchronous_call_lets_the_instance_go_on_and_a_synchronous_one_does_not() {
    for (path, head_of_the_other) in [("/kv/get?k=a", 0), ("/wasi/get?k=a", 300)] {
        let app = app().build().await.unwrap();
        app.store_faults().set(Import::Get, StoreFault::Slow(Duration::from_millis(300)));
        let instance = app.instance("probe").await.unwrap();
        let answers = instance.together([get(path), get("/")]).await;
        let times: Vec<_> = answers.iter().map(|answer| answer.head_at.as_millis()).collect();
        assert_eq!(times, [300, head_of_the_other], "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_call_fails_when_the_faults_are_cleared() {
    let app = app().build().await.unwrap();
    app.store_faults().set(Import::Get, StoreFault::Silent);
    let instance = app.instance("probe").await.unwrap();
    let told = instance.request(get("/kv/get?k=a"));
    let clear = async {
        app.clock().advance(Duration::from_secs(40)).await;
        assert!(app.store_ops().last().unwrap().ended.is_none());
        app.store_faults().clear();
    };
    let (told, ()) = tokio::join!(told, clear);
    assert_eq!(told.text(), r#"error Error::Other("connection lost")"#);
    assert_eq!(told.head_at, Duration::from_secs(40));
}

#[tokio::test(start_paused = true)]
async fn what_hangs_or_panics_spin_is_a_violation_and_breaks_the_store() {
    for (path, expected) in [
        ("/kv/keys", Violation::GetKeys { component: "probe".to_owned() }),
        ("/wasi/cas?k=v", Violation::CompareAndSwap { component: "probe".to_owned() }),
        ("/wasi/batch?k=v", Violation::Batch { component: "probe".to_owned() }),
        (
            "/wasi/increment?k=v&d=1",
            Violation::IncrementOfValue { component: "probe".to_owned(), key: "v".to_owned() },
        ),
    ] {
        let app = app().build().await.unwrap();
        app.store().set("v", b"text").await.unwrap();
        assert_eq!(app.request(get(path)).await.status, 500, "{path}");
        assert_eq!(app.request(get("/wasi/get?k=v")).await.status, 500, "every later store call");
        assert_eq!(app.request(get("/")).await.status, 200);
        assert_eq!(app.take_violations(), [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn on_redis_an_increment_of_a_value_only_fails_but_is_a_violation_too() {
    let app = app().store(&RedisStandIn::start().unwrap().store()).build().await.unwrap();
    app.store().set("v", b"text").await.unwrap();
    assert!(text(&app, "/wasi/increment?k=v&d=1").await.starts_with("error Error::Other"));
    assert_eq!(text(&app, "/kv/get?k=v").await, "some:text");
    assert_eq!(app.take_violations().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn reading_a_counter_as_a_value_is_a_violation_that_breaks_nothing() {
    let app = app().build().await.unwrap();
    text(&app, "/wasi/increment?k=n&d=1").await;
    text(&app, "/kv/get?k=n").await;
    assert_eq!(text(&app, "/wasi/increment?k=n&d=1").await, "2");
    let expected = Violation::CounterAsValue { component: "probe".to_owned(), key: "n".to_owned() };
    assert_eq!(app.take_violations(), [expected]);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "guests broke rules of the runtime")]
async fn a_violation_that_nobody_asked_about_fails_the_test() {
    let app = app().build().await.unwrap();
    app.request(get("/kv/keys")).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_can_outlive_its_application() {
    let store = Store::in_memory();
    let first = app().store(&store).build().await.unwrap();
    text(&first, "/kv/set?k=a&v=1").await;
    drop(first);
    let second = app().store(&store).build().await.unwrap();
    assert_eq!(text(&second, "/kv/get?k=a").await, "some:1");
}
