//! The circuit breaker of each agent, shared by all instances through the store.
//!
//! Two halves. The state machine ([`admit`], [`after_failure`], [`after_probe`]) is pure: record
//! and time in, decision out. The store adapter ([`Breakers`]) keeps the records and counts with
//! `increment`, the one primitive that is atomic on every back end.
//!
//! ```text
//!            5 failures in a row                 30 s passed
//!   closed ───────────────────────▶ open ───────────────────────▶ half-open
//!     ▲                              ▲  └ refuses every call         │ one probe per lease
//!     │                              └────────── probe failed ───────┤
//!     └───────────────────────────────────────── probe succeeded ────┘
//! ```
//!
//! Each transition starts a new *generation*. Failures are counted on a key of their generation and
//! an outcome counts only for the generation it was admitted under, so a success that was admitted
//! before a trip cannot undo it. `docs/decisions/003-breaker-without-cas.md` has the reasoning,
//! and what a lost update costs.

mod record;
mod state;
mod store;

pub use record::Records;
pub use state::{Admission, Breaker, Permit, Phase, Policy, admit, after_failure, after_probe};
pub use store::{Breakers, RECORDS_KEY, Verdict, is_spent};
