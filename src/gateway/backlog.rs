//! Draining the outbox of what instances left behind, because they died or the broker was down.
//!
//! Maintenance drains everything. Between its runs, a request that could publish its own event looks
//! now and then whether somebody left word of a backlog, and drains a little of it by walking the
//! sequence, without listing keys.

use std::time::Duration;

use futures_util::future::join_all;

use super::filing;
use super::instance::Instance;
use crate::audit::{OUTBOX, Published, Record, Slot, send};
use crate::config::Config;
use crate::ports::{Platform, UnixMillis};
use crate::sequence::Position;
use crate::store::Unavailable;

/// Present while some instance could not publish.
const WORD: &str = "v:backlog";
/// Oldest bucket of the outbox that may hold something.
const HEAD: &str = "v:backlog:head";
/// An instance looks for the word, and leaves it, at most this often.
const EVERY: Duration = Duration::from_secs(5);
/// A request looks at most at so many entries of the sequence.
const READS_PER_REQUEST: usize = 64;
/// Without a known head, so many buckets (minutes) are looked through.
const LOOK_BACK: u64 = 60;
/// So many records of a slot go out together, as many as an instance publishes at a time otherwise.
const TOGETHER: usize = 8;
/// Whoever drains a slot has it to itself for so long, in milliseconds.
const LEASE_MS: u64 = 60_000;

/// What became of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// So many events went out, and the slot ended.
    Published(usize),
    /// It was gone.
    Empty,
    /// Its owner may still write it, or somebody else is draining it.
    Owned,
    /// Nothing can be published now.
    BrokerDown,
}

/// Publishes what stands in the slot under `key`, if it is nobody's any more.
pub async fn drain_slot<P: Platform>(
    instance: &Instance<P>,
    config: &Config,
    key: &str,
) -> Result<Drained, Unavailable> {
    let store = instance.store();
    let now = instance.platform.now();
    let Some(bytes) = store.get(key).await? else { return Ok(Drained::Empty) };
    let Some(mut slot) = Slot::decode(&bytes).filter(|slot| slot.is_stale(now)) else {
        // Another version's slot is left to those who know it.
        return Ok(Drained::Owned);
    };
    let lease = lease(key, now);
    if store.increment(&lease, 1)? > 1 {
        return Ok(Drained::Owned);
    }
    let mut published = 0_usize;
    while !slot.records.is_empty() {
        let later = slot.records.split_off(slot.records.len().min(TOGETHER));
        let mut batch = std::mem::replace(&mut slot.records, later);
        for record in batch.iter_mut().filter(|record| record.keep) {
            record.keep = !filing::keep_letter(instance, record).await;
        }
        let sent = join_all(batch.iter().map(|record| send(&instance.platform, &config.dapr, record))).await;
        let (all, outcomes) = (batch.len(), batch.into_iter().zip(sent));
        let mut left: Vec<Record> =
            outcomes.filter(|(_, sent)| *sent == Published::Failed).map(|(record, _)| record).collect();
        published = published.saturating_add(all.saturating_sub(left.len()));
        if !left.is_empty() {
            // What went out, and what was kept, is not to happen again.
            left.append(&mut slot.records);
            store.set(key, &Slot::new(slot.at, left).encode()).await?;
            store.delete(&lease).await?;
            return Ok(Drained::BrokerDown);
        }
    }
    store.delete(key).await?;
    Ok(Drained::Published(published))
}

/// Leaves word that something waits in the outbox.
pub async fn note<P: Platform>(instance: &Instance<P>) {
    let now = instance.platform.monotonic();
    if instance.backlog_noted_at.get().is_none_or(|at| now.saturating_sub(at) >= EVERY) {
        instance.backlog_noted_at.set(Some(now));
        let _ = instance.store().set(WORD, b"1").await;
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
        // A fault ends this turn; the next one goes on where it stopped.
        let _ = drain_some(instance, config).await;
    }
}

/// Walks the sequence from its head.
async fn drain_some<P: Platform>(instance: &Instance<P>, config: &Config) -> Result<(), Unavailable> {
    let store = instance.store();
    let present = OUTBOX.bucket(instance.platform.now());
    let head =
        store.get(HEAD).await?.and_then(|bytes| read_head(&bytes)).filter(|head| head.bucket <= present);
    let mut at = head.unwrap_or(Position { bucket: present.saturating_sub(LOOK_BACK), number: 1 });
    let (mut reads, mut all_empty) = (0_usize, true);
    while at.bucket <= present && reads < READS_PER_REQUEST {
        let count = u64::try_from(store.counter(&OUTBOX.counter(at.bucket)).await?).unwrap_or(0);
        let mut number = at.number;
        while number <= count && reads < READS_PER_REQUEST {
            reads = reads.saturating_add(1);
            match drain_slot(instance, config, &OUTBOX.key(Position { bucket: at.bucket, number })).await? {
                Drained::Published(_) | Drained::Empty => {}
                Drained::Owned => all_empty = false,
                Drained::BrokerDown => return Ok(()),
            }
            number = number.saturating_add(1);
        }
        let finished = number > count;
        // New entries are written to this minute and the last one only.
        let past = at.bucket.saturating_add(1) < present;
        if all_empty && past {
            at = if finished {
                Position { bucket: at.bucket.saturating_add(1), number: 1 }
            } else {
                Position { number, ..at }
            };
            store.set(HEAD, format!("{}:{}", at.bucket, at.number).as_bytes()).await?;
        } else {
            at = Position { bucket: at.bucket.saturating_add(1), number: 1 };
        }
    }
    if all_empty && at.bucket > present {
        forget(instance).await;
    }
    Ok(())
}

fn read_head(bytes: &[u8]) -> Option<Position> {
    let (bucket, number) = std::str::from_utf8(bytes).ok()?.split_once(':')?;
    Some(Position { bucket: bucket.parse().ok()?, number: number.parse().ok()? })
}

fn lease(slot_key: &str, now: UnixMillis) -> String {
    format!("n:dr:{}:{slot_key}", now.checked_div(LEASE_MS).unwrap_or(0))
}

/// Whether the lease `key` is over at `now`.
pub fn lease_is_spent(key: &str, now: UnixMillis) -> bool {
    let slot = key
        .strip_prefix("n:dr:")
        .and_then(|rest| rest.split(':').next())
        .and_then(|slot| slot.parse::<u64>().ok());
    slot.is_some_and(|slot| slot.saturating_add(2).saturating_mul(LEASE_MS) < now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_and_only_leases_do() {
        let key = lease("v:ob:5:1", 600_000);
        assert!(!lease_is_spent(&key, 660_000));
        assert!(lease_is_spent(&key, 800_000));
        assert!(!lease_is_spent("n:rl:1:x", u64::MAX));
    }

    #[test]
    fn a_head_is_read_back_and_nonsense_is_not() {
        assert_eq!(read_head(b"7:3"), Some(Position { bucket: 7, number: 3 }));
        for bad in [&b""[..], b"7", b"a:b", &[0xff]] {
            assert_eq!(read_head(bad), None);
        }
    }
}
