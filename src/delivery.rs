//! Getting an answer out of an agent: attempts, pauses, deadlines, and what each outcome means.
//!
//! [`outcome`] is the only place that says what a failure is, [`retry`] the only one that says
//! whether and when to try again; [`Courier`] does it. Triage is the one owner of retries: Dapr's
//! own are switched off for every agent (see `docs/decisions/004-one-owner-of-retries.md`).

mod courier;
mod outcome;
mod reply;
mod retry;

pub use courier::{Attempt, Courier, Delivered, Report, Undelivered, found_alive};
pub use outcome::{Cause, Class, classify_status};
pub use reply::{MAX_REPLY, Reply, collect};
pub use retry::{RetryPolicy, Verdict, retry_after};
