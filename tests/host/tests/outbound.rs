//! Outbound calls: what is allowed, where they go, what a script can do to them.

use std::time::Duration;

use http::Request;
use triage_host::{Call, CallEnd, Fault, Framing, Reply};

use crate::support::{app, get, text};

const UPSTREAM: &str = "/call?url=http://upstream.test/x";

fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

#[tokio::test(start_paused = true)]
async fn only_allowed_hosts_are_called() {
    let app = app().upstream(|_: &Call| Reply::new(200)).build().await.unwrap();
    assert_eq!(text(&app, UPSTREAM).await, "200 ");
    for url in ["http://other.test/", "http://upstream.test:81/", "https://upstream.test/"] {
        let answer = text(&app, &format!("/call?url={url}")).await;
        assert_eq!(answer, "error ErrorCode::HttpRequestDenied", "{url}");
    }
    assert_eq!(app.calls().len(), 1, "denied calls go nowhere");
}

#[tokio::test(start_paused = true)]
async fn a_path_in_an_allowed_host_denies_everything() {
    let app = app().variable("upstream", "http://upstream.test/v1").build().await.unwrap();
    for url in ["http://upstream.test/v1", "http://sibling.spin.internal/"] {
        let answer = text(&app, &format!("/call?url={url}")).await;
        assert_eq!(answer, "error ErrorCode::HttpRequestDenied", "{url}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_script_or_the_network_nobody_listens() {
    let app = app().build().await.unwrap();
    assert_eq!(text(&app, UPSTREAM).await, "error ErrorCode::ConnectionRefused");
}

#[tokio::test(start_paused = true)]
async fn a_sibling_answers_calls_but_not_requests_from_outside() {
    let app = app().build().await.unwrap();
    assert_eq!(text(&app, "/call?url=http://sibling.spin.internal/").await, "200 hello");
    let headers = text(&app, "/call?url=http://sibling.spin.internal/uri%3Fa%3Db").await;
    assert_eq!(headers, "200 http://sibling.spin.internal/uri?a=b");
    assert_eq!(text(&app, "/call?url=http://sibling.spin.internal/trap").await, "500 ");
    assert_eq!(
        text(&app, "/call?url=http://sibling.spin.internal/kv/get").await,
        "200 error Error::AccessDenied"
    );
}

#[tokio::test(start_paused = true)]
async fn a_sibling_that_is_not_there_or_has_no_trigger_is_a_trap() {
    let app = app().build().await.unwrap();
    for name in ["nobody", "hidden"] {
        let request = get(&format!("/call?url=http://{name}.spin.internal/"));
        let response = app.request(request).await;
        // `*.spin.internal` allows only what the application has.
        match name {
            "hidden" => assert!(matches!(response.fault, Some(Fault::Trap(_))), "{name}"),
            _ => assert_eq!(response.text(), "error ErrorCode::HttpRequestDenied"),
        }
    }
}

/// Name, reply, what the guest tells of it, milliseconds it took.
type Case = (&'static str, fn() -> Reply, &'static str, u64);

#[tokio::test(start_paused = true)]
async fn a_script_does_what_it_is_told() {
    let replies: [Case; 11] = [
        ("json", || Reply::json(201, "{}"), "201 {}", 0),
        ("late", || Reply::new(204).after(millis(70)), "204 ", 70),
        ("refused", Reply::refused, "error ErrorCode::ConnectionRefused", 0),
        ("refused late", || Reply::refused().after(millis(5)), "error ErrorCode::ConnectionRefused", 5),
        ("reset", Reply::reset, "error ErrorCode::HttpProtocolError", 0),
        ("cut", || Reply::json(200, "0123456789").cut_after(4), "200 broken ErrorCode::HttpProtocolError", 0),
        ("pieces", || Reply::new(200).chunk(millis(10), "a").chunk(millis(20), "b"), "200 ab", 30),
        (
            "cut pieces",
            || Reply::new(200).chunk(millis(10), "a").cut(),
            "200 broken ErrorCode::HttpProtocolError",
            10,
        ),
        ("large", || Reply::new(200).large(10 << 20), "200 10485760 bytes", 0),
        ("never", Reply::never, "error ErrorCode::ConnectionReadTimeout", 600_000),
        (
            "stall",
            || Reply::new(200).chunk(millis(1), "a").stall(),
            "200 broken ErrorCode::ConnectionReadTimeout",
            600_001,
        ),
    ];
    for (name, reply, answer, took) in replies {
        let app = app().upstream(move |_: &Call| reply()).build().await.unwrap();
        let response = app.request(get(UPSTREAM)).await;
        assert_eq!(response.text(), answer, "{name}");
        assert_eq!(response.head_at.as_millis(), u128::from(took), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_are_recorded_with_body_and_framing() {
    let app = app().upstream(|_: &Call| Reply::new(200)).build().await.unwrap();
    for (options, framing) in [
        ("&length=1", Framing::Length(5)),
        ("&stream=1", Framing::Chunked),
        ("&stream=1&length=1", Framing::Length(5)),
    ] {
        let path = format!("{UPSTREAM}{options}");
        app.request(Request::post(path).body("hallo").unwrap()).await;
        let call = app.calls().pop().unwrap();
        assert_eq!(call.framing, framing, "{options}");
        assert_eq!((call.text().as_str(), call.path()), ("hallo", "/x"));
        assert_eq!((call.status, &call.end), (Some(200), &Some(CallEnd::Answered)));
        assert_eq!((call.component.as_str(), call.method.as_str()), ("probe", "POST"));
        assert_eq!(call.header("host"), None);
    }
    app.request(get(&format!("{UPSTREAM}&length=1"))).await;
    assert_eq!(app.calls().pop().unwrap().framing, Framing::Empty);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_the_guest_lets_go_of_is_seen_as_dropped() {
    let app = app().upstream(|_: &Call| Reply::never()).build().await.unwrap();
    let response = app.request(get("/race?url=http://upstream.test/&ms=250")).await;
    assert_eq!((response.text().as_str(), response.head_at), ("timer", millis(250)));
    let call = app.calls().pop().unwrap();
    assert_eq!((call.end, call.ended), (Some(CallEnd::Dropped), Some(millis(250))));
    assert_eq!(app.calls_in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_guest_has_taken_of_a_body_is_counted() {
    let reply = |_: &Call| Reply::new(200).chunk(millis(0), "abc").chunk(millis(100), "de").stall();
    let app = app().upstream(reply).build().await.unwrap();
    let mut stream = app.open(get("/relay?url=http://upstream.test/").map(triage_host::App::full)).await;
    for taken in [3, 5] {
        stream.next().await.unwrap();
        assert_eq!(app.calls().first().unwrap().taken, taken);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_are_counted() {
    let app = app().upstream(|_: &Call| Reply::new(200).after(millis(10))).build().await.unwrap();
    let instance = app.instance("probe").await.unwrap();
    instance.together((0..16).map(|_| get(UPSTREAM))).await;
    assert_eq!((app.most_calls_in_flight(), app.calls_in_flight()), (16, 0));
}

#[tokio::test(start_paused = true)]
async fn the_first_byte_timeout_counts_on_the_network_but_not_for_siblings() {
    let slow = |_: &Call| Reply::new(200).after(millis(500));
    let app = app().upstream(slow).script("sibling.spin.internal", slow).build().await.unwrap();
    let path = |host: &str| format!("/call?first_byte_ms=100&url=http://{host}/sleep%3Fms%3D500");
    assert_eq!(text(&app, &path("upstream.test")).await, "error ErrorCode::ConnectionReadTimeout");
    assert_eq!(text(&app, &path("sibling.spin.internal")).await, "200 ");
    let timeouts = app.calls().first().unwrap().timeouts;
    assert_eq!(timeouts.first_byte_timeout, Some(millis(100)));
    app.script("sibling.spin.internal", |_: &Call| Reply::pass());
    assert_eq!(text(&app, &path("sibling.spin.internal")).await, "200 500");
}
