//! Triage.

pub mod intent;
