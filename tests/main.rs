//! The real component in the embedded host: one binary, one module per subject.
//!
//! `TRIAGE_WASM` and `SIDECAR_WASM` name other builds than `target/wasm32-wasip2/release`.

mod support;

mod agents;
mod attacks;
mod audit;
mod bad_input;
mod breaker;
mod chaos;
mod classifier;
mod dapr;
mod dead_letters;
mod deployment;
mod flags;
mod headers;
mod idempotency;
mod limits;
mod manifest;
mod page;
mod skeleton;
mod store;
mod streams;
mod student_records;
