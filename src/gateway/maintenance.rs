//! `POST /internal/maintenance`: publishes what was left behind and clears what has expired. Dapr's
//! cron binding calls it in the cluster.

use std::rc::Rc;
use std::time::Duration;

use super::answer::Outcome;
use super::backlog;
use super::drain::{self, Drained, Topics, drain_slot};
use super::entry;
use super::exchange::Exchange;
use super::instance::Instance;
use crate::audit::OUTBOX;
use crate::breaker::{self, Records};
use crate::config::{Config, Environment};
use crate::dead_letter::{self, DEAD_LETTERS};
use crate::idempotency;
use crate::ports::{Incoming, Platform};
use crate::problem::Problem;
use crate::rate_limit;
use crate::store::{Unavailable, keys};

/// A run ends after so long and says that there is more: the next one goes on.
const RUN_LIMIT: Duration = Duration::from_secs(20);
/// So much of it belongs to what was left behind, so that clearing is never crowded out.
const DRAIN_LIMIT: Duration = Duration::from_secs(12);
/// Counters of the outbox are kept for so many minutes after their last entry could be written.
const COUNTERS_KEPT: u64 = 60;

/// What a run did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Events published.
    pub published: usize,
    /// Slots that are still waiting, because a topic refuses or their owner lives.
    pub waiting: usize,
    /// Expired keys removed.
    pub removed: usize,
    /// Whether the run ended before it was through.
    pub more: bool,
}

/// Runs all of maintenance.
pub async fn run<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Rc<Config>,
) -> Result<Outcome<P>, Problem> {
    exchange.note("route", "maintenance");
    authorise(exchange, config)?;
    let instance = &exchange.instance;
    let summary = sweep(instance, config)
        .await
        .map_err(|fault| Problem::ServiceUnavailable(format!("key-value store: {}", fault.as_str())))?;
    Outcome::ok(&summary)
}

/// Dapr proves itself with `app_api_token`. Without one the endpoint exists in development only.
pub(super) fn authorise<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
) -> Result<(), Problem> {
    match &config.app_api_token {
        None if config.environment == Environment::Development => Ok(()),
        None => Err(Problem::NotFound),
        Some(expected) => {
            // Of two nobody can tell which one a proxy in front has checked.
            let only = exchange.headers().get_all("dapr-api-token").iter().count() == 1;
            let given = exchange.header("dapr-api-token").unwrap_or("");
            // Equal digests instead of equal text: the comparison takes the same time however much
            // of a guess is right.
            let digest = |text: &str| hmac_sha256::HMAC::mac(text.as_bytes(), config.record_key);
            if only && digest(given) == digest(expected) {
                Ok(())
            } else {
                let message = "dapr-api-token is missing or wrong";
                Err(entry::forbidden(exchange, config, "dapr_api_token", message))
            }
        }
    }
}

async fn sweep<P: Platform>(instance: &Instance<P>, config: &Config) -> Result<Summary, Unavailable> {
    let store = instance.store();
    let began = instance.platform.monotonic();
    let records = instance.breakers(config).read().await?;
    let mut all = store.list_keys()?;
    // What was left behind goes first: clearing can wait for the next run, an event should not.
    all.sort_unstable_by_key(|key| (OUTBOX.position(key).is_none(), OUTBOX.position(key)));
    let mut summary = Summary::default();
    let mut topics = Topics::default();
    for key in &all {
        let took = instance.platform.monotonic().saturating_sub(began);
        if took >= RUN_LIMIT {
            summary.more = true;
            return Ok(summary);
        }
        if OUTBOX.position(key).is_some() {
            if took >= DRAIN_LIMIT {
                summary.more = true;
                continue;
            }
            let (published, waits) = match drain_slot(instance, config, key, &mut topics).await? {
                Drained::Ended(events) => (events, false),
                Drained::Left(events) => (events, true),
                Drained::Empty => (0, false),
                Drained::Owned | Drained::Unreadable => (0, true),
            };
            summary.published = summary.published.saturating_add(published);
            summary.waiting = summary.waiting.saturating_add(usize::from(waits));
        } else if expired(instance, key, &records).await? {
            store.delete(key).await?;
            summary.removed = summary.removed.saturating_add(1);
        }
    }
    if summary.waiting == 0 && !summary.more {
        backlog::forget(instance).await;
    }
    Ok(summary)
}

/// Whether nothing needs `key` any more.
async fn expired<P: Platform>(
    instance: &Instance<P>,
    key: &str,
    records: &Records,
) -> Result<bool, Unavailable> {
    let now = instance.platform.now();
    if key.starts_with(keys::COUNTER) {
        let outbox_over =
            OUTBOX.counted_bucket(key).is_some_and(|b| b.saturating_add(COUNTERS_KEPT) < OUTBOX.bucket(now));
        let letters_over = DEAD_LETTERS.counted_bucket(key).or_else(|| dead_letter::claimed_day(key));
        return Ok(rate_limit::is_spent(key, now)
            || idempotency::is_spent(key, now)
            || breaker::is_spent(key, records)
            || drain::lease_is_spent(key, now)
            || outbox_over
            || letters_over.is_some_and(|day| dead_letter::is_past(day, now)));
    }
    if let Some(at) = DEAD_LETTERS.position(key) {
        return Ok(dead_letter::is_past(at.bucket, now));
    }
    if idempotency::is_record(key) {
        let bytes = instance.store().get(key).await?;
        return Ok(bytes.is_none_or(|bytes| idempotency::Record::decode(&bytes, now).is_none()));
    }
    Ok(false)
}
