//! `POST /v1.0/publish/{pubsub}/{topic}`.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};

use super::CloudEvent;
use crate::config::DaprConfig;

/// The request that publishes `event` on `topic`, in the partition of `partition_key`.
///
/// Any other content type than `application/cloudevents+json` makes Dapr wrap the body into an event
/// of its own, with an id of its own, and consumers could no longer tell repeats.
pub fn publish(
    dapr: &DaprConfig,
    topic: &str,
    partition_key: &str,
    event: &CloudEvent,
) -> Option<http::Request<Vec<u8>>> {
    let body = serde_json::to_vec(event).ok()?;
    let uri = format!(
        "{}/v1.0/publish/{}/{topic}?metadata.partitionKey={}",
        dapr.url,
        dapr.pubsub,
        query_value(partition_key)
    );
    let mut request = http::Request::post(uri)
        .header(CONTENT_TYPE, "application/cloudevents+json")
        .header(CONTENT_LENGTH, body.len());
    if let Some(token) = &dapr.api_token {
        request = request.header("dapr-api-token", token);
    }
    request.body(body).ok()
}

/// Everything but RFC 3986's unreserved characters as percent-encoded bytes.
fn query_value(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Settings};

    #[test]
    fn an_event_keeps_its_own_id_and_partition() {
        let settings = Settings::default().with("dapr_api_token", "t0ken").unwrap();
        let dapr = Config::read(&settings).unwrap().dapr;
        let event = CloudEvent::new(
            "part",
            "kind",
            "id-1",
            "2026-01-01T00:00:00Z".into(),
            serde_json::json!({"a": 1}),
        );
        let request = publish(&dapr, "learning.events", "student_1&x=ü", &event).unwrap();
        assert_eq!(
            request.uri().to_string(),
            "http://sidecar.spin.internal/v1.0/publish/kafka-pubsub/learning.events?metadata.partitionKey=student_1%26x%3D%C3%BC"
        );
        assert_eq!(request.headers()["content-type"], "application/cloudevents+json");
        assert_eq!(request.headers()["content-length"], request.body().len().to_string().as_str());
        assert_eq!(request.headers()["dapr-api-token"], "t0ken");
        let sent: CloudEvent = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(sent, event);
    }
}
