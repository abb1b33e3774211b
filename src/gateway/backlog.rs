//! The walk along the outbox for what instances left behind, because they died or the broker was
//! down.
//!
//! Maintenance drains everything. Between its runs, a request that could publish its own event looks
//! now and then whether somebody left word of a backlog, and drains a little of it by walking the
//! sequence, without listing keys.

use std::time::Duration;

use super::drain::{Drained, Topics, drain_slot};
use super::instance::Instance;
use crate::audit::OUTBOX;
use crate::config::Config;
use crate::ports::Platform;
use crate::sequence::Position;
use crate::store::Unavailable;

/// Present while some instance could not publish.
const WORD: &str = "v:backlog";
/// The walk.
const WALK: &str = "v:backlog:walk";
/// An instance looks for the word, and leaves it, at most this often.
const EVERY: Duration = Duration::from_secs(5);
/// A request looks at most at so many buckets and entries of the sequence.
const READS_PER_REQUEST: usize = 64;
/// With the first word of a backlog, so many buckets (minutes) are looked through: instances may
/// have died without a word. Whatever is older is left to maintenance.
const LOOK_BACK: u64 = 60;

/// How far the walk has come. It stands in the store, so that instances share it and one that serves
/// a single request takes it a little further too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Walk {
    /// Nothing waits before this: where the next walk begins.
    head: Position,
    /// Where the next turn goes on.
    at: Position,
    /// Whether nothing that still waits was passed.
    all_empty: bool,
}

/// Leaves word that something waits in the outbox.
pub async fn note<P: Platform>(instance: &Instance<P>) {
    let now = instance.platform.monotonic();
    if instance.backlog_noted_at.get().is_some_and(|at| now.saturating_sub(at) < EVERY) {
        return;
    }
    instance.backlog_noted_at.set(Some(now));
    let store = instance.store();
    if store.exists(WORD).await == Ok(false) {
        // Nothing waited until now, however long ago the last walk was.
        let walk = Walk::look_back(OUTBOX.bucket(instance.platform.now()));
        let _ = store.set(WALK, &walk.encode()).await;
        let _ = store.set(WORD, b"1").await;
    }
}

/// Takes the word back: nothing waits.
pub async fn forget<P: Platform>(instance: &Instance<P>) {
    let store = instance.store();
    if store.exists(WORD).await == Ok(true) {
        let _ = store.delete(WORD).await;
    }
}

/// After an answer: drains a little, if there is word of a backlog.
pub async fn drain_if_due<P: Platform>(instance: &Instance<P>, config: &Config) {
    let now = instance.platform.monotonic();
    if instance.backlog_looked_at.get().is_some_and(|at| now.saturating_sub(at) < EVERY) {
        return;
    }
    instance.backlog_looked_at.set(Some(now));
    if instance.store().exists(WORD).await == Ok(true) {
        // A fault ends this turn; the next one begins where it began.
        let _ = drain_some(instance, config).await;
    }
}

/// Takes the walk a little further.
async fn drain_some<P: Platform>(instance: &Instance<P>, config: &Config) -> Result<(), Unavailable> {
    let store = instance.store();
    let present = OUTBOX.bucket(instance.platform.now());
    let stored = store.get(WALK).await?.and_then(|bytes| Walk::decode(&bytes));
    let mut walk =
        stored.filter(|walk| walk.at.bucket <= present).unwrap_or_else(|| Walk::look_back(present));
    let (mut reads, mut topics) = (0_usize, Topics::default());
    while walk.at.bucket <= present && reads < READS_PER_REQUEST {
        reads = reads.saturating_add(1);
        // New entries are written to this minute and the last one only.
        let past = walk.at.bucket.saturating_add(1) < present;
        let count = u64::try_from(store.counter(&OUTBOX.counter(walk.at.bucket)).await?).unwrap_or(0);
        while walk.at.number <= count && reads < READS_PER_REQUEST {
            reads = reads.saturating_add(1);
            let drained = drain_slot(instance, config, &OUTBOX.key(walk.at), &mut topics).await?;
            walk.all_empty &= !matches!(drained, Drained::Left(_) | Drained::Owned);
            walk.at.number = walk.at.number.saturating_add(1);
        }
        if walk.at.number > count {
            walk.at = Position { bucket: walk.at.bucket.saturating_add(1), number: 1 };
        }
        if past && walk.all_empty {
            walk.head = walk.at;
        }
    }
    if walk.at.bucket > present {
        if walk.all_empty {
            forget(instance).await;
        }
        walk = Walk { at: walk.head, all_empty: true, ..walk };
    }
    store.set(WALK, &walk.encode()).await
}

impl Walk {
    /// One that begins [`LOOK_BACK`] before the bucket `present`.
    const fn look_back(present: u64) -> Self {
        let head = Position { bucket: present.saturating_sub(LOOK_BACK), number: 1 };
        Self { head, at: head, all_empty: true }
    }

    fn encode(self) -> Vec<u8> {
        let Self { head, at, all_empty } = self;
        let numbers = [1, head.bucket, head.number, at.bucket, at.number, u64::from(all_empty)];
        serde_json::to_vec(&numbers).unwrap_or_default()
    }

    /// `None` for another version and for what cannot be read.
    fn decode(bytes: &[u8]) -> Option<Self> {
        match serde_json::from_slice::<[u64; 6]>(bytes).ok()? {
            [1, head, first, bucket, number, all_empty] => Some(Self {
                head: Position { bucket: head, number: first },
                at: Position { bucket, number },
                all_empty: all_empty == 1,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_is_read_back_and_nonsense_is_not() {
        let walk = Walk { at: Position { bucket: 9, number: 3 }, all_empty: false, ..Walk::look_back(70) };
        assert_eq!(Walk::decode(&walk.encode()), Some(walk));
        for bad in [&b""[..], b"7:1", b"[1]", b"[2,1,1,1,1,1]", b"[1,-1,1,1,1,1]", &[0xff]] {
            assert_eq!(Walk::decode(bad), None);
        }
    }
}
