//! Which of daprd's routes a request meets.
//!
//! daprd cleans the path first (double slashes, dots, a trailing slash), and what matches no route,
//! or a route with another method, falls through to service invocation: there is no 404 or 405 of
//! its own.

use http::Method;
use percent_encoding::percent_decode_str;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `GET /v1.0/healthz`, `GET /v1.0/healthz/outbound`.
    Health,
    /// `POST` or `PUT` `/v1.0/publish/{pubsub}/{topic}`, both decoded.
    Publish {
        /// The pub/sub component.
        pubsub: String,
        /// The topic; it may contain slashes.
        topic: String,
    },
    /// Everything else.
    Invoke,
}

/// The route of a request by its method and its still encoded path.
#[must_use]
pub fn of(method: &Method, path: &str) -> Route {
    let clean = clean(path);
    let mut segments = clean.splitn(4, '/');
    let (version, api) = (segments.next(), segments.next());
    match (version, api, segments.next(), segments.next()) {
        (Some("v1.0"), Some("healthz"), None | Some("outbound"), None) if method == Method::GET => {
            Route::Health
        }
        (Some("v1.0"), Some("publish"), Some(pubsub), Some(topic))
            if method == Method::POST || method == Method::PUT =>
        {
            Route::Publish { pubsub: parameter(pubsub), topic: parameter(topic) }
        }
        _ => Route::Invoke,
    }
}

/// A path without empty segments, `.` and `..`, and without the slashes around it.
#[must_use]
pub fn clean(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    kept.join("/")
}

/// A decoded path.
#[must_use]
pub fn decode(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// A decoded parameter of a path. daprd decodes these like query values: a plus is a space.
#[must_use]
pub fn parameter(text: &str) -> String {
    decode(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_follow_daprd() {
        let publish =
            |pubsub: &str, topic: &str| Route::Publish { pubsub: pubsub.into(), topic: topic.into() };
        let cases = [
            ("GET", "/v1.0/healthz", Route::Health),
            ("GET", "/v1.0/healthz/", Route::Health),
            ("GET", "//v1.0//healthz/outbound", Route::Health),
            ("POST", "/v1.0/healthz", Route::Invoke),
            ("GET", "/v1.0/healthz/inbound", Route::Invoke),
            ("GET", "/v1.0/healthz/outbound/x", Route::Invoke),
            (
                "POST",
                "/v1.0/publish/kafka-pubsub/learning.events",
                publish("kafka-pubsub", "learning.events"),
            ),
            ("PUT", "/v1.0/publish/kafka-pubsub/a/b/c", publish("kafka-pubsub", "a/b/c")),
            ("POST", "/v1.0/publish/kafka-pubsub/%2F", publish("kafka-pubsub", "/")),
            ("POST", "/v1.0/publish/a%20b/c+d", publish("a b", "c d")),
            ("POST", "/v1.0/publish/kafka-pubsub/", Route::Invoke),
            ("POST", "/v1.0/publish/kafka-pubsub", Route::Invoke),
            ("POST", "/v1.0/publish", Route::Invoke),
            ("GET", "/v1.0/publish/kafka-pubsub/topic", Route::Invoke),
            ("POST", "/v1.0/invoke/debug-agent/method/process", Route::Invoke),
            ("GET", "/", Route::Invoke),
        ];
        for (method, path, expected) in cases {
            assert_eq!(of(&method.parse().unwrap(), path), expected, "{method} {path}");
        }
    }

    #[test]
    fn dots_never_lead_above_the_root() {
        assert_eq!(clean("/a/./b//../c/"), "a/c");
        assert_eq!(clean("/../../a"), "a");
        assert_eq!(clean("/"), "");
    }
}
