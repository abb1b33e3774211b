//! A stand-in for a Dapr sidecar with five canned tutor agents behind it.
//!
//! It lets Triage run where neither Dapr nor an agent is installed, and it is as inconvenient as the
//! real thing: routes, error documents, event wrapping and the treatment of event streams follow
//! daprd 1.18 where a caller can see them. It has no state; [`answer`] is a function of the request
//! and a [`Stamp`], and says what to send and when. Sending is left to `component.rs` (on Spin) or to
//! a test.
//!
//! What a call passes through: [`route`] tells health, publish and everything else apart; [`publish`]
//! wraps and reports an event; [`invoke`] finds the agent as daprd does and relays its reply;
//! [`agent`] is the agent itself, [`simulate`] how it is made to misbehave.
//!
//! # Making an agent misbehave
//!
//! `student_progress.metadata.simulate` of the question steers the agent that gets it:
//!
//! | value | the agent |
//! |---|---|
//! | `status:503`, `status:429;retry-after=2` | answers with this status (400 to 599) |
//! | `slow:1500` | lets the head of its answer wait, milliseconds |
//! | `stall` | never answers |
//! | `error` | answers 200 with `"status": "error"` |
//! | `invalid` | answers 200 with something that is not JSON |
//! | `huge` | answers with more than 1 MiB of JSON |
//! | `cut` | the connection breaks in the middle of the answer |
//! | `truncate` | the answer stops in the middle, but ends in good order: what daprd makes of an agent that dies while it answers |
//! | `plain` | answers JSON although a stream was asked for |
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects,
        clippy::unreachable
    )
)]

pub mod agent;
mod answer;
mod cloud_event;
#[cfg(target_family = "wasm")]
mod component;
mod event_stream;
mod fault;
pub mod invoke;
mod lesson;
mod misbehave;
pub mod publish;
pub mod route;
pub mod simulate;

pub use answer::{Answer, Body, Ending, Piece, Wait};
pub use publish::{Publication, Stamp};

use route::Route;

/// daprd's default limit for a request's body, in bytes.
pub const MAX_BODY_BYTES: usize = 4 << 20;

/// The app this sidecar stands beside, as Dapr names it in events and errors.
pub const APP_ID: &str = "triage";

/// What daprd, or an agent behind it, answers to `request`.
///
/// The same request and stamp give the same answer.
#[must_use]
pub fn answer(request: &http::Request<Vec<u8>>, stamp: &Stamp) -> Answer {
    if request.body().len() > MAX_BODY_BYTES {
        return fault::body_too_large();
    }
    match route::of(request.method(), request.uri().path()) {
        Route::Health => Answer::empty(),
        Route::Publish { pubsub, topic } => publish::publish(request, &pubsub, &topic, stamp),
        Route::Invoke => invoke::invoke(request),
    }
}
