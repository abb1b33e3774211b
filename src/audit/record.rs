//! What stands in the outbox: slots of a few events each.

use serde::{Deserialize, Serialize};

use crate::dapr::CloudEvent;
use crate::ports::UnixMillis;
use crate::sequence::Sequence;

/// The sequence of slots, in buckets of a minute.
pub const OUTBOX: Sequence = Sequence::new("ob", 60_000);

/// A slot whose owner has not written it for so long is nobody's any more: the overall deadline
/// (10 s) and 30 s. Owners stop writing a slot well before (see `outbox.rs`).
pub const STALE_MS: u64 = 40_000;

/// One event on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Topic.
    pub topic: String,
    /// Partition key: the student.
    pub key: String,
    /// As it will be published if nobody comes back with a better one: a write-ahead record says
    /// outcome `unknown`.
    pub event: CloudEvent,
    /// Whether it is a dead letter that still has to be kept for replay.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep: bool,
}

impl Record {
    /// A record with nothing to keep.
    pub const fn new(topic: String, key: String, event: CloudEvent) -> Self {
        Self { topic, key, event, keep: false }
    }

    /// Bytes it takes in a slot.
    pub fn size(&self) -> usize {
        serde_json::to_vec(self).map_or(0, |bytes| bytes.len())
    }
}

/// One entry of the sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    v: u8,
    /// When it was last written.
    pub at: UnixMillis,
    /// What is not acknowledged yet.
    pub records: Vec<Record>,
}

impl Slot {
    /// A slot as written now.
    pub const fn new(at: UnixMillis, records: Vec<Record>) -> Self {
        Self { v: 1, at, records }
    }

    /// The bytes to store.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads stored bytes; `None` for another version and for what cannot be read.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|slot: &Self| slot.v == 1)
    }

    /// Whether its owner can no longer write it. A slot from the future was written by a clock that
    /// is ahead, or ours was set back; a minute of that is let pass.
    pub fn is_stale(&self, now: UnixMillis) -> bool {
        match now.checked_sub(self.at) {
            Some(age) => age >= STALE_MS,
            None => self.at.saturating_sub(now) > 60_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_read_back_and_other_versions_are_not() {
        let event = CloudEvent::new("p", "k", "1", "t".into(), serde_json::json!({}));
        let slot = Slot::new(5, vec![Record::new("t".into(), "s".into(), event)]);
        assert_eq!(Slot::decode(&slot.encode()), Some(slot.clone()));
        assert_eq!(Slot::decode(b"{}"), None);
        assert_eq!(Slot::decode(&Slot { v: 2, ..slot }.encode()), None);
    }

    #[test]
    fn a_slot_goes_stale_by_its_age() {
        let slot = Slot::new(100_000, Vec::new());
        for (now, stale) in
            [(100_000, false), (139_999, false), (140_000, true), (50_000, false), (39_000, true)]
        {
            assert_eq!(slot.is_stale(now), stale, "{now}");
        }
    }
}
