//! Triage.
