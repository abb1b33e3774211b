//! The SQLite back end: Spin's table, Spin's (SQLite's own) journal and sync settings, so that a
//! write costs here what it costs there: one fsync each, one connection for everybody.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context as _, Result};
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::StoreError;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS spin_key_value (
    store TEXT NOT NULL,
    key   TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (store, key)
)";
const GET: &str = "SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2";
const SET: &str = "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
    ON CONFLICT (store, key) DO UPDATE SET value = ?3";
const DELETE: &str = "DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2";
const KEYS: &str = "SELECT key FROM spin_key_value WHERE store = ?1";

#[derive(Debug)]
pub(super) struct Sqlite {
    /// `None`: in memory.
    path: Option<PathBuf>,
    connection: OnceLock<Mutex<Connection>>,
}

impl Sqlite {
    pub fn in_memory() -> Self {
        Self { path: None, connection: OnceLock::new() }
    }

    pub fn file(path: &Path) -> Result<Self> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .with_context(|| format!("failed to create {}", parent.display()))?;
        }
        Ok(Self { path: Some(path.to_owned()), connection: OnceLock::new() })
    }

    pub fn open(&self) -> Result<(), StoreError> {
        self.with(|_| Ok(()))
    }

    pub fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.with(|connection| {
            connection.prepare_cached(GET)?.query_row([store, key], |row| row.get(0)).optional()
        })
    }

    pub fn set(&self, store: &str, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.with(|connection| connection.prepare_cached(SET)?.execute(params![store, key, value]).map(drop))
    }

    pub fn delete(&self, store: &str, key: &str) -> Result<(), StoreError> {
        self.with(|connection| connection.prepare_cached(DELETE)?.execute([store, key]).map(drop))
    }

    pub fn keys(&self, store: &str) -> Result<Vec<String>, StoreError> {
        self.with(|connection| {
            connection.prepare_cached(KEYS)?.query_map([store], |row| row.get(0))?.collect()
        })
    }

    pub fn increment(&self, store: &str, key: &str, delta: i64) -> Result<i64, StoreError> {
        let sum = self.with(|connection| {
            let transaction = connection.transaction()?;
            let value: Option<Vec<u8>> =
                transaction.prepare_cached(GET)?.query_row([store, key], |row| row.get(0)).optional()?;
            let Some(number) = decode(value) else { return Ok(None) };
            let sum = number.wrapping_add(delta);
            transaction.prepare_cached(SET)?.execute(params![store, key, sum.to_le_bytes()])?;
            transaction.commit()?;
            Ok(Some(sum))
        })?;
        sum.ok_or_else(|| StoreError::NoCounter(format!("value of {key:?} is not 8 bytes")))
    }

    /// Runs `work` on the one connection, telling a multi-threaded runtime that it may block.
    fn with<R>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<R>) -> Result<R, StoreError> {
        let run = || {
            let connection = self.connection()?;
            work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner))
        };
        let threads = Handle::try_current().map(|handle| handle.runtime_flavor());
        let result = match threads {
            Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(run),
            _ => run(),
        };
        result.map_err(|error| StoreError::Failed(format!("{error:?}")))
    }

    fn connection(&self) -> rusqlite::Result<&Mutex<Connection>> {
        if let Some(connection) = self.connection.get() {
            return Ok(connection);
        }
        let connection = match &self.path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        connection.execute(CREATE, [])?;
        Ok(self.connection.get_or_init(|| Mutex::new(connection)))
    }
}

/// No value counts as 0; a value that is not 8 bytes is no counter.
fn decode(value: Option<Vec<u8>>) -> Option<i64> {
    match value {
        None => Some(0),
        Some(bytes) => <[u8; 8]>::try_from(bytes).ok().map(i64::from_le_bytes),
    }
}
