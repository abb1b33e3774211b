//! What the tests share: an app under virtual time, a scripted sidecar, requests and tokens.
#![allow(dead_code, reason = "each test module uses a part")]

mod requests;
mod sidecar;

pub use requests::*;
pub use sidecar::*;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use triage_host::{App, Builder, Response};

/// The repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The app as `spin.toml` describes it, under virtual time, with `sidecar` in the stand-in's place.
pub fn builder(sidecar: &Sidecar) -> Builder {
    let builder = plain().virtual_time().seed(1);
    builder.sidecar(sidecar.clone())
}

/// The app as it is, stand-in sidecar included.
pub fn plain() -> Builder {
    let mut builder = App::builder(root().join("spin.toml"));
    for (component, variable) in [("triage", "TRIAGE_WASM"), ("sidecar", "SIDECAR_WASM")] {
        if let Ok(path) = std::env::var(variable) {
            builder = builder.source(component, path);
        }
    }
    builder
}

/// The same, running.
pub async fn app(sidecar: &Sidecar) -> App {
    builder(sidecar).build().await.expect("the app starts")
}

/// With one variable set.
pub async fn app_with(sidecar: &Sidecar, variables: &[(&str, &str)]) -> App {
    let set = |builder: Builder, (name, value): &(&str, &str)| builder.variable(name, value);
    variables.iter().fold(builder(sidecar), set).build().await.expect("the app starts")
}

/// Lets what goes on after the answers come to its end.
pub async fn settle(app: &App) {
    app.clock().advance(Duration::from_millis(1_500)).await;
}

/// The answer's JSON.
pub fn json(response: &Response) -> Value {
    serde_json::from_slice(&response.body)
        .unwrap_or_else(|e| panic!("{e}: {} {} {:?}", response.status, response.text(), response.fault))
}

/// Status and `error` of a problem document, checked to be one.
pub fn problem(response: &Response) -> (u16, String) {
    let body = json(response);
    assert_eq!(response.header("content-type"), Some("application/problem+json"), "{body}");
    assert_eq!(body["status"], response.status.as_u16(), "{body}");
    for member in ["type", "title", "detail", "instance"] {
        assert!(body[member].is_string(), "{member} in {body}");
    }
    assert_eq!(response.header("content-length"), Some(response.body.len().to_string().as_str()));
    (response.status.as_u16(), body["error"].as_str().unwrap_or_default().to_owned())
}
