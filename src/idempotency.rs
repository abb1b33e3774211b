//! Idempotency keys: the same key of the same student is carried out once.
//!
//! A claim is a counter that only the first visitor finds at 1; an answer is a record that is
//! replayed for a minute. Claims live in time slots and a visitor looks at the present slot and the
//! one before, so the claim of an instance that died frees itself. The record holds a keyed hash of
//! the question, never its text.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ports::UnixMillis;
use crate::store::keys;

/// How long an answer is replayed, in milliseconds.
pub const REPLAY_MS: u64 = 60_000;

/// Longest caller-chosen key, in bytes.
pub const MAX_KEY: usize = 256;

/// Where claim and answer of one key are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slots {
    /// The record with the answer.
    pub record: String,
    /// The claim to take.
    pub claim: String,
    /// A claim that may still be held.
    pub previous_claim: String,
}

impl Slots {
    /// The keys for `key` of `subject` at `now`; a slot lasts `slot_ms`, longer than any request.
    pub fn of(subject: &str, key: &str, record_key: &[u8; 32], now: UnixMillis, slot_ms: u64) -> Self {
        let name = keys::hashed(record_key, &["idempotency", subject, key]);
        let slot = now.checked_div(slot_ms.max(1)).unwrap_or(0);
        let claim = |slot: u64| {
            let ends_s = slot.saturating_add(2).saturating_mul(slot_ms).div_ceil(1_000);
            format!("n:ic:{ends_s}:{slot}:{name}")
        };
        Self {
            record: format!("v:id:{name}"),
            claim: claim(slot),
            previous_claim: claim(slot.saturating_sub(1)),
        }
    }
}

/// Whether `key` is that of a stored answer.
pub fn is_record(key: &str) -> bool {
    key.starts_with("v:id:")
}

/// Whether the claim counter `key` can no longer keep anybody out at `now`.
pub fn is_spent(key: &str, now: UnixMillis) -> bool {
    let ends =
        key.strip_prefix("n:ic:").and_then(|rest| rest.split(':').next()).and_then(|s| s.parse::<u64>().ok());
    ends.is_some_and(|ends_s| ends_s.saturating_add(60).saturating_mul(1_000) < now)
}

/// A stored answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    v: u8,
    /// When the answer was given.
    pub at: UnixMillis,
    /// Fingerprint of the request.
    pub fingerprint: String,
    /// HTTP status.
    pub status: u16,
    /// The answer's body.
    pub body: String,
}

impl Record {
    /// An answer given now.
    pub fn new(at: UnixMillis, fingerprint: String, status: u16, body: String) -> Self {
        Self { v: 1, at, fingerprint, status, body }
    }

    /// The bytes to store.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads stored bytes of whatever age; `None` for another version and for what cannot be read.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|record: &Self| record.v == 1)
    }

    /// Reads an answer that may still be replayed: after its time it never is, whenever it is
    /// deleted.
    pub fn decode(bytes: &[u8], now: UnixMillis) -> Option<Self> {
        Self::read(bytes).filter(|record| now.abs_diff(record.at) < REPLAY_MS)
    }
}

/// What a caller's key can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFault {
    /// Header and body name different keys.
    Different,
    /// Empty, too long, or not visible ASCII.
    Malformed,
}

/// The one key of a request: from the header, or the body's older field.
pub fn key(header: Option<&str>, field: Option<&str>) -> Result<Option<String>, KeyFault> {
    if let Some(text) = header
        && (text.is_empty()
            || text.len() > MAX_KEY
            || !text.bytes().all(|b| b.is_ascii_graphic() || b == b' '))
    {
        return Err(KeyFault::Malformed);
    }
    match (header, field) {
        (Some(header), Some(field)) if header != field => Err(KeyFault::Different),
        (header, field) => Ok(header.or(field).map(str::to_owned)),
    }
}

/// A keyed hash over the request without what a client renews on every try: the two timestamps, and
/// the key itself.
pub fn fingerprint(body: &[u8], variant: &str, record_key: &[u8; 32]) -> Option<String> {
    let mut value: Value = serde_json::from_slice(body).ok()?;
    let object = value.as_object_mut()?;
    object.remove("timestamp");
    if let Some(progress) = object.get_mut("student_progress").and_then(Value::as_object_mut) {
        progress.remove("timestamp");
        progress.remove("idempotency_key");
    }
    // Members come out sorted, so their order in the text makes no difference.
    Some(keys::hashed(record_key, &["fingerprint", variant, &value.to_string()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn keys_are_scoped_to_the_student() {
        let of = |subject, key| Slots::of(subject, key, &KEY, 0, 12_000);
        assert_ne!(of("a", "k"), of("b", "k"));
        assert_ne!(of("a", "k"), of("a", "l"));
        assert_ne!(of("ab", "c"), of("a", "bc"));
    }

    #[test]
    fn a_claim_is_seen_for_one_to_two_slots() {
        let of = |now| Slots::of("a", "k", &KEY, now, 12_000);
        assert_eq!(of(11_999).claim, of(12_000).previous_claim);
        assert_eq!(of(0).record, of(60_000).record);
        assert!(!is_spent(&of(0).claim, 24_000));
        assert!(is_spent(&of(0).claim, 90_000));
        assert!(!is_spent("n:ic:", u64::MAX));
    }

    #[test]
    fn an_answer_is_readable_for_a_minute() {
        let record = Record::new(1_000_000, "f".into(), 200, "{}".into());
        let bytes = record.encode();
        assert_eq!(Record::decode(&bytes, 1_059_999), Some(record));
        assert_eq!(Record::decode(&bytes, 1_060_000), None);
        assert_eq!(Record::decode(b"{}", 0), None);
        assert_eq!(Record::decode(br#"{"v":2,"at":0,"fingerprint":"","status":200,"body":""}"#, 0), None);
    }

    #[test]
    fn header_and_field_must_agree() {
        assert_eq!(key(None, None), Ok(None));
        assert_eq!(key(Some("a"), None), Ok(Some("a".into())));
        assert_eq!(key(None, Some("a")), Ok(Some("a".into())));
        assert_eq!(key(Some("a"), Some("a")), Ok(Some("a".into())));
        assert_eq!(key(Some("a"), Some("b")), Err(KeyFault::Different));
        for bad in ["", "ü", "a\u{7f}", &"x".repeat(257)] {
            assert_eq!(key(Some(bad), None), Err(KeyFault::Malformed), "{bad}");
        }
    }

    #[test]
    fn a_fingerprint_ignores_times_and_order_and_nothing_else() {
        let print = |text: &str| fingerprint(text.as_bytes(), "json", &KEY).unwrap();
        let one =
            print(r#"{"query":"q","timestamp":"1","student_progress":{"timestamp":"2","quiz_score":1}}"#);
        assert_eq!(one, print(r#"{"student_progress":{"quiz_score":1,"timestamp":"9"},"query":"q"}"#));
        assert_ne!(one, print(r#"{"query":"q!","student_progress":{"quiz_score":1}}"#));
        assert_ne!(
            one,
            fingerprint(br#"{"query":"q","student_progress":{"quiz_score":1}}"#, "stream", &KEY).unwrap()
        );
        assert!(!one.contains('q'));
    }
}
