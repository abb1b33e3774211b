//! triage-host
