//! The component asks for no more than the manifest grants, and is no larger than it may be.

use std::path::PathBuf;

use crate::support::root;

fn wasm() -> PathBuf {
    std::env::var("TRIAGE_WASM")
        .map_or_else(|_| root().join("target/wasm32-wasip2/release/triage.wasm"), PathBuf::from)
}

#[test]
fn it_imports_nothing_but_what_it_needs() {
    let allowed = [
        "wasi:cli/",
        "wasi:clocks/",
        "wasi:http/",
        "wasi:io/",
        "wasi:random/",
        "wasi:keyvalue/store",
        "wasi:keyvalue/atomics",
        "spin:key-value/key-value",
        "spin:variables/variables",
    ];
    for import in triage_host::imports(&wasm()).unwrap() {
        assert!(allowed.iter().any(|prefix| import.starts_with(prefix)), "{import}");
    }
}

#[test]
fn it_stays_below_five_megabytes() {
    let size = std::fs::metadata(wasm()).unwrap().len();
    assert!(size < 5_000_000, "{size} bytes");
}
