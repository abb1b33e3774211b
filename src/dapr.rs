//! Requests to the Dapr sidecar, and what its answers mean. Values in, values out.
//!
//! Behaviour seen on Dapr 1.18 is written down in `docs/dapr.md`.

mod cloud_event;
mod invoke;
mod publish;

pub use cloud_event::CloudEvent;
pub use invoke::{Accept, Call, Invocation, invoke};
pub use publish::publish;

use crate::config::DaprConfig;

/// The sidecar's health for outbound use only: it must not depend on this app's own health.
pub fn health(dapr: &DaprConfig) -> Option<http::Request<Vec<u8>>> {
    http::Request::get(format!("{}/v1.0/healthz/outbound", dapr.url)).body(Vec::new()).ok()
}

/// What Dapr's own 500 says about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvokeFault {
    /// The app could not be reached.
    AppUnreachable,
    /// The app answered a request for a stream with another status than 2xx, and Dapr kept which.
    StatusHidden,
}

/// Reads the body of a 500: Dapr's own word, or the app's (`None`). Dapr names its errors in
/// `errorCode`; that it hides a status can be told by the message alone.
pub fn invoke_fault(body: &[u8]) -> Option<InvokeFault> {
    #[derive(serde::Deserialize)]
    struct Error {
        #[serde(rename = "errorCode")]
        code: String,
        #[serde(default)]
        message: String,
    }
    let error: Error = serde_json::from_slice(body).ok()?;
    if error.code != "ERR_DIRECT_INVOKE" {
        return None;
    }
    let hidden = error.message.ends_with("no response received from stream");
    Some(if hidden { InvokeFault::StatusHidden } else { InvokeFault::AppUnreachable })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daprs_own_error_is_told_from_the_agents() {
        let unreachable = Some(InvokeFault::AppUnreachable);
        for (body, fault) in [
            (r#"{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke"}"#, unreachable),
            (r#"{"errorCode":"ERR_DIRECT_INVOKE"}"#, unreachable),
            (
                r#"{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: debug-agent, err: rpc error: code = Internal desc = error invoking app channel: no response received from stream"}"#,
                Some(InvokeFault::StatusHidden),
            ),
            (r#"{"errorCode":"ERR_OTHER","message":"no response received from stream"}"#, None),
            (r#"{"error":"mine"}"#, None),
            ("Internal Server Error", None),
        ] {
            assert_eq!(invoke_fault(body.as_bytes()), fault, "{body}");
        }
    }
}
