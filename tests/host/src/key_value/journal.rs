//! Every store call of every guest, counted and stamped.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::import::Import;
use crate::instance::caller::Caller;

/// One store call of a guest.
#[derive(Clone, Debug)]
pub struct StoreOp {
    /// When it began, since the application started.
    pub at: Duration,
    /// When it ended; `None` while it is under way (or its instance died under it).
    pub ended: Option<Duration>,
    /// What it was.
    pub import: Import,
    /// The store's label.
    pub label: String,
    /// The key; empty for calls without one.
    pub key: String,
    /// Size of the value written, or read.
    pub bytes: usize,
    /// Id of the component that called.
    pub component: String,
    /// Number of the instance that called, from 1.
    pub instance: u64,
    /// Tag of the request on whose behalf it was made, when that request has one.
    pub request: Option<String>,
    /// The error the guest got.
    pub error: Option<String>,
}

/// The calls so far; empty for ever when counting is off.
#[derive(Debug)]
pub(crate) struct Journal(Option<Mutex<Vec<StoreOp>>>);

impl Journal {
    pub fn new(counting: bool) -> Self {
        Self(counting.then(Mutex::default))
    }

    /// Notes a call that begins; the number is for [`Journal::end`].
    pub fn begin(&self, at: Duration, import: Import, caller: &Caller, place: (&str, &str)) -> usize {
        let Some(ops) = &self.0 else { return 0 };
        let mut ops = ops.lock().unwrap_or_else(PoisonError::into_inner);
        ops.push(StoreOp {
            at,
            ended: None,
            import,
            label: place.0.to_owned(),
            key: place.1.to_owned(),
            bytes: 0,
            component: caller.component.to_string(),
            instance: caller.instance,
            request: caller.request.as_deref().map(str::to_owned),
            error: None,
        });
        ops.len() - 1
    }

    pub fn end(&self, number: usize, at: Duration, outcome: Result<usize, String>) {
        let Some(ops) = &self.0 else { return };
        let mut ops = ops.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(op) = ops.get_mut(number) {
            op.ended = Some(at);
            match outcome {
                Ok(bytes) => op.bytes = bytes,
                Err(error) => op.error = Some(error),
            }
        }
    }

    pub fn list(&self) -> Vec<StoreOp> {
        let Some(ops) = &self.0 else { return Vec::new() };
        ops.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn count(&self, import: Import) -> usize {
        let Some(ops) = &self.0 else { return 0 };
        let ops = ops.lock().unwrap_or_else(PoisonError::into_inner);
        ops.iter().filter(|op| op.import == import).count()
    }
}
