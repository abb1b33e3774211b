//! The only place that says what a failure is.
//!
//! | outcome | counts at the breaker | tried again |
//! |---|---|---|
//! | 2xx with JSON, `{"status":"error"}` included | success | |
//! | no connection | failure | yes |
//! | 408, 429, 502, 503, 504, Dapr's own 500 for an unreachable app | failure | yes |
//! | Dapr's own 500 for a status that it hides from a stream | see [`Cause::StatusHidden`] | yes |
//! | another 5xx, a redirect | failure | no |
//! | no head in time | failure | no: the agent may be working |
//! | body broken, late, not JSON or too large | failure | no |
//! | another 4xx | neither | no |
//! | the caller hung up | neither | no |

use crate::ports::TransportFault;

/// Why an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// No exchange, or a broken one.
    Transport(TransportFault),
    /// The agent's answer to the request as a whole.
    Status(u16),
    /// Dapr could not reach the app (its own 500).
    AppUnreachable,
    /// Dapr hid which status the agent answered to a request for a stream. It may be a refusal, which
    /// says nothing about the agent's health: the request is made again in a way that shows the
    /// status, under the same admission. Unless that one shows a refusal or succeeds, the two are one
    /// failure; without another attempt this one is.
    StatusHidden,
    /// Not JSON.
    InvalidReply,
    /// Over the limit.
    ReplyTooLarge,
    /// The overall deadline cut the attempt short.
    Deadline,
}

impl Cause {
    /// The closed label for logs, events and dead letters.
    pub fn label(self) -> String {
        match self {
            Self::Transport(fault) => fault.as_str().to_owned(),
            Self::Status(status) => format!("status_{status}"),
            Self::AppUnreachable => "app_unreachable".to_owned(),
            Self::StatusHidden => "status_hidden".to_owned(),
            Self::InvalidReply => "invalid_reply".to_owned(),
            Self::ReplyTooLarge => "reply_too_large".to_owned(),
            Self::Deadline => "deadline".to_owned(),
        }
    }

    /// Whether another attempt may be made.
    pub const fn retryable(self) -> bool {
        match self {
            Self::Transport(TransportFault::Connect) | Self::AppUnreachable | Self::StatusHidden => true,
            Self::Status(status) => matches!(status, 408 | 429 | 502 | 503 | 504),
            _ => false,
        }
    }
}

/// What a status means before the body is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// An answer.
    Success,
    /// The agent refused this request and would refuse it again.
    Rejected,
    /// A failure.
    Failure,
}

/// The class of a status.
pub const fn classify_status(status: u16) -> Class {
    match status {
        200..=299 => Class::Success,
        408 | 429 => Class::Failure,
        400..=499 => Class::Rejected,
        _ => Class::Failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_fall_into_their_classes() {
        for (status, class) in [
            (200, Class::Success),
            (204, Class::Success),
            (302, Class::Failure),
            (400, Class::Rejected),
            (404, Class::Rejected),
            (408, Class::Failure),
            (429, Class::Failure),
            (500, Class::Failure),
            (503, Class::Failure),
        ] {
            assert_eq!(classify_status(status), class, "{status}");
        }
    }

    #[test]
    fn only_what_the_agent_cannot_have_begun_is_tried_again() {
        for (cause, again) in [
            (Cause::Transport(TransportFault::Connect), true),
            (Cause::AppUnreachable, true),
            (Cause::StatusHidden, true),
            (Cause::Status(503), true),
            (Cause::Status(429), true),
            (Cause::Status(408), true),
            (Cause::Status(500), false),
            (Cause::Status(501), false),
            (Cause::Transport(TransportFault::FirstByteTimeout), false),
            (Cause::Transport(TransportFault::Broken), false),
            (Cause::Transport(TransportFault::BodyTimeout), false),
            (Cause::Transport(TransportFault::Denied), false),
            (Cause::InvalidReply, false),
            (Cause::ReplyTooLarge, false),
            (Cause::Deadline, false),
        ] {
            assert_eq!(cause.retryable(), again, "{}", cause.label());
        }
    }

    #[test]
    fn causes_have_closed_labels() {
        let labels = [
            Cause::Transport(TransportFault::Connect),
            Cause::Status(503),
            Cause::AppUnreachable,
            Cause::StatusHidden,
            Cause::InvalidReply,
            Cause::ReplyTooLarge,
            Cause::Deadline,
        ]
        .map(Cause::label);
        let expected = [
            "connect",
            "status_503",
            "app_unreachable",
            "status_hidden",
            "invalid_reply",
            "reply_too_large",
            "deadline",
        ];
        assert_eq!(labels, expected);
    }
}
