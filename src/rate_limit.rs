//! The rate limit: so many requests per student and fixed minute of Unix time.
//!
//! One atomic counter per student and minute, so the count is exact however many instances share
//! it. The minute stands in the key's name: a counter ends with its minute.

use crate::ports::UnixMillis;
use crate::store::keys;

/// Length of a window in seconds.
pub const WINDOW_S: u64 = 60;

/// A student's window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Key of its counter.
    pub key: String,
    /// Key of the counter of the last window that is over for every clock: two before this one.
    pub past: String,
    /// Seconds until it ends, 1 to 60.
    pub reset_s: u64,
}

/// What the limiter says, and what the headers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests per window.
    pub limit: u32,
    /// Requests left in it.
    pub remaining: u32,
    /// Seconds until the next.
    pub reset_s: u64,
    /// Whether this request was within the limit.
    pub allowed: bool,
}

impl Window {
    /// The window of `subject` at `now`.
    pub fn of(subject: &str, record_key: &[u8; 32], now: UnixMillis) -> Self {
        let seconds = now.checked_div(1_000).unwrap_or(0);
        let minute = seconds.checked_div(WINDOW_S).unwrap_or(0);
        let into = seconds.checked_rem(WINDOW_S).unwrap_or(0);
        let student = keys::hashed(record_key, &["rate", subject]);
        Self {
            key: format!("n:rl:{minute}:{student}"),
            past: format!("n:rl:{}:{student}", minute.saturating_sub(2)),
            reset_s: WINDOW_S.saturating_sub(into),
        }
    }

    /// What follows from a counter that stands at `count` after this request was added to it.
    pub fn quota(&self, count: i64, limit: u32) -> Quota {
        let left = i64::from(limit).saturating_sub(count);
        Quota {
            limit,
            remaining: u32::try_from(left.max(0)).unwrap_or(0),
            reset_s: self.reset_s,
            allowed: left >= 0,
        }
    }
}

impl Quota {
    /// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers).
    pub fn headers(&self) -> [(&'static str, String); 2] {
        [
            ("ratelimit-policy", format!("\"student\";q={};w={WINDOW_S}", self.limit)),
            ("ratelimit", format!("\"student\";r={};t={}", self.remaining, self.reset_s)),
        ]
    }
}

/// Whether the counter `key` belongs to a minute that was over at `now`.
pub fn is_spent(key: &str, now: UnixMillis) -> bool {
    let minute =
        key.strip_prefix("n:rl:").and_then(|rest| rest.split(':').next()).and_then(|m| m.parse::<u64>().ok());
    let present = now.checked_div(WINDOW_S.saturating_mul(1_000)).unwrap_or(0);
    // One minute of grace: another pod's clock may still be in the window.
    minute.is_some_and(|minute| minute.saturating_add(1) < present)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn a_window_is_a_minute_of_unix_time() {
        let at = |ms| Window::of("student_1", &KEY, ms);
        assert_eq!(at(60_000).key, at(119_999).key);
        assert_ne!(at(119_999).key, at(120_000).key);
        assert_eq!(at(180_000).past, at(119_999).key);
        assert_eq!((at(60_000).reset_s, at(119_999).reset_s), (60, 1));
        assert_ne!(at(0).key, Window::of("student_2", &KEY, 0).key);
    }

    #[test]
    fn the_limit_itself_passes_and_the_next_does_not() {
        let window = Window::of("student_1", &KEY, 0);
        for (count, remaining, allowed) in
            [(1, 99, true), (100, 0, true), (101, 0, false), (i64::MAX, 0, false)]
        {
            let quota = window.quota(count, 100);
            assert_eq!((quota.remaining, quota.allowed), (remaining, allowed), "{count}");
        }
    }

    #[test]
    fn headers_follow_the_draft() {
        let [policy, limit] = Window::of("s", &KEY, 90_000).quota(1, 100).headers();
        assert_eq!(policy.1, "\"student\";q=100;w=60");
        assert_eq!(limit.1, "\"student\";r=99;t=30");
    }

    #[test]
    fn counters_end_with_their_minute() {
        let key = Window::of("s", &KEY, 60_000).key;
        for (now, spent) in [(60_000, false), (120_000, false), (179_999, false), (180_000, true)] {
            assert_eq!(is_spent(&key, now), spent, "{now}");
        }
        assert!(!is_spent("n:rl:x", u64::MAX) && !is_spent("v:breakers", u64::MAX));
    }
}
