//! How an agent is told to misbehave: one word in `student_context.metadata.simulate`.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

/// The values that are understood, for people.
pub const ALLOWED: &str =
    "status:<400-599>[;retry-after=<s>], slow:<ms>, stall, error, invalid, huge, cut, truncate, plain";

/// A way to misbehave. See the crate's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Simulate {
    /// Answers with a status of 400 to 599.
    Status {
        /// The status.
        status: StatusCode,
        /// Seconds, sent as `retry-after`.
        retry_after: Option<u32>,
    },
    /// The head of the answer waits.
    Slow(Duration),
    /// No answer.
    Stall,
    /// 200 with `"status": "error"`.
    Error,
    /// 200, but not JSON.
    Invalid,
    /// Over 1 MiB of JSON.
    Huge,
    /// The connection breaks in the middle.
    Cut,
    /// Half an answer, ended in good order.
    Truncate,
    /// JSON although a stream was asked for.
    Plain,
}

impl Simulate {
    /// What the question asks for, if anything; `Err` with what was found instead of a known value.
    pub fn wanted(student_context: &Value) -> Result<Option<Self>, String> {
        match student_context.pointer("/metadata/simulate") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Self::parse(text).map(Some).ok_or_else(|| text.clone()),
            Some(other) => Err(other.to_string()),
        }
    }

    /// One of [`ALLOWED`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, argument) =
            text.split_once(':').map_or((text, None), |(kind, argument)| (kind, Some(argument)));
        match (kind, argument) {
            ("status", Some(argument)) => Self::parse_status(argument),
            ("slow", Some(argument)) => {
                Some(Self::Slow(Duration::from_millis(argument.parse::<u32>().ok()?.into())))
            }
            ("stall", None) => Some(Self::Stall),
            ("error", None) => Some(Self::Error),
            ("invalid", None) => Some(Self::Invalid),
            ("huge", None) => Some(Self::Huge),
            ("cut", None) => Some(Self::Cut),
            ("truncate", None) => Some(Self::Truncate),
            ("plain", None) => Some(Self::Plain),
            _ => None,
        }
    }

    fn parse_status(argument: &str) -> Option<Self> {
        let (code, retry_after) = match argument.split_once(';') {
            Some((code, option)) => (code, Some(option.strip_prefix("retry-after=")?.parse().ok()?)),
            None => (argument, None),
        };
        let code: u16 = code.parse().ok().filter(|code| (400..600).contains(code))?;
        Some(Self::Status { status: StatusCode::from_u16(code).ok()?, retry_after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_documented_value_is_understood() {
        let cases = [
            ("status:503", Simulate::Status { status: StatusCode::SERVICE_UNAVAILABLE, retry_after: None }),
            (
                "status:429;retry-after=2",
                Simulate::Status { status: StatusCode::TOO_MANY_REQUESTS, retry_after: Some(2) },
            ),
            ("slow:1500", Simulate::Slow(Duration::from_millis(1500))),
            ("stall", Simulate::Stall),
            ("error", Simulate::Error),
            ("invalid", Simulate::Invalid),
            ("huge", Simulate::Huge),
            ("cut", Simulate::Cut),
            ("truncate", Simulate::Truncate),
            ("plain", Simulate::Plain),
        ];
        for (text, expected) in cases {
            assert_eq!(Simulate::parse(text), Some(expected), "{text}");
            assert!(ALLOWED.contains(text.split(':').next().unwrap()), "{text}");
        }
    }

    #[test]
    fn other_values_are_refused_and_named() {
        let near = [
            "",
            "Stall",
            "stall ",
            "stall:1",
            "slow",
            "slow:-1",
            "slow:fast",
            "status",
            "status:",
            "status:200",
        ];
        for text in near.into_iter().chain(["status:600", "status:429;retry=2", "status:429;retry-after="]) {
            assert_eq!(
                Simulate::wanted(&json!({"metadata": {"simulate": text}})),
                Err(text.to_owned()),
                "{text}"
            );
        }
        assert_eq!(Simulate::wanted(&json!({"metadata": {"simulate": 503}})), Err("503".to_owned()));
    }

    #[test]
    fn nothing_asked_for_is_nothing_simulated() {
        for context in [
            json!({}),
            json!({"metadata": null}),
            json!({"metadata": {}}),
            json!({"metadata": {"simulate": null}}),
        ] {
            assert_eq!(Simulate::wanted(&context), Ok(None), "{context}");
        }
    }
}
