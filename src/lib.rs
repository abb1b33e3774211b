//! Triage: decides which tutor agent should answer a student's message, and gets the answer.
//!
//! The life of a request:
//! 1. [`component`] takes it off the wire; everything above the edge is plain values.
//! 2. [`route`] names the endpoint, [`gateway`] leads it through the following.
//! 3. [`auth`] turns header, keys and time into claims; [`rate_limit`] sees whether there is room.
//! 4. [`contract`] reads the body, [`threat`] flags what is suspicious, [`idempotency`] finds repeats.
//! 5. [`intent`] decides what the student wants; [`agents`] says who answers that.
//! 6. [`breaker`] admits the call, [`delivery`] makes it through [`dapr`], within its deadline.
//! 7. [`contract`] or [`problem`] says what came of it; [`sse`] frames it for a stream.
//! 8. [`audit`] and [`dead_letter`] keep what must not be lost, after [`privacy`] has redacted it.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects,
        clippy::unreachable,
        clippy::disallowed_methods,
        clippy::await_holding_refcell_ref,
        clippy::await_holding_lock
    )
)]

pub mod agents;
pub mod audit;
pub mod auth;
pub mod breaker;
#[cfg(target_family = "wasm")]
pub mod component;
pub mod config;
pub mod contract;
pub mod dapr;
pub mod dead_letter;
pub mod delivery;
pub mod gateway;
pub mod idempotency;
pub mod ids;
pub mod intent;
pub mod json;
pub mod page;
pub mod ports;
pub mod privacy;
pub mod problem;
pub mod rate_limit;
pub mod route;
pub mod sequence;
pub mod sse;
pub mod store;
pub mod threat;
pub mod timestamp;
