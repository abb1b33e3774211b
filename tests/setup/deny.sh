#!/usr/bin/env bash
# Checks the dependencies (deny.toml). Advisories only where their database can be fetched: a check
# that could not be made is said, and is no failure; a finding is one.
set -euo pipefail

command -v cargo-deny >/dev/null || { echo "deny: needs cargo-deny: cargo install --locked cargo-deny" >&2; exit 1; }
cargo deny --log-level error check licenses bans sources
if said=$(cargo deny --log-level error check advisories 2>&1); then
  echo "$said"
elif grep -q 'failed to fetch advisory database' <<<"$said"; then
  echo "advisories NOT CHECKED: their database (github.com/RustSec/advisory-db) could not be fetched"
else
  echo "$said" >&2
  exit 1
fi
