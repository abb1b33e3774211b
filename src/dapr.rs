//! Requests to the Dapr sidecar, and what its answers mean. Values in, values out.
//!
//! Behaviour seen on Dapr 1.18 is written down in `docs/dapr.md`.

mod cloud_event;
mod invoke;
mod publish;

pub use cloud_event::CloudEvent;
pub use invoke::{Call, Invocation, invoke};
pub use publish::publish;

use crate::config::DaprConfig;

/// The sidecar's health for outbound use only: it must not depend on this app's own health.
pub fn health(dapr: &DaprConfig) -> Option<http::Request<Vec<u8>>> {
    http::Request::get(format!("{}/v1.0/healthz/outbound", dapr.url)).body(Vec::new()).ok()
}

/// Whether the body of a 500 is Dapr's own word that it could not reach the app, rather than the
/// app's answer. Dapr names its errors in `errorCode`.
pub fn is_unreachable_app(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Error {
        #[serde(rename = "errorCode")]
        code: String,
    }
    serde_json::from_slice::<Error>(body).is_ok_and(|error| error.code == "ERR_DIRECT_INVOKE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daprs_own_error_is_told_from_the_agents() {
        assert!(is_unreachable_app(br#"{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke"}"#));
        assert!(!is_unreachable_app(br#"{"errorCode":"ERR_OTHER"}"#));
        assert!(!is_unreachable_app(br#"{"error":"mine"}"#));
        assert!(!is_unreachable_app(b"Internal Server Error"));
    }
}
