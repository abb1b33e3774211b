//! Key-value stores as Spin keeps them, seen from the host's side.
//!
//! A [`Store`] is one label with its back end. The back ends differ where Spin's differ: a counter is
//! 8 bytes little-endian in SQLite and ASCII in Redis, so only `increment` reads it everywhere. The
//! guest's side ([`guest`]) adds access control, counting, faults and violations; what a test does
//! through [`Store`] itself is neither counted nor disturbed.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use crate::runtime_config::StoreConfig;

pub mod fault;
pub(crate) mod guest;
pub mod journal;
mod redis;
pub mod redis_stand_in;
mod sqlite;

use self::redis::Redis;
use self::sqlite::Sqlite;

/// Why an operation of a back end failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The back end's own words, as Spin passes them to the guest.
    Failed(String),
    /// `increment` met a value that is no counter.
    NoCounter(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(message) | Self::NoCounter(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for StoreError {}

/// One store: a label and where it is kept. Clones are the same store.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    label: String,
    backend: Backend,
    poisoned: AtomicBool,
}

#[derive(Debug)]
enum Backend {
    Sqlite(Sqlite),
    Redis(Redis),
}

impl Store {
    /// A store under `label`, kept where `config` says. Nothing is opened before the first use.
    ///
    /// # Errors
    /// The directory of an SQLite file cannot be made, or the Redis URL is not one.
    pub fn new(label: &str, config: &StoreConfig) -> Result<Self> {
        let backend = match config {
            StoreConfig::SqliteMemory => Backend::Sqlite(Sqlite::in_memory()),
            StoreConfig::SqliteFile(path) => Backend::Sqlite(Sqlite::file(path)?),
            StoreConfig::Redis(url) => Backend::Redis(Redis::new(url)?),
        };
        let (label, poisoned) = (label.to_owned(), AtomicBool::new(false));
        Ok(Self(Arc::new(Inner { label, backend, poisoned })))
    }

    /// An SQLite store in memory under the label `default`.
    #[must_use]
    pub fn in_memory() -> Self {
        let backend = Backend::Sqlite(Sqlite::in_memory());
        let (label, poisoned) = ("default".to_owned(), AtomicBool::new(false));
        Self(Arc::new(Inner { label, backend, poisoned }))
    }

    /// Its label.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.0.label
    }

    /// Whether counters are kept as ASCII digits (Redis) rather than 8 bytes.
    #[must_use]
    pub fn is_redis(&self) -> bool {
        matches!(self.0.backend, Backend::Redis(_))
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// The back end fails.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.get(self.label(), key),
            Backend::Redis(redis) => redis.get(key).await,
        }
    }

    /// Writes the value of `key`.
    ///
    /// # Errors
    /// The back end fails.
    pub async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.set(self.label(), key, value),
            Backend::Redis(redis) => redis.set(key, value).await,
        }
    }

    /// Removes `key`, if it is there.
    ///
    /// # Errors
    /// The back end fails.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.delete(self.label(), key),
            Backend::Redis(redis) => redis.delete(key).await,
        }
    }

    /// Whether `key` is there.
    ///
    /// # Errors
    /// The back end fails.
    pub async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => Ok(sqlite.get(self.label(), key)?.is_some()),
            Backend::Redis(redis) => redis.exists(key).await,
        }
    }

    /// All keys, sorted (neither back end promises an order to guests).
    ///
    /// # Errors
    /// The back end fails.
    pub async fn keys(&self) -> Result<Vec<String>, StoreError> {
        let mut keys = match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.keys(self.label())?,
            Backend::Redis(redis) => redis.keys().await?,
        };
        keys.sort_unstable();
        Ok(keys)
    }

    /// Adds `delta` to the counter `key` (0 when it is not there) and returns the sum.
    ///
    /// # Errors
    /// The back end fails, or the value is no counter.
    pub async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.increment(self.label(), key, delta),
            Backend::Redis(redis) => redis.increment(key, delta).await,
        }
    }

    /// The value of the counter `key`; `None` when it is not there. Does not create it.
    ///
    /// # Errors
    /// The back end fails, or the value is no counter.
    pub async fn counter(&self, key: &str) -> Result<Option<i64>, StoreError> {
        let no_counter = || StoreError::NoCounter(format!("value of {key:?} is no counter"));
        let Some(value) = self.get(key).await? else { return Ok(None) };
        let number = if self.is_redis() {
            std::str::from_utf8(&value).ok().and_then(|digits| digits.parse().ok())
        } else {
            <[u8; 8]>::try_from(value).ok().map(i64::from_le_bytes)
        };
        number.map(Some).ok_or_else(no_counter)
    }

    /// What Spin does on opening a store: Redis is pinged, whatever the outcome.
    pub(crate) async fn opened(&self) -> Result<(), StoreError> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.open(),
            Backend::Redis(redis) => redis.ping().await,
        }
    }

    /// From now on every use by a guest traps, as Spin's does after a panic under its lock.
    pub(crate) fn poison(&self) {
        self.0.poisoned.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.0.poisoned.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
