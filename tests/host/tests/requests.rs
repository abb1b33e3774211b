//! From a request to the guest's answer.

use crate::support::{app, text};

#[tokio::test(start_paused = true)]
async fn a_request_gets_the_guests_answer() {
    let app = app().build().await.unwrap();
    assert_eq!(text(&app, "/").await, "hello");
    assert_eq!(text(&app, "/kv/set?k=a&v=b").await, "done");
    assert_eq!(text(&app, "/wasi/get?k=a").await, "some:b");
    assert_eq!(text(&app, "/wasi/increment?k=n&d=2").await, "2");
    assert_eq!(text(&app, "/variable?name=greeting").await, "hello, world");
}
