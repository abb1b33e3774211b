//! Triage.
pub mod agents;
pub mod ids;
pub mod ports;
pub mod problem;
pub mod route;
pub mod timestamp;
