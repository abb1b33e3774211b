//! `POST /api/v1/dead-letters/{id}/replay`: one more try, once, for the admin's eyes.

use std::rc::Rc;

use serde_json::json;

use super::answer::Outcome;
use super::dead_letters::describe;
use super::dispatch;
use super::entry::{self, Caller};
use super::exchange::Exchange;
use crate::auth::Role;
use crate::config::{Config, Flag};
use crate::dapr::Invocation;
use crate::dead_letter::{self, DEAD_LETTERS, DeadLetter};
use crate::delivery::{self, Delivered, Report};
use crate::ports::{Incoming, Platform};
use crate::problem::Problem;
use crate::sequence::Position;
use crate::store::Unavailable;

/// Replays a dead letter; `?dry_run=true` only shows what would happen.
pub async fn replay<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Rc<Config>,
    id: &str,
) -> Result<Outcome<P>, Problem> {
    exchange.note("route", "replay");
    let caller = entry::enter(exchange, config, &[Role::Admin]).await?;
    let at = dead_letter::position(id)
        .filter(|_| config.flags.on(Flag::DeadLetterQueue))
        .ok_or(Problem::NotFound)?;
    let letter = read(exchange, at).await?;
    if exchange.asks("dry_run", "true")? {
        let would =
            if letter.replayed_at.is_some() { "nothing: it was replayed already" } else { "call the agent" };
        return Outcome::ok(
            &json!({ "dry_run": true, "would": would, "dead_letter": describe(at, &letter) }),
        );
    }
    let (claim, previous) = dead_letter::replay_claims(at, &letter.request_id, exchange.arrived);
    let store = exchange.instance.store();
    let in_progress = Problem::IdempotencyConflict("this dead letter is being replayed");
    if store.increment(&claim, 1).map_err(unavailable)? > 1 {
        return Err(in_progress);
    }
    let outcome = match store.exists(&previous).await {
        Ok(false) => claimed(exchange, config, &caller, at).await,
        Ok(true) => Err(in_progress),
        Err(fault) => Err(unavailable(fault)),
    };
    // However it went: a claim that stayed behind would keep out the next try.
    let _ = store.delete(&claim).await;
    outcome
}

/// The replay of whoever has the claim.
async fn claimed<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    caller: &Caller,
    at: Position,
) -> Result<Outcome<P>, Problem> {
    // Read under the claim: another replay may have ended since the letter was looked at first.
    let letter = read(exchange, at).await?;
    if letter.replayed_at.is_some() {
        return Err(Problem::IdempotencyConflict("this dead letter was replayed already"));
    }
    deliver(exchange, config, caller, at, letter).await
}

fn unavailable(_: Unavailable) -> Problem {
    Problem::ServiceUnavailable("key-value store".into())
}

async fn read<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    at: Position,
) -> Result<DeadLetter, Problem> {
    let bytes = exchange.instance.store().get(&DEAD_LETTERS.key(at)).await.map_err(unavailable)?;
    bytes.as_deref().and_then(DeadLetter::decode).ok_or(Problem::NotFound)
}

async fn deliver<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    caller: &Caller,
    at: Position,
    mut letter: DeadLetter,
) -> Result<Outcome<P>, Problem> {
    let agent = config.agents.by_id(&letter.agent).ok_or(Problem::NotFound)?;
    let shown = describe(at, &letter);
    let courier = dispatch::courier(exchange, config);
    let report = courier.deliver(agent, &invocation(exchange, config, &letter), caller.records.clone()).await;
    let Report { attempts, phase, permit, result } = report;
    let reached = permit.filter(|permit| delivery::found_alive(*permit, &result));
    if let Some(permit) = reached.filter(|_| config.flags.on(Flag::CircuitBreaker)) {
        let _ = exchange.instance.breakers(config).succeeded(&agent.id, permit).await;
    }
    let reply = match result {
        Ok(Delivered::Json(reply)) => reply,
        // A replay never asks for a stream.
        Ok(Delivered::Stream(..)) => return Err(Problem::AgentInvalidReply { dead_lettered: true }),
        Err(undelivered) => return Err(dispatch::problem(undelivered, phase, config, true)),
    };
    letter.replayed_at = Some(exchange.platform().now());
    let degraded: Option<[&str; 1]> = note(exchange, at, &letter).await.is_err().then_some(["store"]);
    Outcome::ok(&json!({
        "replayed": true,
        "degraded": degraded,
        "dead_letter": shown,
        "attempts": attempts,
        "agent_response": reply.json,
    }))
}

/// Notes the replay in the letter, unless the letter was erased meanwhile.
async fn note<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    at: Position,
    letter: &DeadLetter,
) -> Result<(), Unavailable> {
    let (store, key) = (exchange.instance.store(), DEAD_LETTERS.key(at));
    if store.exists(&key).await? { store.set(&key, &letter.encode()).await } else { Ok(()) }
}

/// The request as it was, redacted, under the key its attempts carried: an agent that did answer
/// the first time can tell.
fn invocation<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    letter: &DeadLetter,
) -> Invocation {
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
