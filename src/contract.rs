//! The contract with the students' app: what a request must look like and what an answer says.

mod decision;
#[cfg(test)]
mod openapi_tests;
mod request;
mod schema;

pub use decision::{Metadata, RoutingDecision, Secondary, Timing};
pub use request::{ClassifyRequest, Progress, Session, TriageRequest};

/// The OpenAPI document served under `/openapi.json`: `contract/openapi.json`, made compact by `build.rs`.
pub const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

/// Largest body of one question, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// Largest body of a batch, in bytes.
pub const MAX_BATCH_BODY: usize = 1024 * 1024;

/// Most questions in a batch.
pub const MAX_BATCH: usize = 100;

/// Longest question, in Unicode scalar values.
pub const MAX_QUERY: usize = 5_000;
