//! Bodies that come piece by piece, in either direction.

use std::time::Duration;

use http::Request;
use triage_host::{App, Call, CallEnd, Reply};

use crate::support::{app, get};

fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

#[tokio::test(start_paused = true)]
async fn pieces_arrive_when_the_guest_sends_them() {
    let app = app().build().await.unwrap();
    let mut stream = app.open(get("/stream?n=3&ms=100").map(App::full)).await;
    assert_eq!((stream.status.as_u16(), stream.head_at), (200, Duration::ZERO));
    for (number, at) in [(0, 100), (1, 200), (2, 300)] {
        let frame = stream.next().await.unwrap();
        assert_eq!((frame.text(), frame.at), (format!("{number};"), millis(at)));
    }
    assert_eq!(stream.next().await, None);
    assert_eq!(stream.broken(), None);
}

#[tokio::test(start_paused = true)]
async fn another_sides_stream_passes_through_unbuffered_and_breaks_where_it_breaks() {
    let reply = |_: &Call| Reply::new(200).chunk(millis(10), "a").chunk(millis(20), "b").cut();
    let app = app().upstream(reply).build().await.unwrap();
    let mut stream = app.open(get("/relay?url=http://upstream.test/").map(App::full)).await;
    let first = stream.next().await.unwrap();
    assert_eq!((first.text().as_str(), first.at), ("a", millis(10)));
    let second = stream.next().await.unwrap();
    assert_eq!((second.text().as_str(), second.at), ("b", millis(30)));
    assert_eq!(stream.next().await, None);
    assert!(stream.broken().is_some());
}

#[tokio::test(start_paused = true)]
async fn hanging_up_reaches_the_other_side() {
    let reply = |_: &Call| Reply::new(200).chunk(millis(10), "a").chunk(millis(10), "b").stall();
    let app = app().upstream(reply).build().await.unwrap();
    let mut stream = app.open(get("/relay?url=http://upstream.test/").map(App::full)).await;
    stream.next().await.unwrap();
    stream.hang_up();
    app.clock().advance(millis(100)).await;
    assert_eq!(app.calls().first().unwrap().end, Some(CallEnd::Dropped));
}

#[tokio::test(start_paused = true)]
async fn a_request_may_come_in_pieces_or_never_end() {
    let app = app().patience(Duration::from_secs(30)).build().await.unwrap();
    let pieces = vec![(millis(0), "a".into()), (millis(50), "b".into())];
    let body = App::pieces(pieces.clone(), true);
    let response = app.open(Request::post("/echo").body(body).unwrap()).await.collect().await;
    assert_eq!((response.text().as_str(), response.head_at), ("ab", millis(50)));
    let endless = App::pieces(pieces, false);
    let response = app.open(Request::post("/echo").body(endless).unwrap()).await.collect().await;
    assert_eq!(response.fault, Some(triage_host::Fault::NoAnswer));
}
