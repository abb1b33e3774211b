//! What clients received, held against what arrived at the broker.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use triage_load::dapr_stand_in::{Arrived, Log};

use crate::verdict::Verdict;

/// Topic of the audit events.
pub const AUDIT: &str = "learning.events";
/// Topic of the dead letters.
pub const DEAD_LETTERS: &str = "dead-letter.queue";

/// Statuses whose event is promised, whatever happens (design section 7).
const PROMISED: [u16; 4] = [200, 422, 502, 504];

/// An answer as a client got it.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The request's id.
    pub id: String,
    /// The answer's status.
    pub status: u16,
    /// Whether the answer said that a dead letter was filed.
    pub dead_lettered: bool,
    /// Whether it was a stored answer.
    pub replayed: bool,
    /// Whether it broke off after its head.
    pub cut: bool,
    /// Where in the run it was, for whoever looks into it.
    pub place: String,
}

impl Receipt {
    /// Out of an answer's parts; `header` looks a header up.
    pub fn new<'a>(
        status: u16,
        header: impl Fn(&str) -> Option<&'a str>,
        body: &Value,
        place: String,
    ) -> Self {
        Self {
            id: header("x-request-id").unwrap_or_default().to_owned(),
            status,
            dead_lettered: body["fallback"] == "dead_letter_queue",
            replayed: header("idempotency-replayed").is_some(),
            cut: false,
            place,
        }
    }

    /// Whether its event may never be missing.
    pub fn is_promised(&self) -> bool {
        PROMISED.contains(&self.status)
    }

    fn describe(&self) -> String {
        let replayed = if self.replayed { ", replayed" } else { "" };
        let cut = if self.cut { ", cut after its head" } else { "" };
        format!("{} ({}{replayed}{cut}, {})", self.id, self.status, self.place)
    }
}

/// Everything that clients received.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    receipts: Vec<Receipt>,
    unanswered: usize,
    faults: Vec<String>,
}

impl Ledger {
    /// An answer.
    pub fn received(&self, receipt: Receipt) {
        self.lock().receipts.push(receipt);
    }

    /// A request that got none, because the process was killed.
    pub fn unanswered(&self) {
        self.lock().unanswered += 1;
    }

    /// A request that got none although nobody killed anything.
    pub fn fault(&self, what: String) {
        self.lock().faults.push(what);
    }

    /// Answers so far.
    pub fn answers(&self) -> usize {
        self.lock().receipts.len()
    }

    /// How many promised events have not arrived yet.
    pub fn missing(&self, log: &Log) -> usize {
        let events = log.events(AUDIT);
        self.lock().receipts.iter().filter(|r| r.is_promised() && !events.contains_key(&r.id)).count()
    }

    /// The figures, and whether an event is missing.
    pub fn settle(&self, log: &Log, verdict: &mut Verdict) {
        let entries = self.lock();
        let (events, letters) = (log.events(AUDIT), log.events(DEAD_LETTERS));
        let receipts = &entries.receipts;
        verdict.figure("answers received, by status", by_status(receipts));
        verdict.figure("  of them streams or answers cut after their head", count(receipts, |r| r.cut));
        verdict.figure("  of them stored answers, replayed", count(receipts, |r| r.replayed));
        verdict.figure("requests without an answer", entries.unanswered);
        figures_of_events(&events, verdict);
        let unheard = |receipt: &&Receipt| !events.contains_key(&receipt.id);
        let zero = |verdict: &mut Verdict, name: &str, found: Vec<&Receipt>| {
            verdict.zero(name, found.len(), found.iter().map(|r| r.describe()));
        };
        let promised = || receipts.iter().filter(|r| r.is_promised());
        zero(
            verdict,
            "lost: answers whose event never arrived",
            promised().filter(|r| !r.replayed).filter(unheard).collect(),
        );
        zero(
            verdict,
            "lost: stored answers, replayed, without an event of their own",
            promised().filter(|r| r.replayed).filter(unheard).collect(),
        );
        let letterless = receipts.iter().filter(|r| r.dead_lettered && !letters.contains_key(&r.id));
        zero(verdict, "lost: dead letters that an answer announced", letterless.collect());
        let others = receipts.iter().filter(|r| !r.is_promised()).filter(unheard).count();
        verdict.figure("other answers (400, 409) without an event, allowed", others);
        zero(
            verdict,
            "answers 500: the host's word for a trap",
            receipts.iter().filter(|r| r.status == 500).collect(),
        );
        verdict.zero(
            "requests that broke though nobody killed the host",
            entries.faults.len(),
            entries.faults.clone(),
        );
        verdict.zero("published bodies that were no event", log.unreadable(), Vec::new());
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(receipts: &[Receipt], test: impl Fn(&Receipt) -> bool) -> usize {
    receipts.iter().filter(|receipt| test(receipt)).count()
}

fn by_status(receipts: &[Receipt]) -> String {
    let mut counts = BTreeMap::new();
    for receipt in receipts {
        *counts.entry(receipt.status).or_insert(0_usize) += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(status, n)| format!("{status}: {n}")).collect();
    format!("{} ({})", receipts.len(), counts.join(", "))
}

fn figures_of_events(events: &HashMap<String, Arrived>, verdict: &mut Verdict) {
    let repeats: usize = events.values().map(|event| event.times.saturating_sub(1)).sum();
    let unknown = events.values().filter(|event| event.is_unknown()).count();
    verdict.figure("audit events, distinct", events.len());
    verdict.figure("  duplicates of them", repeats);
    verdict.figure("  with outcome unknown only", unknown);
}
