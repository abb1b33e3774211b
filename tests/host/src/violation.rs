//! What a guest must never do under Spin, caught here because Spin itself would hang or panic.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// `spin:key-value` `get-keys`: beside another store call it hangs every store call of Spin.
    GetKeys {
        /// Who called.
        component: String,
    },
    /// `increment` of a value that is no counter: Spin's SQLite back end panics and stays broken.
    IncrementOfValue {
        /// Who called.
        component: String,
        /// The key.
        key: String,
    },
    /// Compare-and-swap is not safe on either back end.
    CompareAndSwap {
        /// Who called.
        component: String,
    },
    /// `batch` scans the whole store on Redis.
    Batch {
        /// Who called.
        component: String,
    },
    /// `get` or `set` of a counter: its encoding differs per back end. Spin lets it pass.
    CounterAsValue {
        /// Who called.
        component: String,
        /// The key.
        key: String,
    },
}

impl Violation {
    /// Whether Spin's store is unusable afterwards, until a restart.
    #[must_use]
    pub fn poisons(&self) -> bool {
        !matches!(self, Self::CounterAsValue { .. })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GetKeys { component } => {
                write!(f, "component `{component}` called spin:key-value get-keys")
            }
            Self::IncrementOfValue { component, key } => {
                write!(f, "component `{component}` incremented `{key}`, which is no counter")
            }
            Self::CompareAndSwap { component } => {
                write!(f, "component `{component}` used compare-and-swap")
            }
            Self::Batch { component } => write!(f, "component `{component}` used batch"),
            Self::CounterAsValue { component, key } => {
                write!(f, "component `{component}` read or wrote counter `{key}` as a value")
            }
        }
    }
}

/// The violations of an application so far.
#[derive(Debug, Default)]
pub(crate) struct Violations(Mutex<Vec<Violation>>);

impl Violations {
    pub fn add(&self, violation: Violation) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(violation);
    }

    pub fn list(&self) -> Vec<Violation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn take(&self) -> Vec<Violation> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
