//! A progress bar on standard error.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts steps of a known number.
pub struct Progress {
    total: usize,
    done: AtomicUsize,
}

impl Progress {
    /// A bar of `total` steps.
    #[must_use]
    pub fn new(total: usize) -> Self {
        Self { total, done: AtomicUsize::new(0) }
    }

    /// One step more.
    pub fn tick(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let filled = 40 * done / self.total.max(1);
        eprint!(
            "\r[{}{}] {done}/{} epochs",
            "#".repeat(filled),
            " ".repeat(40_usize.saturating_sub(filled)),
            self.total
        );
        let _ = std::io::stderr().flush();
    }

    /// Ends the line.
    pub fn done(&self) {
        eprintln!();
    }
}
