//! triage-patterns
