//! What all components of one application share: clock, variables, stores, records of what happened.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::import::{Import, Traps};
use crate::instance::caller::Caller;
use crate::key_value::Store;
use crate::key_value::fault::Faults;
use crate::key_value::journal::Journal;
use crate::logs::Logs;
use crate::variables::Variables;
use crate::violation::{Violation, Violations};

/// The shared state.
pub(crate) struct World {
    pub clock: Clock,
    pub variables: Variables,
    pub stores: BTreeMap<String, Store>,
    pub faults: Faults,
    pub journal: Journal,
    pub counters: Counters,
    pub traps: Traps,
    pub violations: Violations,
    pub logs: Arc<Logs>,
    /// Numbers for instances, over all components.
    pub instances: AtomicU64,
    /// Instances that die from now on die with the application.
    pub ending: AtomicBool,
    /// Seed of the guests' randomness; `None`: the machine's.
    pub seed: Option<u64>,
}

impl World {
    /// Traps if a test asked for it.
    pub fn spring(&self, import: Import, caller: &Caller) -> wasmtime::Result<()> {
        if self.traps.spring(import, caller.request.as_deref()) {
            return Err(wasmtime::format_err!("injected trap in {import:?}"));
        }
        Ok(())
    }

    /// Records a violation and says so in the log.
    pub fn violation(&self, violation: Violation) {
        self.logs.line("host", true, &format!("violation: {violation}"));
        self.violations.add(violation);
    }
}

/// The keys that guests use as counters, by label and key. Off outside tests, where it would grow
/// without end.
#[derive(Debug, Default)]
pub(crate) struct Counters(Option<Mutex<HashSet<(String, String)>>>);

impl Counters {
    pub fn watching() -> Self {
        Self(Some(Mutex::default()))
    }

    pub fn note(&self, label: &str, key: &str) {
        self.with(|keys| {
            keys.insert((label.to_owned(), key.to_owned()));
        });
    }

    pub fn forget(&self, label: &str, key: &str) {
        self.with(|keys| {
            keys.remove(&(label.to_owned(), key.to_owned()));
        });
    }

    pub fn is_counter(&self, label: &str, key: &str) -> bool {
        let mut found = false;
        self.with(|keys| found = keys.contains(&(label.to_owned(), key.to_owned())));
        found
    }

    fn with(&self, work: impl FnOnce(&mut HashSet<(String, String)>)) {
        if let Some(keys) = &self.0 {
            work(&mut keys.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}
