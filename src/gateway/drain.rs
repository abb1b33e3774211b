//! Draining one slot of the outbox that its owner has left behind.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::filing;
use super::instance::Instance;
use crate::audit::{Published, Record, Slot, send};
use crate::config::Config;
use crate::ports::{Platform, UnixMillis};
use crate::store::Unavailable;

/// So many records of a slot go out together, as many as an instance publishes at a time otherwise.
const TOGETHER: usize = 8;
/// Whoever drains a slot has it to itself for at least so long, in milliseconds.
const LEASE_MS: u64 = 60_000;
/// A topic that refused so many events in a row is left alone until the next turn. More than one,
/// because a single event may be what the broker will never take, and must not hold up the rest.
const MOST_REFUSALS: u32 = 3;

/// What became of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// So many events went out, and the slot ended.
    Ended(usize),
    /// So many events went out, and others still wait in it.
    Left(usize),
    /// It was gone.
    Empty,
    /// Its owner may still write it, or somebody else is draining it.
    Owned,
    /// Another version's: left to those who know it.
    Unreadable,
}

/// Which topics take events, as one turn of draining learns it. A broker may refuse one topic and
/// take the others (a missing permission, a full partition).
#[derive(Debug, Default)]
pub struct Topics(BTreeMap<String, u32>);

impl Topics {
    fn refuses(&self, topic: &str) -> bool {
        self.0.get(topic).is_some_and(|refusals| *refusals >= MOST_REFUSALS)
    }

    fn note(&mut self, topic: &str, published: Published) {
        match published {
            Published::Acknowledged => drop(self.0.remove(topic)),
            Published::Failed => {
                let refusals = self.0.entry(topic.to_owned()).or_default();
                *refusals = refusals.saturating_add(1);
            }
        }
    }
}

/// Publishes what stands in the slot under `key`, if it is nobody's any more.
pub async fn drain_slot<P: Platform>(
    instance: &Instance<P>,
    config: &Config,
    key: &str,
    topics: &mut Topics,
) -> Result<Drained, Unavailable> {
    let store = instance.store();
    let now = instance.platform.now();
    let Some(bytes) = store.get(key).await? else { return Ok(Drained::Empty) };
    let Some(slot) = Slot::decode(&bytes) else { return Ok(Drained::Unreadable) };
    if !slot.is_stale(now) {
        return Ok(Drained::Owned);
    }
    let refused = |record: &Record| topics.refuses(&record.topic) && !record.keep;
    if !slot.records.is_empty() && slot.records.iter().all(refused) {
        return Ok(Drained::Left(0));
    }
    let [lease, earlier] = leases(key, now);
    if store.increment(&lease, 1)? > 1 {
        return Ok(Drained::Owned);
    }
    // Looked at after taking ours, as with claims: the later of two always sees the earlier one's.
    if store.exists(&earlier).await? {
        store.delete(&lease).await?;
        return Ok(Drained::Owned);
    }
    let (published, left) = publish(instance, config, slot.records, topics).await;
    if left.is_empty() {
        store.delete(key).await?;
        return Ok(Drained::Ended(published));
    }
    // What went out, and what was kept, is not to happen again.
    store.set(key, &Slot::new(slot.at, left).encode()).await?;
    store.delete(&lease).await?;
    Ok(Drained::Left(published))
}

/// How many went out, and which still have to.
async fn publish<P: Platform>(
    instance: &Instance<P>,
    config: &Config,
    mut waiting: Vec<Record>,
    topics: &mut Topics,
) -> (usize, Vec<Record>) {
    let (mut published, mut left) = (0_usize, Vec::new());
    while !waiting.is_empty() {
        let later = waiting.split_off(waiting.len().min(TOGETHER));
        let mut next = std::mem::replace(&mut waiting, later);
        // Kept for replay whether or not its topic takes it.
        for record in &mut next {
            filing::keep_for_replay(instance, record).await;
        }
        let (refused, batch): (Vec<_>, Vec<_>) =
            next.into_iter().partition(|record| topics.refuses(&record.topic));
        left.extend(refused);
        let sent = join_all(batch.iter().map(|record| send(&instance.platform, &config.dapr, record))).await;
        for (record, sent) in batch.into_iter().zip(sent) {
            topics.note(&record.topic, sent);
            published = published.saturating_add(usize::from(sent == Published::Acknowledged));
            if sent == Published::Failed || record.keep {
                left.push(record);
            }
        }
    }
    (published, left)
}

/// The lease of a slot to take, and the one of the time before, which may still be held.
fn leases(slot_key: &str, now: UnixMillis) -> [String; 2] {
    let present = now.checked_div(LEASE_MS).unwrap_or(0);
    [present, present.saturating_sub(1)].map(|time| format!("n:dr:{time}:{slot_key}"))
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
        let [key, earlier] = leases("v:ob:5:1", 600_000);
        assert_eq!(leases("v:ob:5:1", 599_999), [earlier, "n:dr:8:v:ob:5:1".to_owned()]);
        assert!(!lease_is_spent(&key, 660_000));
        assert!(lease_is_spent(&key, 800_000));
        assert!(!lease_is_spent("n:rl:1:x", u64::MAX));
    }

    #[test]
    fn a_topic_is_given_up_after_three_refusals_in_a_row() {
        let mut topics = Topics::default();
        for published in [Published::Failed, Published::Failed, Published::Acknowledged, Published::Failed] {
            topics.note("a", published);
            assert!(!topics.refuses("a"));
        }
        topics.note("a", Published::Failed);
        topics.note("a", Published::Failed);
        assert!(topics.refuses("a") && !topics.refuses("b"));
    }
}
