//! Redactor: any text comes out, nothing is left to redact in it, and JSON keeps its shape.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use triage::privacy::{redact, redact_json};

fuzz_target!(|text: &str| {
    let once = redact(text).into_owned();
    assert_eq!(redact(&once), once, "a redacted text is left alone");
    if let Ok(mut value) = serde_json::from_str::<Value>(text) {
        redact_json(&mut value);
        assert!(serde_json::to_string(&value).is_ok());
    }
});
