//! Faults of the store, as a test orders them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::import::Import;

/// What goes wrong with an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It takes this long, then works.
    Slow(Duration),
    /// It fails with this message.
    Fails(String),
    /// It takes this long, then fails.
    SlowThenFails(Duration),
    /// It does not return until the faults are cleared; then it fails.
    Silent,
    /// Whatever would change the store fails.
    ReadOnly,
    /// Whatever would make the store grow fails.
    Full,
}

/// The faults in force. Operations already under way are not touched by a change, but silent ones
/// fail when the faults are cleared.
#[derive(Debug, Default)]
pub struct Faults {
    by_import: Mutex<BTreeMap<Import, Fault>>,
    cleared: Notify,
}

/// The imports that a fault of the whole store concerns.
const STORE: [Import; 7] = [
    Import::Open,
    Import::Get,
    Import::Set,
    Import::Delete,
    Import::Exists,
    Import::Increment,
    Import::ListKeys,
];

impl Faults {
    /// Makes one kind of operation go wrong.
    pub fn set(&self, import: Import, fault: Fault) {
        self.lock().insert(import, fault);
    }

    /// Makes every operation on an open store go wrong (opening one too, unless the fault is
    /// [`Fault::ReadOnly`] or [`Fault::Full`]).
    pub fn set_all(&self, fault: Fault) {
        for import in STORE {
            self.set(import, fault.clone());
        }
    }

    /// The store works again.
    pub fn clear(&self) {
        self.lock().clear();
        self.cleared.notify_waiters();
    }

    /// Waits as the fault of `import` says, then fails if it says so.
    pub(crate) async fn meet(&self, import: Import, redis: bool) -> Result<(), String> {
        let fault = self.lock().get(&import).cloned();
        match fault {
            None => Ok(()),
            Some(Fault::Slow(time)) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            Some(Fault::SlowThenFails(time)) => {
                tokio::time::sleep(time).await;
                Err("injected fault".to_owned())
            }
            Some(Fault::Fails(message)) => Err(message),
            Some(Fault::Silent) => {
                self.cleared.notified().await;
                Err("connection lost".to_owned())
            }
            Some(Fault::ReadOnly) if writes(import) => Err(read_only(redis)),
            Some(Fault::Full) if grows(import) => Err(full(redis)),
            Some(Fault::ReadOnly | Fault::Full) => Ok(()),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Import, Fault>> {
        self.by_import.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn writes(import: Import) -> bool {
    matches!(import, Import::Set | Import::Delete | Import::Increment)
}

fn grows(import: Import) -> bool {
    matches!(import, Import::Set | Import::Increment)
}

fn read_only(redis: bool) -> String {
    let words = if redis {
        "READONLY: You can't write against a read only replica."
    } else {
        "SqliteFailure(Error { code: ReadOnly, extended_code: 8 }, Some(\"attempt to write a readonly database\"))"
    };
    words.to_owned()
}

fn full(redis: bool) -> String {
    let words = if redis {
        "OOM: command not allowed when used memory > 'maxmemory'."
    } else {
        "SqliteFailure(Error { code: DiskFull, extended_code: 13 }, Some(\"database or disk is full\"))"
    };
    words.to_owned()
}
