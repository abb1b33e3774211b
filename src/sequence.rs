//! Append-only sequences in the store, readable without listing keys.
//!
//! Entries are numbered within a bucket of time by an atomic counter. A reader walks the buckets
//! from the oldest it has not finished and asks for entry 1, 2, … up to the counter. Buckets make
//! old entries and their counters easy to drop.

use crate::ports::UnixMillis;

/// A family of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    name: &'static str,
    bucket_ms: u64,
}

/// Where one entry is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Time divided by the length of a bucket.
    pub bucket: u64,
    /// From 1.
    pub number: u64,
}

impl Sequence {
    /// A sequence whose buckets last `bucket_ms`. `name` is a short word without `:`.
    pub const fn new(name: &'static str, bucket_ms: u64) -> Self {
        Self { name, bucket_ms }
    }

    /// The bucket of `now`.
    pub fn bucket(&self, now: UnixMillis) -> u64 {
        now.checked_div(self.bucket_ms).unwrap_or(0)
    }

    /// The counter of a bucket: incremented by one, it yields the next number.
    pub fn counter(&self, bucket: u64) -> String {
        format!("n:sq:{}:{bucket}", self.name)
    }

    /// The key of an entry.
    pub fn key(&self, at: Position) -> String {
        format!("v:{}:{}:{}", self.name, at.bucket, at.number)
    }

    /// Reads a key of this sequence back.
    pub fn position(&self, key: &str) -> Option<Position> {
        let mut parts = key.strip_prefix("v:")?.strip_prefix(self.name)?.strip_prefix(':')?.split(':');
        let position = Position { bucket: parts.next()?.parse().ok()?, number: parts.next()?.parse().ok()? };
        parts.next().is_none().then_some(position)
    }

    /// The bucket of a counter's key.
    pub fn counted_bucket(&self, key: &str) -> Option<u64> {
        key.strip_prefix("n:sq:")?.strip_prefix(self.name)?.strip_prefix(':')?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_their_position() {
        let sequence = Sequence::new("ob", 60_000);
        let at = Position { bucket: sequence.bucket(120_001), number: 7 };
        assert_eq!(sequence.key(at), "v:ob:2:7");
        assert_eq!(sequence.position("v:ob:2:7"), Some(at));
        assert_eq!(sequence.counted_bucket(&sequence.counter(2)), Some(2));
        for other in ["v:obx:2:7", "v:ob:2", "v:ob:2:7:1", "v:dl:2:7", "n:sq:ob:2", "v:ob:a:7"] {
            assert_eq!(sequence.position(other), None, "{other}");
        }
    }
}
