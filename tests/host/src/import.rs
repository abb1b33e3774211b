//! The host imports that are counted and that a test can make fail.

use std::sync::{Mutex, PoisonError};

/// A host import, by what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Import {
    /// Open a store (either interface).
    Open,
    /// Read a value.
    Get,
    /// Write a value.
    Set,
    /// Remove a key.
    Delete,
    /// Ask whether a key is there.
    Exists,
    /// `wasi:keyvalue/atomics.increment`.
    Increment,
    /// `wasi:keyvalue/store.bucket.list-keys`.
    ListKeys,
    /// `spin:key-value` `get-keys`: a violation.
    GetKeys,
    /// Compare-and-swap: a violation.
    Cas,
    /// `wasi:keyvalue/batch`: a violation.
    Batch,
    /// `spin:variables` `get`.
    Variable,
    /// An outbound HTTP call.
    Outbound,
}

/// Makes one host call trap. Nothing in the guest knows.
#[derive(Clone, Debug)]
pub struct Trap {
    import: Option<Import>,
    request: Option<String>,
    skip: u64,
}

impl Trap {
    /// Traps the next call of `import`.
    #[must_use]
    pub fn on(import: Import) -> Self {
        Self { import: Some(import), request: None, skip: 0 }
    }

    /// Traps the next host call, whatever it is.
    #[must_use]
    pub fn on_any() -> Self {
        Self { import: None, request: None, skip: 0 }
    }

    /// Counts only calls made for the request with this tag.
    #[must_use]
    pub fn of(mut self, tag: &str) -> Self {
        self.request = Some(tag.to_owned());
        self
    }

    /// Traps the `n`th matching call (from 1) instead of the first.
    #[must_use]
    pub fn nth(mut self, n: u64) -> Self {
        self.skip = n.saturating_sub(1);
        self
    }

    fn matches(&self, import: Import, request: Option<&str>) -> bool {
        self.import.is_none_or(|wanted| wanted == import)
            && self.request.as_deref().is_none_or(|wanted| request == Some(wanted))
    }
}

/// The traps still to happen.
#[derive(Debug, Default)]
pub(crate) struct Traps(Mutex<Vec<Trap>>);

impl Traps {
    pub fn add(&self, trap: Trap) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(trap);
    }

    /// Whether this call is to trap; a trap happens once.
    pub fn spring(&self, import: Import, request: Option<&str>) -> bool {
        let mut traps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sprung = None;
        for (index, trap) in traps.iter_mut().enumerate() {
            if trap.matches(import, request) {
                if trap.skip == 0 {
                    sprung = Some(index);
                    break;
                }
                trap.skip -= 1;
            }
        }
        sprung.map(|index| traps.remove(index)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_matching_call_traps_once() {
        let traps = Traps::default();
        traps.add(Trap::on(Import::Get).of("a").nth(2));
        let calls = [
            (Import::Get, Some("a"), false),
            (Import::Get, Some("b"), false),
            (Import::Set, Some("a"), false),
            (Import::Get, None, false),
            (Import::Get, Some("a"), true),
            (Import::Get, Some("a"), false),
        ];
        for (import, request, sprung) in calls {
            assert_eq!(traps.spring(import, request), sprung, "{import:?} {request:?}");
        }
    }
}
