//! Request validator: any bytes are a request or a list of faults, never both, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use triage::contract::{ClassifyRequest, TriageRequest};

const NOW: u64 = 1_768_478_400_000;

fuzz_target!(|body: &[u8]| {
    for faults in [
        TriageRequest::parse(body, NOW).err(),
        ClassifyRequest::parse(body).err(),
        ClassifyRequest::parse_batch(body).err(),
    ]
    .into_iter()
    .flatten()
    {
        assert!(!faults.is_empty(), "a refusal names its fault");
    }
});
