//! The audit trail: an event for every decision, at least once, none lost.
//!
//! A write-ahead record goes to the outbox while the agent works; after the answer the event is
//! published and, once Dapr has acknowledged it, the record ends. What an instance leaves behind
//! (it died, or the broker was down) is published by maintenance or by a later request. Consumers
//! drop repeats by event id. `docs/decisions/005-outbox.md` has the reasoning.

mod event;
mod outbox;
mod publisher;
mod record;
mod security;

pub use event::{Delivery, Ending, Facts, TriageAudit, dead_letter, decision};
pub use outbox::{Outbox, Ticket};
pub use publisher::{PAUSE, Published, Publisher, send};
pub use record::{OUTBOX, Record, STALE_MS, Slot};
pub use security::{Refusals, security_event};
