//! The probe and its manifest.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use bytes::Bytes;
use http::Request;
use triage_host::{App, Builder};

/// The probe's code, built once; `HOST_PROBE` names a ready one instead.
pub fn probe() -> &'static Path {
    static PROBE: OnceLock<PathBuf> = OnceLock::new();
    PROBE.get_or_init(|| match std::env::var_os("HOST_PROBE") {
        Some(path) => path.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--target", "wasm32-wasip2", "-p", "host-probe"])
        .current_dir(&root)
        .status()
        .expect("cargo");
    assert!(built.success(), "the probe does not build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    target.join("wasm32-wasip2/release/host_probe.wasm")
}

/// The application of `tests/probe.toml`, on virtual time.
pub fn app() -> Builder {
    real_time_app().virtual_time()
}

/// The same on real time.
pub fn real_time_app() -> Builder {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/probe.toml");
    let builder = App::builder(manifest).source("probe", probe()).source("sibling", probe());
    builder.source("hidden", probe())
}

/// A request without a body.
pub fn get(path: &str) -> Request<Bytes> {
    Request::get(path).body(Bytes::new()).expect("request")
}

/// The text of the answer to a request without a body.
pub async fn text(app: &App, path: &str) -> String {
    app.request(get(path)).await.text()
}
