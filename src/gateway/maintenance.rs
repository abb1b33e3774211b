//! `POST /internal/maintenance`: publishes what was left behind and clears what has expired.
//!
//! Dapr's cron binding calls it in the cluster. Between its runs, a request that could publish its
//! own event looks now and then whether there is a backlog, and drains a little of it.

use std::rc::Rc;
use std::time::Duration;


use super::answer::Outcome;
use super::exchange::Exchange;
use super::filing;
use super::instance::Instance;
use crate::audit::{OUTBOX, Published, Slot, send};
use crate::breaker::{self, Records};
use crate::config::{Config, Environment, Flag};
use crate::dead_letter::{self, DEAD_LETTERS, DeadLetter};
use crate::idempotency;
use crate::ports::{Incoming, Platform, UnixMillis};
use crate::problem::Problem;
use crate::rate_limit;
use crate::sequence::Position;
use crate::store::{Unavailable, keys};

/// Present while some instance could not publish.
const BACKLOG: &str = "v:ob:backlog";
/// Oldest bucket of the outbox that may hold something.
const HEAD: &str = "v:ob:head";
/// A request looks for a backlog at most this often per instance …
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// … and then drains at most so many slots.
const SLOTS_PER_REQUEST: usize = 8;
/// Without a known head, so many buckets (minutes) are looked through.
const LOOK_BACK: u64 = 60;

/// What a run did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Events published.
    pub published: usize,
    /// Slots that are still waiting, because the broker is down or their owner lives.
    pub waiting: usize,
    /// Expired keys removed.
    pub removed: usize,
}

/// Runs all of maintenance.
pub async fn run<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Rc<Config>,
) -> Result<Outcome<P>, Problem> {
    exchange.note("route", "maintenance");
    authorise(exchange, config)?;
    let instance = &exchange.instance;
    let summary = sweep(instance, config).await.map_err(|fault| {
        Problem::ServiceUnavailable(format!("key-value store: {}", fault.as_str()))
    })?;
    Outcome::ok(&summary)
}

/// Dapr proves itself with `app_api_token`. Without one the endpoint exists in development only.
fn authorise<P: Platform, B: Incoming>(exchange: &Exchange<P, B>, config: &Config) -> Result<(), Problem> {
    match &config.app_api_token {
        None if config.environment == Environment::Development => Ok(()),
        None => Err(Problem::NotFound),
        Some(expected) => {
            let given = exchange.header("dapr-api-token").unwrap_or("");
            // Equal digests instead of equal text: the comparison takes the same time however much
            // of a guess is right.
            let digest = |text: &str| hmac_sha256::HMAC::mac(text.as_bytes(), config.record_key);
            if digest(given) == digest(expected) {
                Ok(())
            } else {
                exchange.note("refusal", "dapr_api_token");
                Err(Problem::Forbidden("dapr-api-token is missing or wrong"))
            }
        }
    }
}

async fn sweep<P: Platform>(instance: &Instance<P>, config: &Config) -> Result<Summary, Unavailable> {
    let store = instance.store();
    let now = instance.platform.now();
    let records = instance.breakers(config).read().await?;
    let mut all = store.list_keys()?;
    all.sort_unstable();
    let mut summary = Summary::default();
    let mut broker_is_up = true;
    for key in &all {
        if OUTBOX.position(key).is_some() {
            if !broker_is_up {
                summary.waiting = summary.waiting.saturating_add(1);
                continue;
            }
            match drain_slot(instance, config, key, now).await? {
                Drained::Published(events) => summary.published = summary.published.saturating_add(events),
                Drained::Empty => {}
                Drained::Owned => summary.waiting = summary.waiting.saturating_add(1),
                Drained::BrokerDown => {
                    broker_is_up = false;
                    summary.waiting = summary.waiting.saturating_add(1);
                }
            }
        } else if expired(instance, key, &records, now).await? {
            store.delete(key).await?;
            summary.removed = summary.removed.saturating_add(1);
        }
    }
    if summary.waiting == 0 {
        store.delete(BACKLOG).await?;
    }
    Ok(summary)
}

/// Whether nothing needs `key` any more.
async fn expired<P: Platform>(
    instance: &Instance<P>,
    key: &str,
    records: &Records,
    now: UnixMillis,
) -> Result<bool, Unavailable> {
    if key.starts_with(keys::COUNTER) {
        let outbox_over = OUTBOX.counted_bucket(key).is_some_and(|b| b.saturating_add(LOOK_BACK) < OUTBOX.bucket(now));
        let letters_over = DEAD_LETTERS.counted_bucket(key).or_else(|| dead_letter::claimed_day(key));
        return Ok(rate_limit::is_spent(key, now)
            || idempotency::is_spent(key, now)
            || breaker::is_spent(key, records)
            || drain_lease_is_spent(key, now)
            || outbox_over
            || letters_over.is_some_and(|day| dead_letter::is_past(day, now)));
    }
    if let Some(at) = DEAD_LETTERS.position(key) {
        return Ok(dead_letter::is_past(at.bucket, now));
    }
    if key.starts_with("v:id:") {
        let bytes = instance.store().get(key).await?;
        return Ok(bytes.is_none_or(|bytes| idempotency::Record::decode(&bytes, now).is_none()));
    }
    Ok(false)
}

/// What became of one slot.
enum Drained {
    /// So many events went out, and the slot ended.
    Published(usize),
    /// It was gone.
    Empty,
    /// Its owner may still write it.
    Owned,
    /// Nothing can be published now.
    BrokerDown,
}

async fn drain_slot<P: Platform>(
    instance: &Instance<P>,
    config: &Config,
    key: &str,
    now: UnixMillis,
) -> Result<Drained, Unavailable> {
    let store = instance.store();
    let Some(bytes) = store.get(key).await? else { return Ok(Drained::Empty) };
    let Some(slot) = Slot::decode(&bytes) else {
        // Another version's: whoever wrote it will know what to do with it.
        return Ok(Drained::Owned);
    };
    if !slot.is_stale(now) {
        return Ok(Drained::Owned);
    }
    for record in &slot.records {
        if send(&instance.platform, &config.dapr, record).await == Published::Failed {
            return Ok(Drained::BrokerDown);
        }
        keep_letter_left_behind(instance, config, record).await;
    }
    store.delete(key).await?;
    Ok(Drained::Published(slot.records.len()))
}

/// A dead letter whose event was left behind may not have been kept either. At worst it is listed
/// twice; its request id tells.
async fn keep_letter_left_behind<P: Platform>(instance: &Instance<P>, config: &Config, record: &crate::audit::Record) {
    if record.topic != config.dapr.dead_letter_topic || !config.flags.on(Flag::DeadLetterQueue) {
        return;
    }
    if let Ok(letter) = serde_json::from_value::<DeadLetter>(record.event.data.clone()) {
        filing::keep_letter(instance, &letter).await;
    }
}

/// Leaves word that something waits in the outbox.
pub async fn note_backlog<P: Platform>(instance: &Instance<P>) {
    let now = instance.platform.monotonic();
    // The word is left once per pause of the publisher, not once per event.
    let noted = instance.backlog_looked_at.get().is_some_and(|at| now.saturating_sub(at) < LOOK_EVERY);
    if !noted {
        instance.backlog_looked_at.set(Some(now));
        let _ = instance.store().set(BACKLOG, b"1").await;
    }
}

/// After an answer: if some instance left word of a backlog, drains a few slots. One instance at a
/// time does, for ten seconds each.
pub async fn drain_if_due<P: Platform>(instance: &Instance<P>, config: &Config) {
    let now = instance.platform.monotonic();
    if instance.backlog_looked_at.get().is_some_and(|at| now.saturating_sub(at) < LOOK_EVERY) {
        return;
    }
    instance.backlog_looked_at.set(Some(now));
    let store = instance.store();
    if store.exists(BACKLOG).await != Ok(true) {
        return;
    }
    if matches!(store.increment(&drain_lease(instance.platform.now()), 1), Ok(1)) {
        let _ = drain_some(instance, config).await;
    }
}

/// Walks the sequence from its head without listing keys.
async fn drain_some<P: Platform>(instance: &Instance<P>, config: &Config) -> Result<(), Unavailable> {
    let store = instance.store();
    let now = instance.platform.now();
    let present = OUTBOX.bucket(now);
    let head = store.get(HEAD).await?.and_then(|bytes| String::from_utf8(bytes).ok()?.parse::<u64>().ok());
    let head = head.filter(|head| *head <= present).unwrap_or_else(|| present.saturating_sub(LOOK_BACK));
    let mut left = SLOTS_PER_REQUEST;
    for bucket in head..=present {
        let count = u64::try_from(store.counter(&OUTBOX.counter(bucket)).await?).unwrap_or(0);
        let mut empty = true;
        for number in 1..=count {
            let key = OUTBOX.key(Position { bucket, number });
            match drain_slot(instance, config, &key, now).await? {
                Drained::Published(_) => left = left.saturating_sub(1),
                Drained::Empty => {}
                Drained::Owned => empty = false,
                Drained::BrokerDown => return Ok(()),
            }
            if left == 0 {
                return Ok(());
            }
        }
        if !empty || bucket.saturating_add(1) >= present {
            return Ok(());
        }
        store.set(HEAD, bucket.saturating_add(1).to_string().as_bytes()).await?;
    }
    Ok(())
}

fn drain_lease(now: UnixMillis) -> String {
    format!("n:dr:{}", now.checked_div(10_000).unwrap_or(0))
}

fn drain_lease_is_spent(key: &str, now: UnixMillis) -> bool {
    let slot = key.strip_prefix("n:dr:").and_then(|slot| slot.parse::<u64>().ok());
    slot.is_some_and(|slot| slot.saturating_add(6).saturating_mul(10_000) < now)
}
