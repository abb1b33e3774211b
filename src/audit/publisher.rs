//! Publishing with a bound: a slow broker must not pile up calls in the instance.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Record;
use crate::config::DaprConfig;
use crate::dapr;
use crate::ports::{Clock, Platform, TransportLimits, within};

/// Publishes under way at once, per instance.
const MOST_IN_FLIGHT: usize = 8;
/// Records that may wait for their turn in memory; the rest waits in the outbox.
const MOST_QUEUED: usize = 64;
/// How long one publish may take.
const LIMIT: Duration = Duration::from_secs(5);
/// After a failure nothing more is sent to its topic for so long.
pub const PAUSE: Duration = Duration::from_secs(5);

/// How a publish went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// Dapr has acknowledged it.
    Acknowledged,
    /// It was not, or nobody asked because the broker failed a moment ago.
    Failed,
}

/// The instance's publishing, as far as it must be remembered between requests.
#[derive(Debug)]
pub struct Publisher<T> {
    in_flight: Cell<usize>,
    /// Per topic: a broker may refuse one and take the others.
    paused_until: RefCell<BTreeMap<String, Duration>>,
    queue: RefCell<VecDeque<T>>,
}

impl<T> Default for Publisher<T> {
    fn default() -> Self {
        Self {
            in_flight: Cell::new(0),
            paused_until: RefCell::default(),
            queue: RefCell::new(VecDeque::new()),
        }
    }
}

/// A place among those in flight; given back when dropped.
pub struct Place<'a>(&'a Cell<usize>);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl<T> Publisher<T> {
    /// A place to publish from, if there is one.
    pub fn place(&self) -> Option<Place<'_>> {
        let taken = self.in_flight.get();
        (taken < MOST_IN_FLIGHT).then(|| {
            self.in_flight.set(taken.saturating_add(1));
            Place(&self.in_flight)
        })
    }

    /// Queues `job` for whoever finishes next; gives it back when the queue is full.
    pub fn queue(&self, job: T) -> Option<T> {
        let mut queue = self.queue.borrow_mut();
        if queue.len() >= MOST_QUEUED {
            return Some(job);
        }
        queue.push_back(job);
        None
    }

    /// The next job of the queue.
    pub fn next(&self) -> Option<T> {
        self.queue.borrow_mut().pop_front()
    }

    /// Leaves `topic` alone for a while.
    pub fn pause(&self, clock: &impl Clock, topic: &str) {
        let until = clock.monotonic().saturating_add(PAUSE);
        self.paused_until.borrow_mut().insert(topic.to_owned(), until);
    }

    /// Publishes `record`. During the pause after a failure nothing is sent to its topic.
    pub async fn publish<P: Platform>(&self, platform: &P, dapr: &DaprConfig, record: &Record) -> Published {
        let now = platform.monotonic();
        if self.paused_until.borrow().get(&record.topic).is_some_and(|until| now < *until) {
            return Published::Failed;
        }
        let published = send(platform, dapr, record).await;
        match published {
            Published::Acknowledged => drop(self.paused_until.borrow_mut().remove(&record.topic)),
            Published::Failed => self.pause(platform, &record.topic),
        }
        published
    }
}

/// One publish, whatever happened before.
pub async fn send<P: Platform>(platform: &P, dapr: &DaprConfig, record: &Record) -> Published {
    let Some(request) = dapr::publish(dapr, &record.topic, &record.key, &record.event) else {
        return Published::Failed;
    };
    let limits =
        TransportLimits { connect: Duration::from_millis(500), first_byte: LIMIT, between_bytes: LIMIT };
    match within(platform, LIMIT, platform.send(request, limits)).await {
        Some(Ok(response)) if response.status().is_success() => Published::Acknowledged,
        _ => Published::Failed,
    }
}
