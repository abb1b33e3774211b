#!/usr/bin/env bash
# Serves the app: on Spin >= 4.1 where it is installed, on the embedded host otherwise.
set -euo pipefail
listen=$1

spin_is_new_enough() {
  command -v spin >/dev/null || return 1
  local version
  version=$(spin --version | grep -oE '[0-9]+\.[0-9]+' | head -1)
  [ "$(printf '4.1\n%s\n' "$version" | sort -V | head -1)" = 4.1 ]
}

cargo build -q -p triage-token
target/debug/triage-token curl "http://$listen"
echo
echo "Paste that in a second terminal, or open http://$listen/ in a browser, once it serves."
if spin_is_new_enough; then
  echo "serving on http://$listen with $(spin --version | head -1); Ctrl-C ends it"
  exec spin up --listen "$listen" --runtime-config-file runtime-config.toml
fi
echo "no Spin >= 4.1 found: building the embedded host (a few minutes the first time)"
# The development profile builds dependencies optimised: what the tests use serves here too.
# With the features of the whole workspace, as `make test` builds it: wasmtime is compiled once.
cargo build --workspace --bin triage-host
exec target/debug/triage-host up --listen "$listen" --runtime-config-file runtime-config.toml
