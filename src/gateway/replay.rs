//! `POST /api/v1/dead-letters/{id}/replay`: one more try, once, for the admin's eyes.

use std::rc::Rc;

use serde_json::{Value, json};

use super::answer::Outcome;
use super::dead_letters::describe;
use super::entry::{self, Caller};
use super::exchange::Exchange;
use crate::auth::Role;
use crate::config::{Config, Flag};
use crate::dapr::Invocation;
use crate::dead_letter::{self, DEAD_LETTERS, DeadLetter};
use crate::delivery::{Courier, Delivered, Report, RetryPolicy, Undelivered};
use crate::ports::{Incoming, Platform};
use crate::problem::Problem;

/// Replays a dead letter; `?dry_run=true` only shows what would happen.
pub async fn replay<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Rc<Config>,
    id: &str,
) -> Result<Outcome<P>, Problem> {
    exchange.note("route", "replay");
    let caller = entry::enter(exchange, config, &[Role::Admin], 1).await?;
    let at = dead_letter::position(id).filter(|_| config.flags.on(Flag::DeadLetterQueue)).ok_or(Problem::NotFound)?;
    let store = exchange.instance.store();
    let unavailable = |_| Problem::ServiceUnavailable("key-value store".into());
    let bytes = store.get(&DEAD_LETTERS.key(at)).await.map_err(unavailable)?;
    let mut letter = bytes.as_deref().and_then(DeadLetter::decode).ok_or(Problem::NotFound)?;
    let shown = describe(at, &letter);
    if exchange.asks("dry_run", "true") {
        let would = if letter.replayed_at.is_some() { "nothing: it was replayed already" } else { "call the agent" };
        return Outcome::ok(&json!({ "dry_run": true, "would": would, "dead_letter": shown }));
    }
    let taken = Problem::IdempotencyConflict("this dead letter was replayed already, or is being replayed");
    if letter.replayed_at.is_some() {
        return Err(taken);
    }
    let claim = dead_letter::replay_claim(at);
    if store.increment(&claim, 1).map_err(unavailable)? > 1 {
        return Err(taken);
    }
    let outcome = deliver(exchange, config, &caller, &letter, shown).await;
    if outcome.is_ok() {
        letter.replayed_at = Some(exchange.platform().now());
        store.set(&DEAD_LETTERS.key(at), &letter.encode()).await.map_err(unavailable)?;
    }
    // The claim ends either way: a success stands in the letter itself by now.
    let _ = store.delete(&claim).await;
    outcome
}

async fn deliver<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    caller: &Caller,
    letter: &DeadLetter,
    shown: Value,
) -> Result<Outcome<P>, Problem> {
    let agent = config.agents.by_id(&letter.agent).ok_or(Problem::NotFound)?;
    let breakers = exchange.instance.breakers(config);
    let courier = Courier {
        platform: exchange.platform(),
        dapr: &config.dapr,
        flags: config.flags,
        breakers,
        retry: RetryPolicy::new(config.resilience.attempts),
        started: exchange.started,
        deadline: exchange.started.saturating_add(config.resilience.deadline),
    };
    let Report { attempts, phase, permit, result } =
        courier.deliver(agent, &invocation(exchange, config, letter), caller.records.clone()).await;
    match result {
        Ok(Delivered::Json(reply)) => {
            if let Some(permit) = permit.filter(|_| config.flags.on(Flag::CircuitBreaker)) {
                let _ = breakers.succeeded(&agent.id, permit).await;
            }
            Outcome::ok(&json!({ "replayed": true, "dead_letter": shown, "attempts": attempts, "agent_response": reply.json }))
        }
        // A replay never asks for a stream.
        Ok(Delivered::Stream(..)) => Err(Problem::AgentInvalidReply { dead_lettered: true }),
        Err(Undelivered::Rejected(_)) => Err(Problem::AgentRejected),
        Err(Undelivered::Deadline) => Err(Problem::DeadlineExceeded { dead_lettered: true }),
        Err(Undelivered::Refused { retry_after_ms }) => Err(Problem::AgentUnavailable {
            circuit_breaker: phase.as_str(),
            retry_after: retry_after_ms.div_ceil(1_000).max(1),
            dead_lettered: true,
        }),
        Err(Undelivered::Failed { .. }) => {
            Err(Problem::AgentUnavailable { circuit_breaker: phase.as_str(), retry_after: 1, dead_lettered: true })
        }
    }
}

/// The request as it was, redacted, under the key its attempts carried: an agent that did answer
/// the first time can tell.
fn invocation<P: Platform, B: Incoming>(exchange: &Exchange<P, B>, config: &Config, letter: &DeadLetter) -> Invocation {
    Invocation {
        request_id: letter.request_id.clone(),
        student_id: letter.student_id.clone(),
        idempotency_key: letter.idempotency_key.clone(),
        stream: false,
        risk: None,
        redacted: true,
        trace: config.flags.on(Flag::DistributedTracing).then(|| exchange.trace.clone()),
        query: letter.query.clone(),
        intent: letter.intent,
        confidence: letter.confidence,
        student_context: letter.student_context.clone(),
    }
}
