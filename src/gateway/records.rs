//! `GET /internal/students/{id}/records` and `POST …/records/erase`: what the store holds of one
//! student, to hand over or to delete.
//!
//! Both list the keys of the whole store, as maintenance does, so they stand beside it and are
//! guarded like it. Counters are left out: they hold no data but a number under a keyed hash, and
//! end by themselves. An event that is not published yet is shown but never deleted: it is part of
//! the audit trail, and leaves the store as soon as the broker has acknowledged it.

use serde_json::{Value, json};

use super::answer::Outcome;
use super::dead_letters::describe;
use super::exchange::Exchange;
use super::maintenance;
use crate::audit::{OUTBOX, Slot};
use crate::auth::Subject;
use crate::breaker::RECORDS_KEY;
use crate::config::Config;
use crate::dead_letter::{DEAD_LETTERS, DeadLetter};
use crate::idempotency;
use crate::ports::{Incoming, Platform};
use crate::problem::Problem;
use crate::store::Unavailable;

/// Everything of one student.
#[derive(Default)]
struct Records {
    dead_letters: Vec<(String, Value)>,
    stored_answers: Vec<(String, Value)>,
    pending_events: Vec<Value>,
}

/// Shows the records of `student`.
pub async fn export<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    student: &Subject,
) -> Result<Outcome<P>, Problem> {
    exchange.note("route", "student_records");
    maintenance::authorise(exchange, config)?;
    let found = collect(exchange, student).await.map_err(unavailable)?;
    let values =
        |records: Vec<(String, Value)>| records.into_iter().map(|(_, value)| value).collect::<Vec<_>>();
    Outcome::ok(&json!({
        "student_id": student.as_str(),
        "dead_letters": values(found.dead_letters),
        "stored_answers": values(found.stored_answers),
        "pending_events": found.pending_events,
    }))
}

/// Deletes the records of `student`; says how many there were, and how many events are still on
/// their way.
pub async fn erase<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    student: &Subject,
) -> Result<Outcome<P>, Problem> {
    exchange.note("route", "student_erasure");
    maintenance::authorise(exchange, config)?;
    let found = collect(exchange, student).await.map_err(unavailable)?;
    for (key, _) in found.dead_letters.iter().chain(&found.stored_answers) {
        exchange.instance.store().delete(key).await.map_err(unavailable)?;
    }
    Outcome::ok(&json!({
        "student_id": student.as_str(),
        "deleted": {
            "dead_letters": found.dead_letters.len(),
            "stored_answers": found.stored_answers.len(),
        },
        "pending_events": found.pending_events.len(),
    }))
}

fn unavailable(fault: Unavailable) -> Problem {
    Problem::ServiceUnavailable(format!("key-value store: {}", fault.as_str()))
}

async fn collect<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    student: &Subject,
) -> Result<Records, Unavailable> {
    let store = exchange.instance.store();
    let mut records = Records::default();
    // Listing is synchronous: this finds out first whether the store may be used at all.
    store.probe(RECORDS_KEY).await?;
    for key in store.list_keys()? {
        if holds_people(&key)
            && let Some(bytes) = store.get(&key).await?
        {
            records.take(key, &bytes, student.as_str());
        }
    }
    Ok(records)
}

/// Whether values under `key` tell whom they are about.
fn holds_people(key: &str) -> bool {
    OUTBOX.position(key).is_some() || DEAD_LETTERS.position(key).is_some() || idempotency::is_record(key)
}

impl Records {
    fn take(&mut self, key: String, bytes: &[u8], student: &str) {
        if let Some(at) = DEAD_LETTERS.position(&key) {
            let letter = DeadLetter::decode(bytes).filter(|letter| letter.student_id == student);
            self.dead_letters.extend(letter.map(|letter| (key, describe(at, &letter))));
        } else if idempotency::is_record(&key) {
            let answer = idempotency::Record::read(bytes)
                .and_then(|record| serde_json::from_str::<Value>(&record.body).ok())
                .filter(|body| body.get("student_id").and_then(Value::as_str) == Some(student));
            self.stored_answers.extend(answer.map(|body| (key, body)));
        } else {
            let records = Slot::decode(bytes).map(|slot| slot.records).unwrap_or_default();
            let theirs = records.into_iter().filter(|record| record.key == student);
            self.pending_events.extend(theirs.filter_map(|record| serde_json::to_value(record.event).ok()));
        }
    }
}
