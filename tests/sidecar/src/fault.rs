//! daprd's error documents.
//!
//! daprd has two generations of them: service invocation answers code and message, pub/sub adds
//! details in the manner of Google's API errors.

use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::answer::Answer;

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "errorCode")]
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Value>,
}

/// An error of the pub/sub API.
#[derive(Debug)]
pub(crate) struct PubSubFault<'a> {
    pub(crate) status: StatusCode,
    /// The older code, on top of the document.
    pub(crate) code: &'a str,
    /// The newer code, in the details.
    pub(crate) reason: &'a str,
    pub(crate) message: String,
    pub(crate) metadata: Map<String, Value>,
    /// The pub/sub component, where daprd names it.
    pub(crate) resource: Option<&'a str>,
}

impl PubSubFault<'_> {
    pub(crate) fn answer(&self) -> Answer {
        let mut details = Vec::new();
        if let Some(name) = self.resource {
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.ResourceInfo",
                "resource_type": "pubsub",
                "resource_name": name,
                "owner": "",
                "description": self.message,
            }));
        }
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "domain": "dapr.io",
            "reason": self.reason,
            "metadata": self.metadata,
        }));
        document(self.status, self.code, &self.message, details)
    }
}

/// The request names no app: also what daprd answers to a route it does not have.
pub(crate) fn no_app_id() -> Answer {
    let message = "failed getting app id either from the URL path or the header dapr-app-id";
    document(StatusCode::NOT_FOUND, "ERR_DIRECT_INVOKE", message, Vec::new())
}

/// The app could not be reached, or the call to its sidecar failed.
pub(crate) fn direct_invoke(app_id: &str, cause: &str) -> Answer {
    let message = format!("failed to invoke, id: {app_id}, err: {cause}");
    document(StatusCode::INTERNAL_SERVER_ERROR, "ERR_DIRECT_INVOKE", &message, Vec::new())
}

/// Over daprd's limit. daprd finds out while it passes the body on and answers by what it was doing;
/// the stand-in says it at once.
pub(crate) fn body_too_large() -> Answer {
    document(
        StatusCode::PAYLOAD_TOO_LARGE,
        "ERR_BODY_READ",
        "failed to read request body: stream too large",
        Vec::new(),
    )
}

fn document(status: StatusCode, code: &str, message: &str, details: Vec<Value>) -> Answer {
    let document = serde_json::to_vec(&Document { code, message, details }).unwrap_or_default();
    Answer::json(status, document)
}
