//! Whether to try again, and when.

use std::time::Duration;

use super::outcome::Cause;
use crate::ports::UnixMillis;
use crate::timestamp;

/// At most so many attempts, exponential backoff with full jitter between them (Brooker, "Exponential
/// Backoff and Jitter", AWS 2015).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all.
    pub attempts: u32,
    /// Largest pause after the first attempt; it doubles with each further one.
    pub base: Duration,
    /// Largest pause at all.
    pub cap: Duration,
}

impl RetryPolicy {
    /// The numbers of design section 6 for so many attempts.
    pub const fn new(attempts: u32) -> Self {
        Self { attempts, base: Duration::from_millis(100), cap: Duration::from_millis(400) }
    }
}

/// An attempt with less time than this is not worth making.
pub(super) const LEAST: Duration = Duration::from_millis(100);

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Wait so long, then ask the breaker again.
    RetryAfter(Duration),
    /// Give up.
    Stop,
}

impl RetryPolicy {
    /// After attempt number `attempt` (from 1) failed with `cause`. `hint` is the peer's
    /// `retry-after`, `remaining` what is left of the deadline, `random` a fresh random number.
    ///
    /// A hint beyond the deadline ends it at once: waiting would only turn a clear 502 into a 504.
    pub fn after(
        &self,
        attempt: u32,
        cause: Cause,
        hint: Option<Duration>,
        remaining: Duration,
        random: u64,
    ) -> Verdict {
        if attempt >= self.attempts || !cause.retryable() {
            return Verdict::Stop;
        }
        let doublings = attempt.saturating_sub(1).min(16);
        let ceiling =
            self.base.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(self.cap);
        let jitter = full_jitter(ceiling, random);
        let pause = hint.map_or(jitter, |hint| hint.max(jitter));
        let left = remaining.saturating_sub(pause);
        if left >= LEAST { Verdict::RetryAfter(pause) } else { Verdict::Stop }
    }
}

/// Evenly from zero to `ceiling`.
fn full_jitter(ceiling: Duration, random: u64) -> Duration {
    let micros = u64::try_from(ceiling.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random.checked_rem(micros.saturating_add(1)).unwrap_or(0))
}

/// A `retry-after` header: seconds, or an HTTP date (RFC 9110 §10.2.3). Capped at an hour.
pub fn retry_after(header: &str, now: UnixMillis) -> Option<Duration> {
    let header = header.trim();
    let duration = match header.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Duration::from_millis(timestamp::parse_http_date(header)?.saturating_sub(now)),
    };
    Some(duration.min(Duration::from_secs(3_600)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::TransportFault;

    const LONG: Duration = Duration::from_secs(10);

    fn after(attempt: u32, cause: Cause, hint: Option<u64>, remaining: Duration, random: u64) -> Verdict {
        RetryPolicy::new(3).after(attempt, cause, hint.map(Duration::from_millis), remaining, random)
    }

    #[test]
    fn pauses_double_up_to_their_cap() {
        let policy = RetryPolicy::new(10);
        for (attempt, ceiling_ms) in [(1, 100), (2, 200), (3, 400), (4, 400), (9, 400)] {
            let ceiling = Duration::from_millis(ceiling_ms);
            let most = u64::try_from(ceiling.as_micros()).unwrap();
            assert_eq!(
                policy.after(attempt, Cause::Status(503), None, LONG, most),
                Verdict::RetryAfter(ceiling)
            );
            assert_eq!(
                policy.after(attempt, Cause::Status(503), None, LONG, most + 1),
                Verdict::RetryAfter(Duration::ZERO)
            );
        }
    }

    #[test]
    fn the_third_attempt_is_the_last() {
        assert!(matches!(after(2, Cause::Status(503), None, LONG, 0), Verdict::RetryAfter(_)));
        assert_eq!(after(3, Cause::Status(503), None, LONG, 0), Verdict::Stop);
    }

    #[test]
    fn what_may_have_begun_is_not_tried_again() {
        let cause = Cause::Transport(TransportFault::FirstByteTimeout);
        assert_eq!(after(1, cause, None, LONG, 0), Verdict::Stop);
    }

    #[test]
    fn the_peers_hint_is_kept_or_ends_it() {
        let second = Verdict::RetryAfter(Duration::from_secs(1));
        assert_eq!(after(1, Cause::Status(429), Some(1_000), LONG, 77), second);
        assert_eq!(after(1, Cause::Status(429), Some(10_000), LONG, 77), Verdict::Stop);
        assert_eq!(
            after(1, Cause::Status(429), Some(0), LONG, 50_000),
            Verdict::RetryAfter(Duration::from_millis(50))
        );
    }

    #[test]
    fn no_pause_outlasts_the_deadline() {
        assert_eq!(after(1, Cause::Status(503), None, Duration::from_millis(20), 50_000), Verdict::Stop);
    }

    #[test]
    fn retry_after_takes_seconds_and_dates() {
        let now = 1_767_225_600_000; // 2026-01-01T00:00:00Z
        for (header, expected) in [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("99999", Some(3_600)),
            ("Thu, 01 Jan 2026 00:00:05 GMT", Some(5)),
            ("Wed, 31 Dec 2025 00:00:05 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after(header, now), expected.map(Duration::from_secs), "{header}");
        }
    }
}
