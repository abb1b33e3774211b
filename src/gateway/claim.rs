//! Carrying a question out once: claims, replays, and the stored answer.

use std::rc::Rc;

use super::answer::Outcome;
use super::entry::Caller;
use super::exchange::Exchange;
use super::question::Question;
use crate::config::{Config, Flag};
use crate::idempotency::{self, KeyFault, Record, Slots};
use crate::ports::{Incoming, Platform};
use crate::problem::Problem;

/// A question that is ours to carry out.
pub struct Claim {
    /// The caller's key; every attempt carries it.
    pub key: String,
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
    let header = match exchange.headers().get("idempotency-key") {
        Some(value) => Some(value.to_str().map_err(|_| malformed("idempotency-key: must be 1 to 256 visible characters"))?),
        None => None,
    };
    let field = question.request.progress.idempotency_key.as_deref();
    let key = idempotency::key(header, field).map_err(|fault| match fault {
        KeyFault::Different => malformed("idempotency-key: differs from student_progress.idempotency_key"),
        KeyFault::Malformed => malformed("idempotency-key: must be 1 to 256 visible characters"),
    })?;
    let variant = if exchange.wants_stream() { "stream" } else { "json" };
    let Some(fingerprint) = idempotency::fingerprint(body, variant, &config.record_key) else { return Ok(Claimed::Go(None)) };
    let subject = caller.claims.subject.as_str();
    match key {
        Some(key) if caller.store_usable => take(exchange, config, subject, key, fingerprint).await,
        Some(key) => Ok(Claimed::Go(Some(Claim::untaken(subject, key, fingerprint, config, exchange)))),
        None if config.flags.on(Flag::ResponseCaching) => cached(exchange, config, subject, fingerprint).await,
        None => Ok(Claimed::Go(None)),
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
        let slot = u64::try_from(config.resilience.deadline.as_millis()).unwrap_or(u64::MAX).saturating_add(MARGIN_MS);
        let slots = Slots::of(subject, &key, &config.record_key, exchange.platform().now(), slot);
        Self { key, slots, fingerprint, taken: false }
    }
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
    if store.exists(&claim.slots.previous_claim).await == Ok(true) {
        return Err(in_flight);
    }
    match store.increment(&claim.slots.claim, 1) {
        Ok(1) => {
            claim.taken = true;
            Ok(Claimed::Go(Some(claim)))
        }
        Ok(_) => Err(in_flight),
        Err(_) => Ok(Claimed::Go(Some(claim))),
    }
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

/// After the answer: keeps it if it is one, frees the key if it is not.
pub fn finish<P: Platform, B>(exchange: &Exchange<P, B>, claim: Claim, outcome: &Result<Outcome<P>, Problem>) {
    let instance = Rc::clone(&exchange.instance);
    let record = match outcome {
        Ok(Outcome::Json(status @ 200..=299, body, _)) => {
            Some(Record::new(instance.platform.now(), claim.fingerprint.clone(), *status, body.clone()))
        }
        _ => None,
    };
    exchange.instance.platform.spawn(async move {
        let store = instance.store();
        if let Some(record) = record {
            // The claim stays until its slot is over: it costs nothing, and freeing it before the
            // record is written would let a repeated request through.
            let _ = store.set(&claim.slots.record, &record.encode()).await;
        } else if claim.taken {
            let _ = store.delete(&claim.slots.claim).await;
        }
    });
}
