//! The rules for using the key-value store, kept in one place (design section 6).
//!
//! A synchronous store call stops every request of the instance, and a store that accepts and stays
//! silent stops them for long. So the first store call of a request is an asynchronous `get` under a
//! short timer ([`Store::probe`]); when that fails, the instance leaves the store alone for a while
//! and works without it: the limiter lets pass, breakers count as closed, events are published
//! before the answer. What remains is a hang inside a synchronous call itself.
//!
//! A store that is only busy must not be taken for a silent one, or a burst would lift the limits it
//! should meet: a late read is waited for longer if the store answered others meanwhile.

use std::cell::Cell;
use std::time::Duration;

use crate::ports::{Clock, KeyValue, StoreFault, within};

/// How long the first `get` of a request may take while the store answers nobody.
pub const PROBE_LIMIT: Duration = Duration::from_millis(50);

/// The same in an instance that has not heard from the store yet: the connection is made in it.
pub const FIRST_PROBE_LIMIT: Duration = Duration::from_millis(150);

/// How long an instance leaves a store alone that failed it.
pub const SUSPENSION: Duration = Duration::from_secs(5);

/// How long any later asynchronous call may take.
pub const CALL_LIMIT: Duration = Duration::from_millis(500);

/// The store cannot be used now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unavailable {
    /// Left alone after an earlier failure.
    Suspended,
    /// Did not answer in time.
    TimedOut,
    /// Answered with a fault.
    Failed(StoreFault),
}

impl Unavailable {
    /// The closed label for logs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::TimedOut => "timed_out",
            Self::Failed(_) => "failed",
        }
    }
}

/// What an instance remembers about the store's health.
#[derive(Debug, Default)]
pub struct Health {
    suspended_until: Cell<Option<Duration>>,
    answers: Cell<u64>,
}

/// The store under its rules. A view that borrows the outside and the instance's memory of it.
#[derive(Debug)]
pub struct Store<'a, P> {
    platform: &'a P,
    health: &'a Health,
}

impl<P> Clone for Store<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Store<'_, P> {}

impl<'a, P: KeyValue + Clock> Store<'a, P> {
    /// The store of `platform`, as `health` remembers it.
    pub const fn new(platform: &'a P, health: &'a Health) -> Self {
        Self { platform, health }
    }

    /// The first read of a request: finds out whether the store may be used at all.
    pub async fn probe(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        if self.suspended() {
            return Err(Unavailable::Suspended);
        }
        let answers = self.health.answers.get();
        let limit = if answers == 0 { FIRST_PROBE_LIMIT } else { PROBE_LIMIT };
        let mut call = std::pin::pin!(self.platform.get(key));
        let mut outcome = within(self.platform, limit, call.as_mut()).await;
        if outcome.is_none() && self.health.answers.get() != answers {
            outcome = within(self.platform, CALL_LIMIT, call).await;
        }
        self.note(outcome)
    }

    /// Reads `key`.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        self.timed(CALL_LIMIT, self.platform.get(key)).await
    }

    /// Writes `key`.
    pub async fn set(&self, key: &str, value: &[u8]) -> Result<(), Unavailable> {
        self.timed(CALL_LIMIT, self.platform.set(key, value)).await
    }

    /// Removes `key`.
    pub async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.timed(CALL_LIMIT, self.platform.delete(key)).await
    }

    /// Whether `key` is present.
    pub async fn exists(&self, key: &str) -> Result<bool, Unavailable> {
        self.timed(CALL_LIMIT, self.platform.exists(key)).await
    }

    /// Adds `delta` to a counter and returns its new value. Synchronous: stops the instance while
    /// it runs.
    pub fn increment(&self, key: &str, delta: i64) -> Result<i64, Unavailable> {
        self.blocking(|platform| platform.increment_blocking(key, delta))
    }

    /// Reads a counter without creating it. Its bytes differ between back ends, so the value comes
    /// out of an increment by nothing.
    pub async fn counter(&self, key: &str) -> Result<i64, Unavailable> {
        if self.exists(key).await? { self.increment(key, 0) } else { Ok(0) }
    }

    /// Every key. Maintenance only. Synchronous.
    pub fn list_keys(&self) -> Result<Vec<String>, Unavailable> {
        self.blocking(KeyValue::list_keys_blocking)
    }

    /// Whether the store is left alone at the moment.
    pub fn suspended(&self) -> bool {
        self.health.suspended_until.get().is_some_and(|until| self.platform.monotonic() < until)
    }

    async fn timed<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<T, StoreFault>>,
    ) -> Result<T, Unavailable> {
        if self.suspended() {
            return Err(Unavailable::Suspended);
        }
        self.note(within(self.platform, limit, call).await)
    }

    fn blocking<T>(&self, call: impl FnOnce(&P) -> Result<T, StoreFault>) -> Result<T, Unavailable> {
        if self.suspended() {
            return Err(Unavailable::Suspended);
        }
        self.note(Some(call(self.platform)))
    }

    /// Remembers how a call went; `None` if it was too late.
    fn note<T>(&self, outcome: Option<Result<T, StoreFault>>) -> Result<T, Unavailable> {
        let outcome =
            outcome.map_or(Err(Unavailable::TimedOut), |result| result.map_err(Unavailable::Failed));
        let health = self.health;
        if outcome.is_ok() {
            health.answers.set(health.answers.get().saturating_add(1));
        } else {
            health.suspended_until.set(Some(self.platform.monotonic().saturating_add(SUSPENSION)));
        }
        outcome
    }
}

/// The names of keys. A counter's key starts with `n:` and nothing that is `set` does; both tell
/// their expiry (see `gateway/maintenance.rs`). Caller-chosen bytes enter hashed only.
pub mod keys {
    /// First characters of every counter.
    pub const COUNTER: &str = "n:";

    /// Twenty-four hexadecimal digits of a keyed hash: stands for a student, an idempotency key, …
    pub fn hashed(key: &[u8; 32], parts: &[&str]) -> String {
        let mut mac = hmac_sha256::HMAC::new(key);
        for part in parts {
            // The length in front keeps ("ab", "c") and ("a", "bc") apart.
            mac.update((part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
    }
}
