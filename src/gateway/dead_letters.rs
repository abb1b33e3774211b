//! `GET /api/v1/dead-letters`: what could not be delivered.

use std::rc::Rc;

use serde_json::{Value, json};

use super::answer::Outcome;
use super::entry;
use super::exchange::Exchange;
use crate::auth::Role;
use crate::config::{Config, Flag};
use crate::dead_letter::{self, DEAD_LETTERS, DeadLetter, KEPT_DAYS, MOST_PER_DAY};
use crate::ports::{Incoming, Platform};
use crate::problem::Problem;
use crate::sequence::Position;
use crate::timestamp;

/// Letters in one answer; older ones follow under `?before=`.
const PAGE: usize = 100;

/// The newest dead letters first.
pub async fn list<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Rc<Config>,
) -> Result<Outcome<P>, Problem> {
    exchange.note("route", "dead_letters");
    entry::enter(exchange, config, &[Role::Admin]).await?;
    if !config.flags.on(Flag::DeadLetterQueue) {
        return Err(Problem::NotFound);
    }
    let malformed = || Problem::SchemaValidation(vec!["before: must be the id of a dead letter".into()]);
    let before =
        exchange.query("before").map(|id| dead_letter::position(&id).ok_or_else(malformed)).transpose()?;
    let today = DEAD_LETTERS.bucket(exchange.platform().now());
    let mut letters = Vec::new();
    for bucket in (today.saturating_sub(KEPT_DAYS)..=today).rev() {
        read_day(exchange, bucket, before, &mut letters).await?;
        if letters.len() >= PAGE {
            break;
        }
    }
    let next =
        (letters.len() >= PAGE).then(|| letters.last().and_then(|row| row.get("id").cloned())).flatten();
    Outcome::ok(&json!({ "dead_letters": letters, "next_before": next }))
}

async fn read_day<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    bucket: u64,
    before: Option<Position>,
    letters: &mut Vec<Value>,
) -> Result<(), Problem> {
    let store = exchange.instance.store();
    let unavailable = |_| Problem::ServiceUnavailable("key-value store".into());
    let count = store.counter(&DEAD_LETTERS.counter(bucket)).await.map_err(unavailable)?;
    let count = u64::try_from(count).unwrap_or(0).min(MOST_PER_DAY);
    for number in (1..=count).rev() {
        let at = Position { bucket, number };
        if before.is_some_and(|before| at >= before) {
            continue;
        }
        if letters.len() >= PAGE {
            return Ok(());
        }
        let bytes = store.get(&DEAD_LETTERS.key(at)).await.map_err(unavailable)?;
        if let Some(letter) = bytes.as_deref().and_then(DeadLetter::decode) {
            letters.push(describe(at, &letter));
        }
    }
    Ok(())
}

/// A letter as an admin sees it.
pub fn describe(at: Position, letter: &DeadLetter) -> Value {
    json!({
        "id": dead_letter::id(at),
        "request_id": letter.request_id,
        "failed_at": timestamp::format(letter.at),
        "student_id": letter.student_id,
        "query": letter.query,
        "intent_type": letter.intent,
        "agent": letter.agent,
        "cause": letter.cause,
        "attempts": letter.attempts,
        "replayed_at": letter.replayed_at.map(timestamp::format),
    })
}
