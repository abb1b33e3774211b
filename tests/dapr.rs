//! The stand-in sidecar answers what daprd answers.
//!
//! `tests/fixtures/daprd.json` is what the stack's check `daprd-alike` gets from the real daprd.

use http::Request;
use serde_json::Value;

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn the_stand_in_answers_as_the_real_sidecar_does() {
    let text = std::fs::read_to_string(root().join("tests/fixtures/daprd.json")).unwrap();
    let table: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(table.len() >= 20);
    let app = plain().virtual_time().build().await.unwrap();
    let sidecar = app.instance("sidecar").await.unwrap();
    for row in &table {
        let text = |member: &str| row[member].as_str().unwrap_or_default();
        let mut request = Request::builder().method(text("method")).uri(text("path"));
        for (name, value) in row["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        let answer = sidecar.request(request.body(text("body").as_bytes().to_vec()).unwrap()).await;
        let name = text("name");
        assert_eq!(answer.status.as_u16(), row["status"], "{name}: {}", answer.text());
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        assert_eq!(body["errorCode"], row["errorCode"], "{name}: {body}");
        let message = body["message"].as_str().unwrap_or_default();
        assert!(message.ends_with(text("messageEnd")), "{name}: {message}");
        let kind = answer.header("content-type").unwrap_or_default();
        assert!(kind.starts_with(text("type")), "{name}: {kind}");
    }
}
