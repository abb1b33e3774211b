//! Dead letters: requests that no agent answered, kept for replay.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::agents::AgentId;
use crate::delivery::Attempt;
use crate::intent::Intent;
use crate::ports::UnixMillis;
use crate::sequence::{Position, Sequence};

/// The sequence of dead letters, in buckets of a day.
pub const DEAD_LETTERS: Sequence = Sequence::new("dl", DAY_MS);

const DAY_MS: u64 = 86_400_000;

/// Days after which a dead letter is dropped.
pub const KEPT_DAYS: u64 = 7;

/// Dead letters kept per day. Beyond it they are published, not kept: a broken agent must not fill
/// the store.
pub const MOST_PER_DAY: u64 = 5_000;

/// A request that could not be delivered, redacted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Version of this form.
    pub v: u8,
    /// Our id of the request.
    pub request_id: String,
    /// When it failed.
    pub at: UnixMillis,
    /// Who asked.
    pub student_id: String,
    /// The question, redacted.
    pub query: String,
    /// `student_progress`, redacted.
    pub student_context: Map<String, Value>,
    /// What the student wants.
    pub intent: Intent,
    /// How sure that was.
    pub confidence: f64,
    /// Who should have answered.
    pub agent: AgentId,
    /// The key every attempt carried.
    pub idempotency_key: String,
    /// The calls that were made.
    pub attempts: Vec<Attempt>,
    /// Closed label of why it failed for good.
    pub cause: String,
    /// When it was replayed successfully.
    pub replayed_at: Option<UnixMillis>,
}

impl DeadLetter {
    /// The bytes to store.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads stored bytes; `None` for another version and for what cannot be read.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|letter: &Self| letter.v == 1)
    }
}

/// The id that callers use: day and number, `20000-3`.
pub fn id(at: Position) -> String {
    format!("{}-{}", at.bucket, at.number)
}

/// Reads an id back.
pub fn position(id: &str) -> Option<Position> {
    let (bucket, number) = id.split_once('-')?;
    let plain = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    (plain(bucket) && plain(number))
        .then(|| Some(Position { bucket: bucket.parse().ok()?, number: number.parse().ok()? }))?
}

/// How long a replay may take before the next one may start, in milliseconds: longer than any
/// request.
const CLAIM_MS: u64 = 45_000;

/// The counter that lets one replay at a time pass, and the one of the time slot before, which may
/// still be held. Copies of the same request share them.
pub fn replay_claims(at: Position, request_id: &str, now: UnixMillis) -> (String, String) {
    let slot = now.checked_div(CLAIM_MS).unwrap_or(0);
    let claim = |slot: u64| format!("n:dc:{}:{slot}:{request_id}", at.bucket);
    (claim(slot), claim(slot.saturating_sub(1)))
}

/// Whether day `bucket` is over for good at `now`.
pub fn is_past(bucket: u64, now: UnixMillis) -> bool {
    bucket.saturating_add(KEPT_DAYS) < DEAD_LETTERS.bucket(now)
}

/// The day of a replay claim's key.
pub fn claimed_day(key: &str) -> Option<u64> {
    key.strip_prefix("n:dc:")?.split(':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back_and_nonsense_is_not() {
        let at = Position { bucket: 20_000, number: 3 };
        assert_eq!(position(&id(at)), Some(at));
        for bad in ["", "-", "1", "1-", "-1", "1-2-3", "a-b", "+1-2", "99999999999999999999-1"] {
            assert_eq!(position(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_letter_is_kept_seven_days() {
        let today = 20_000 * DAY_MS;
        assert!(!is_past(19_993, today));
        assert!(is_past(19_992, today));
        assert_eq!(claimed_day(&replay_claims(Position { bucket: 5, number: 1 }, "r", 0).0), Some(5));
    }
}
