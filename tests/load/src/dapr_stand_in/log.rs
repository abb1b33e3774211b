//! What a stand-in saw: calls of agents with their times, events with their ids.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

/// One call of an agent.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The agent's app id.
    pub app: String,
    /// When its head was there.
    pub arrived: Instant,
    /// When the answer was ready; `None` when the caller let go before.
    pub replied: Option<Instant>,
}

impl Visit {
    /// How long the agent took.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.replied.map(|replied| replied - self.arrived).unwrap_or_default()
    }
}

/// An event that arrived at least once.
#[derive(Clone, Debug, Default)]
pub struct Arrived {
    /// How often.
    pub times: usize,
    /// The `outcome` each time (empty where it has none).
    pub outcomes: Vec<String>,
}

impl Arrived {
    /// Whether nobody ever told how the request ended.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.outcomes.iter().all(|outcome| outcome == "unknown")
    }
}

/// Names a call in the log.
#[derive(Clone, Debug)]
pub struct Ticket(String, usize);

/// Everything seen so far.
#[derive(Debug, Default)]
pub struct Log(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// By request id.
    visits: HashMap<String, Vec<Visit>>,
    /// By topic, then by event id.
    events: HashMap<String, HashMap<String, Arrived>>,
    unreadable: usize,
}

impl Log {
    pub(super) fn called(&self, app: &str, id: &str, arrived: Instant) -> Ticket {
        let mut seen = self.lock();
        let visits = seen.visits.entry(id.to_owned()).or_default();
        visits.push(Visit { app: app.to_owned(), arrived, replied: None });
        Ticket(id.to_owned(), visits.len() - 1)
    }

    pub(super) fn replied(&self, ticket: Ticket, now: Instant) {
        let Ticket(id, number) = ticket;
        let mut seen = self.lock();
        if let Some(visit) = seen.visits.get_mut(&id).and_then(|visits| visits.get_mut(number)) {
            visit.replied = Some(now);
        }
    }

    /// Notes an event that has arrived; `body` is its JSON.
    pub fn arrived(&self, topic: &str, body: &[u8]) {
        let event: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut seen = self.lock();
        let Some(id) = event["id"].as_str() else {
            seen.unreadable += 1;
            return;
        };
        let arrived = seen.events.entry(topic.to_owned()).or_default().entry(id.to_owned()).or_default();
        arrived.times += 1;
        arrived.outcomes.push(event["data"]["outcome"].as_str().unwrap_or_default().to_owned());
    }

    /// The calls made for the request `id`.
    #[must_use]
    pub fn visits(&self, id: &str) -> Vec<Visit> {
        self.lock().visits.get(id).cloned().unwrap_or_default()
    }

    /// Ids of all requests that reached an agent.
    #[must_use]
    pub fn visited(&self) -> Vec<String> {
        self.lock().visits.keys().cloned().collect()
    }

    /// Calls of agents so far.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.lock().visits.values().map(Vec::len).sum()
    }

    /// The events of `topic` so far, by id.
    #[must_use]
    pub fn events(&self, topic: &str) -> HashMap<String, Arrived> {
        self.lock().events.get(topic).cloned().unwrap_or_default()
    }

    /// Bodies that were no event.
    #[must_use]
    pub fn unreadable(&self) -> usize {
        self.lock().unreadable
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
