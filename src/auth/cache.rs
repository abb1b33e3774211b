//! Remembers verified tokens, because an RS256 signature costs more than a millisecond in wasm and
//! a student comes back with the same token for an hour.
//!
//! An entry is found by the SHA-256 of the whole token, so that no other token can use it, and
//! counts only for the key set it was verified with and until the token expires. Only verified
//! tokens enter: whoever wants to fill the cache needs an issuer that signs for them, and can then
//! do no more than make others pay the millisecond.

use std::collections::{BTreeMap, VecDeque};

use hmac_sha256::Hash;

use super::{Claims, MAX_TOKEN};
use crate::ports::UnixMillis;

type Digest = [u8; 32];

/// How many recently used entries one insertion passes over in search of one to drop.
const SECOND_CHANCES: u32 = 8;

#[derive(Debug)]
struct Entry {
    claims: Claims,
    keys_version: u64,
    /// `nbf` and `iat` were judged at this time. If the clock falls behind it, they are judged anew.
    verified_at: UnixMillis,
    used: bool,
}

impl Entry {
    const fn counts(&self, keys_version: u64, now: UnixMillis) -> bool {
        self.keys_version == keys_version && self.verified_at <= now && now < self.claims.expires_at
    }
}

/// A bounded map from token to claims. The oldest entry makes room, unless it was used since its
/// turn came last ("second chance").
#[derive(Debug)]
pub struct VerifiedCache {
    entries: BTreeMap<Digest, Entry>,
    /// Every digest in `entries`, once, the next to go first.
    queue: VecDeque<Digest>,
    capacity: usize,
}

impl VerifiedCache {
    /// A cache of at most `capacity` tokens (none at 0).
    pub const fn new(capacity: usize) -> Self {
        Self { entries: BTreeMap::new(), queue: VecDeque::new(), capacity }
    }

    /// The claims of `token`, if it was verified with the key set `keys_version` and is valid at `now`.
    pub fn get(&mut self, token: &str, keys_version: u64, now: UnixMillis) -> Option<Claims> {
        if self.entries.is_empty() || token.len() > MAX_TOKEN {
            return None;
        }
        let entry = self.entries.get_mut(&Hash::hash(token.as_bytes()))?;
        entry.counts(keys_version, now).then(|| {
            entry.used = true;
            entry.claims.clone()
        })
    }

    /// Remembers what `verify` said about `token` at `now` with this key set. It is forgotten at
    /// `exp`: what the leeway may still allow after that is judged anew each time.
    pub fn put(&mut self, token: &str, keys_version: u64, now: UnixMillis, claims: &Claims) {
        if self.capacity == 0 {
            return;
        }
        let digest = Hash::hash(token.as_bytes());
        let entry = Entry { claims: claims.clone(), keys_version, verified_at: now, used: false };
        if !self.entries.contains_key(&digest) {
            self.make_room(keys_version, now);
            self.queue.push_back(digest);
        }
        self.entries.insert(digest, entry);
    }

    /// How many tokens are remembered, valid or not.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn make_room(&mut self, keys_version: u64, now: UnixMillis) {
        let mut chances = SECOND_CHANCES;
        while self.entries.len() >= self.capacity {
            let Some(oldest) = self.queue.pop_front() else {
                self.entries.clear();
                return;
            };
            match self.entries.get_mut(&oldest) {
                Some(entry) if entry.used && chances > 0 && entry.counts(keys_version, now) => {
                    entry.used = false;
                    chances = chances.saturating_sub(1);
                    self.queue.push_back(oldest);
                }
                _ => {
                    self.entries.remove(&oldest);
                }
            }
        }
    }
}

/// Room for a class or two: 512 tokens, about 100 KiB.
impl Default for VerifiedCache {
    fn default() -> Self {
        Self::new(512)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Role, Subject};
    use super::*;

    const KEYS: u64 = 7;
    const NOW: UnixMillis = 1_700_000_000_000;

    fn claims(expires_at: UnixMillis) -> Claims {
        let subject = Subject::parse("student_0190f3a2-7b1c-7def-8a90-0123456789ab").unwrap();
        Claims { subject, role: Role::Student, expires_at }
    }

    fn holding(tokens: &[&str], capacity: usize) -> VerifiedCache {
        let mut cache = VerifiedCache::new(capacity);
        for token in tokens {
            cache.put(token, KEYS, NOW, &claims(NOW + 1_000));
        }
        cache
    }

    #[test]
    fn a_token_is_found_again_with_the_same_keys_only() {
        let mut cache = holding(&["a.b.c"], 4);
        assert_eq!(cache.get("a.b.c", KEYS, NOW), Some(claims(NOW + 1_000)));
        assert_eq!(cache.get("a.b.d", KEYS, NOW), None);
        assert_eq!(cache.get("a.b.c", KEYS + 1, NOW), None);
        assert_eq!(cache.get(&"a".repeat(MAX_TOKEN + 1), KEYS, NOW), None);
    }

    #[test]
    fn an_entry_ends_exactly_at_exp() {
        let mut cache = holding(&["a.b.c"], 1);
        assert!(cache.get("a.b.c", KEYS, NOW + 999).is_some());
        assert!(cache.get("a.b.c", KEYS, NOW + 1_000).is_none());
    }

    #[test]
    fn a_clock_that_falls_back_makes_the_token_be_judged_anew() {
        let mut cache = holding(&["a.b.c"], 4);
        assert!(cache.get("a.b.c", KEYS, NOW - 1).is_none());
        cache.put("a.b.c", KEYS, NOW - 1, &claims(NOW + 1_000));
        assert!(cache.get("a.b.c", KEYS, NOW - 1).is_some());
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn the_size_is_bounded_and_the_oldest_goes_first() {
        let tokens: Vec<String> = (0..100).map(|n| format!("token-{n}")).collect();
        let names: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let mut cache = holding(&names, 10);
        assert_eq!((cache.len(), cache.queue.len()), (10, 10));
        assert!(cache.get("token-89", KEYS, NOW).is_none());
        assert!(cache.get("token-90", KEYS, NOW).is_some());
        assert!(cache.get("token-99", KEYS, NOW).is_some());
    }

    #[test]
    fn a_token_in_use_outlives_a_flood() {
        let mut cache = holding(&["mine"], 10);
        for n in 0..1_000 {
            assert!(cache.get("mine", KEYS, NOW).is_some(), "after {n}");
            cache.put(&format!("flood-{n}"), KEYS, NOW, &claims(NOW + 1_000));
        }
        assert_eq!((cache.len(), cache.queue.len()), (10, 10));
    }

    #[test]
    fn when_all_are_in_use_one_goes_after_a_bounded_search() {
        let tokens: Vec<String> = (0..50).map(|n| format!("token-{n}")).collect();
        let names: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let mut cache = holding(&names, 50);
        for name in &names {
            assert!(cache.get(name, KEYS, NOW).is_some());
        }
        cache.put("new", KEYS, NOW, &claims(NOW + 1_000));
        assert_eq!((cache.len(), cache.queue.len()), (50, 50));
        assert!(cache.get("new", KEYS, NOW).is_some());
        assert!(cache.get("token-8", KEYS, NOW).is_none(), "the ninth was next after eight second chances");
    }

    #[test]
    fn an_entry_that_no_longer_counts_gets_no_second_chance() {
        for (version, now) in [(KEYS + 1, NOW), (KEYS, NOW + 5_000)] {
            let mut cache = holding(&["old"], 1);
            assert!(cache.get("old", KEYS, NOW).is_some());
            cache.put("new", version, now, &claims(now + 1_000));
            assert!(cache.get("new", version, now).is_some());
            assert_eq!(cache.len(), 1);
        }
    }

    #[test]
    fn without_capacity_nothing_is_kept() {
        let mut cache = holding(&["a.b.c"], 0);
        assert!(cache.is_empty());
        assert_eq!(cache.get("a.b.c", KEYS, NOW), None);
        assert!(VerifiedCache::default().is_empty());
    }
}
