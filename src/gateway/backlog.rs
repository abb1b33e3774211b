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
/// Where a walk begins: nothing waits before it.
const HEAD: &str = "v:backlog:head";
/// An instance looks for the word, and leaves it, at most this often.
const EVERY: Duration = Duration::from_secs(5);
/// A request looks at most at so many buckets and entries of the sequence.
const READS_PER_REQUEST: usize = 64;
/// With the first word of a backlog, so many buckets (minutes) are looked through: instances may
/// have died without a word. Whatever is older is left to maintenance.
const LOOK_BACK: u64 = 60;

/// How far the walk of an instance has come; the next request goes on there.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
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
        let bucket = OUTBOX.bucket(instance.platform.now()).saturating_sub(LOOK_BACK);
        let _ = store.set(HEAD, &encode(Position { bucket, number: 1 })).await;
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
        // A fault ends this turn; the next one begins at the head again.
        let _ = drain_some(instance, config).await;
    }
}

/// Goes on with the walk.
async fn drain_some<P: Platform>(instance: &Instance<P>, config: &Config) -> Result<(), Unavailable> {
    let store = instance.store();
    let present = OUTBOX.bucket(instance.platform.now());
    let mut walk = match instance.backlog_walk.take() {
        Some(walk) => walk,
        None => begin(instance, present).await?,
    };
    let (mut reads, mut head, mut topics) = (0_usize, None, Topics::default());
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
            head = Some(walk.at);
        }
    }
    if let Some(head) = head {
        store.set(HEAD, &encode(head)).await?;
    }
    if walk.at.bucket <= present {
        instance.backlog_walk.set(Some(walk));
    } else if walk.all_empty {
        forget(instance).await;
    }
    Ok(())
}

/// A walk from the head.
async fn begin<P: Platform>(instance: &Instance<P>, present: u64) -> Result<Walk, Unavailable> {
    let head = instance.store().get(HEAD).await?.and_then(|bytes| decode(&bytes));
    let start = Position { bucket: present.saturating_sub(LOOK_BACK), number: 1 };
    Ok(Walk { at: head.filter(|head| head.bucket <= present).unwrap_or(start), all_empty: true })
}

fn encode(head: Position) -> Vec<u8> {
    format!("{}:{}", head.bucket, head.number).into_bytes()
}

fn decode(bytes: &[u8]) -> Option<Position> {
    let (bucket, number) = std::str::from_utf8(bytes).ok()?.split_once(':')?;
    Some(Position { bucket: bucket.parse().ok()?, number: number.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_back_and_nonsense_is_not() {
        let head = Position { bucket: 7, number: 3 };
        assert_eq!(decode(&encode(head)), Some(head));
        for bad in [&b""[..], b"7", b"a:b", &[0xff]] {
            assert_eq!(decode(bad), None);
        }
    }
}
