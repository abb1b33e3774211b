//! Traps on demand, and whose calls are whose.

use bytes::Bytes;
use http::Request;
use triage_host::{Call, Fault, Import, Reply, Tag, Trap};

use crate::support::{app, get};

fn tagged(path: &str, tag: &str) -> Request<Bytes> {
    let mut request = get(path);
    request.extensions_mut().insert(Tag(tag.to_owned()));
    request
}

#[tokio::test(start_paused = true)]
async fn calls_carry_the_tag_of_their_request_also_when_interleaved() {
    let app = app().upstream(|_: &Call| Reply::new(200)).build().await.unwrap();
    let instance = app.instance("probe").await.unwrap();
    instance
        .together([
            tagged("/kv/set?k=a&v=1", "first"),
            tagged("/wasi/set?k=b&v=1", "second"),
            tagged("/call?url=http://upstream.test/", "third"),
            tagged("/later?k=d&v=1&ms=5", "fourth"),
            get("/kv/set?k=c&v=1"),
        ])
        .await;
    assert!(instance.finish().await);
    let of = |key: &str| {
        let ops = app.store_ops();
        let op = ops.iter().find(|op| op.import == Import::Set && op.key == key);
        op.unwrap().request.clone()
    };
    assert_eq!(of("a").as_deref(), Some("first"));
    assert_eq!(of("b").as_deref(), Some("second"));
    assert_eq!(of("c"), None);
    assert_eq!(of("d").as_deref(), Some("fourth"), "also after the answer");
    assert_eq!(app.calls().first().unwrap().request.as_deref(), Some("third"));
}

#[tokio::test(start_paused = true)]
async fn the_nth_call_of_one_request_traps() {
    for (import, path) in [
        (Import::Get, "/kv/get?k=a"),
        (Import::Get, "/wasi/get?k=a"),
        (Import::Increment, "/wasi/increment?k=n&d=1"),
        (Import::Variable, "/variable?name=greeting"),
        (Import::Outbound, "/call?url=http://upstream.test/"),
    ] {
        let app = app().upstream(|_: &Call| Reply::new(200)).build().await.unwrap();
        app.trap(Trap::on(import).of("victim").nth(2));
        for (tag, trapped) in [("victim", false), ("other", false), ("victim", true), ("victim", false)] {
            let response = app.request(tagged(path, tag)).await;
            assert_eq!(matches!(response.fault, Some(Fault::Trap(_))), trapped, "{import:?} {tag}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_tag_goes_along_to_siblings() {
    let app = app().build().await.unwrap();
    app.trap(Trap::on(Import::Variable).of("victim"));
    let path = "/call?url=http://sibling.spin.internal/variable";
    assert_eq!(app.request(tagged(path, "victim")).await.text(), "500 ");
    assert_eq!(app.request(tagged(path, "other")).await.status, 200);
}
