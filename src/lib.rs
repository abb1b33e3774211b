//! Triage.
pub mod agents;
pub mod ids;
pub mod intent;
pub mod ports;
pub mod problem;
pub mod route;
pub mod timestamp;
