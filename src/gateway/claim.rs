//! Carrying a question out once: claims, replays, and the stored answer.

use std::rc::Rc;

use super::answer::Outcome;
use super::entry::Caller;
use super::exchange::Exchange;
use super::instance::Instance;
use super::question::Question;
use crate::config::{Config, Flag};
use crate::idempotency::{self, KeyFault, Record, Slots};
use crate::ports::{Incoming, Platform, UnixMillis};
use crate::problem::Problem;

/// A question that is ours to carry out.
pub struct Claim {
    /// The caller's key; every attempt carries it.
    pub key: String,
    subject: String,
    name: String,
    slots: Slots,
    fingerprint: String,
    /// Whether a counter was taken that must be given back when there is no answer to keep.
    taken: bool,
}

/// What a key led to.
pub enum Claimed<P: Platform> {
    /// The stored answer.
    Replay(Outcome<P>),
    /// Ours to carry out; with a claim if there was a key and the store could take it.
    Go(Option<Claim>),
}

/// How much longer than the overall deadline a claim keeps others out, in milliseconds.
const MARGIN_MS: u64 = 2_000;

/// Looks for an answer under the caller's key, or takes the claim.
pub async fn claim<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    caller: &Caller,
    question: &Question,
    body: &[u8],
) -> Result<Claimed<P>, Problem> {
    let malformed = |message: &str| Problem::SchemaValidation(vec![message.to_owned()]);
    let mut headers = exchange.headers().get_all("idempotency-key").iter();
    let header = match (headers.next(), headers.next()) {
        (Some(_), Some(_)) => return Err(malformed("idempotency-key: stands twice")),
        (Some(value), None) => Some(
            value.to_str().map_err(|_| malformed("idempotency-key: must be 1 to 256 visible characters"))?,
        ),
        (None, _) => None,
    };
    let field = question.request.progress.idempotency_key.as_deref();
    let key = idempotency::key(header, field).map_err(|fault| match fault {
        KeyFault::Different => malformed("idempotency-key: differs from student_progress.idempotency_key"),
        KeyFault::Malformed => malformed("idempotency-key: must be 1 to 256 visible characters"),
    })?;
    if key.is_none() && !config.flags.on(Flag::ResponseCaching) {
        return Ok(Claimed::Go(None));
    }
    // Whatever changes the answer beside the body.
    let form = if exchange.wants_stream() { "stream" } else { "json" };
    let variant = format!("{form} {}", exchange.query("on_low_confidence").unwrap_or_default());
    let Some(fingerprint) = idempotency::fingerprint(body, &variant, &config.record_key) else {
        return Ok(Claimed::Go(None));
    };
    let subject = caller.claims.subject.as_str();
    match key {
        Some(key) if caller.store_usable => take(exchange, config, subject, key, fingerprint).await,
        Some(key) => Ok(Claimed::Go(Some(Claim::untaken(subject, key, fingerprint, config, exchange)))),
        None => cached(exchange, config, subject, fingerprint).await,
    }
}

impl Claim {
    fn untaken<P: Platform, B: Incoming>(
        subject: &str,
        key: String,
        fingerprint: String,
        config: &Config,
        exchange: &Exchange<P, B>,
    ) -> Self {
        let slots = slots(subject, &key, config, exchange.platform().now());
        Self { name: key.clone(), key, subject: subject.to_owned(), slots, fingerprint, taken: false }
    }

    /// Whether the slot it was taken in is over, as it is for a stream that outlasts it.
    pub fn lapses<P: Platform>(&self, instance: &Instance<P>, config: &Config) -> bool {
        self.taken && self.present(instance, config).claim != self.slots.claim
    }

    /// Keeps others out in the present slot too.
    pub fn hold<P: Platform>(&mut self, instance: &Instance<P>, config: &Config) {
        let present = self.present(instance, config);
        if instance.store().increment(&present.claim, 1).is_ok() {
            self.slots = present;
        }
    }

    fn present<P: Platform>(&self, instance: &Instance<P>, config: &Config) -> Slots {
        slots(&self.subject, &self.name, config, instance.platform.now())
    }

    /// Frees the key: there is no answer to keep.
    pub async fn free<P: Platform>(self, instance: &Instance<P>) {
        if self.taken {
            let store = instance.store();
            let _ = store.delete(&self.slots.claim).await;
            if store.exists(&self.slots.previous_claim).await == Ok(true) {
                let _ = store.delete(&self.slots.previous_claim).await;
            }
        }
    }
}

fn slots(subject: &str, key: &str, config: &Config, now: UnixMillis) -> Slots {
    let deadline = u64::try_from(config.resilience.deadline.as_millis()).unwrap_or(u64::MAX);
    // Never shorter than the time between two refreshes of a stream.
    let slot = deadline.saturating_add(MARGIN_MS).max(12_000);
    Slots::of(subject, key, &config.record_key, now, slot)
}

async fn take<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    subject: &str,
    key: String,
    fingerprint: String,
) -> Result<Claimed<P>, Problem> {
    let store = exchange.instance.store();
    let mut claim = Claim::untaken(subject, key, fingerprint, config, exchange);
    if let Some(record) = stored(exchange, &claim.slots).await {
        if record.fingerprint != claim.fingerprint {
            return Err(Problem::IdempotencyConflict("the key was used for another request"));
        }
        return Ok(Claimed::Replay(replayed(record, "idempotency-replayed")));
    }
    let in_flight = Problem::IdempotencyConflict("a request with this key is in flight");
    // Named right before it is taken: time passed while the record was looked for.
    claim.slots = slots(subject, &claim.name, config, exchange.platform().now());
    match store.increment(&claim.slots.claim, 1) {
        Ok(1) => claim.taken = true,
        Ok(_) => return Err(in_flight),
        Err(_) => return Ok(Claimed::Go(Some(claim))),
    }
    // Looked at after taking ours: of two requests on both sides of a slot's edge, the later one
    // always sees the earlier one's claim.
    if store.exists(&claim.slots.previous_claim).await == Ok(true) {
        let _ = store.delete(&claim.slots.claim).await;
        return Err(in_flight);
    }
    Ok(Claimed::Go(Some(claim)))
}

/// With `enable_response_caching`: the answer to the identical question, if it is fresh.
async fn cached<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    subject: &str,
    fingerprint: String,
) -> Result<Claimed<P>, Problem> {
    let claim = Claim::untaken(subject, format!("cache {fingerprint}"), fingerprint, config, exchange);
    match stored(exchange, &claim.slots).await {
        Some(record) => Ok(Claimed::Replay(replayed(record, "x-triage-cached"))),
        None => Ok(Claimed::Go(Some(Claim { key: exchange.request_id.clone(), ..claim }))),
    }
}

async fn stored<P: Platform, B>(exchange: &Exchange<P, B>, slots: &Slots) -> Option<Record> {
    let bytes = exchange.instance.store().get(&slots.record).await.ok().flatten()?;
    Record::decode(&bytes, exchange.instance.platform.now())
}

fn replayed<P: Platform>(record: Record, mark: &'static str) -> Outcome<P> {
    Outcome::Json(record.status, record.body, vec![(mark, "true".to_owned())])
}

/// Largest answer that is kept, in bytes: records in the store are small.
const MOST_KEPT: usize = 64 * 1024;

/// After the answer: keeps it for replay.
pub fn finish<P: Platform, B>(
    exchange: &Exchange<P, B>,
    claim: Option<Claim>,
    outcome: &Result<Outcome<P>, Problem>,
) {
    let Some(claim) = claim else { return };
    let Ok(Outcome::Json(status @ 200..=299, body, _)) = outcome else {
        return release(exchange, Some(claim));
    };
    if body.len() > MOST_KEPT {
        return release(exchange, Some(claim));
    }
    let instance = Rc::clone(&exchange.instance);
    let record = Record::new(instance.platform.now(), claim.fingerprint, *status, body.clone());
    exchange.instance.platform.spawn(async move {
        // The claim stays until its slot is over: it costs nothing, and freeing it before the record
        // is written would let a repeated request through.
        let _ = instance.store().set(&claim.slots.record, &record.encode()).await;
    });
}

/// After the answer: frees the key.
pub fn release<P: Platform, B>(exchange: &Exchange<P, B>, claim: Option<Claim>) {
    let Some(claim) = claim else { return };
    let instance = Rc::clone(&exchange.instance);
    exchange.instance.platform.spawn(async move { claim.free(&instance).await });
}
