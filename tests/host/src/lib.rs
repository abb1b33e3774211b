//! Runs a Spin application on wasmtime, with Spin 4.1's semantics.
//!
//! The same `spin.toml` and the same components run here and under Spin. `make up` uses the binary
//! where Spin is not installed; the tests use this library, which adds what a test needs: a clock
//! that is moved, scripted upstreams, a store that is counted and made to fail, requests that
//! interleave in one instance, traps on demand.
//!
//! [`App`] is the way in; its builder is [`App::builder`].

mod app;
pub mod clock;
mod engine;
mod front;
mod import;
mod instance;
pub mod key_value;
mod logs;
pub mod manifest;
mod outbound;
mod response;
pub mod runtime_config;
mod server;
pub mod variables;
mod violation;
mod world;

pub use app::{App, Builder, Instance, Tag};
pub use engine::imports;
pub use front::Fault;
pub use import::{Import, Trap};
pub use instance::prepared::Limits;
pub use key_value::Store;
pub use key_value::fault::Fault as StoreFault;
pub use key_value::journal::StoreOp;
pub use key_value::redis_stand_in::RedisStandIn;
pub use logs::LogLine;
pub use outbound::record::{Call, CallEnd, Framing};
pub use outbound::script::{Reply, Upstream};
pub use response::{Frame, Response, Stream};
pub use server::Server;
pub use violation::Violation;
