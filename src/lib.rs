//! Triage.
pub mod agents;
pub mod auth;
pub mod ids;
pub mod intent;
pub mod json;
pub mod ports;
pub mod privacy;
pub mod problem;
pub mod route;
pub mod threat;
pub mod timestamp;
