#!/usr/bin/env bash
# Line coverage of the core by its native tests: a table by file, then one line for all of it.
#
# The core is every module of values (docs/design.md, "three layers"). Left out is what only runs
# against Spin or against what stands in for it: the edge, the gateway and the adapters, which the
# component's tests run as wasm, where coverage cannot be counted.
set -euo pipefail
cd "$(dirname "$0")/../.."

outside='(/registry/|/rustc/|/tests/|tests\.rs|_tests\.rs|component\.rs|ports\.rs|src/gateway|src/store\.rs|breaker/store\.rs|delivery/courier\.rs|audit/outbox\.rs|audit/publisher\.rs)'
major=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')

# The toolchain has these only with a component that not everybody has; another LLVM must not be older.
tool() { # tool NAME VARIABLE
  local inside
  inside=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin/$1
  for candidate in "${!2:-}" "$inside" "$1-$major" "$1"; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "coverage: no $1 for LLVM $major: rustup component add llvm-tools, or install Debian's" \
    "llvm-$major, or set $2" >&2
  exit 1
}
profdata=$(tool llvm-profdata LLVM_PROFDATA)
cov=$(tool llvm-cov LLVM_COV)

# Members only are instrumented, so dependencies stay as they were built.
work=$PWD/target/coverage
rm -rf "$work" && mkdir -p "$work"
printf '#!/bin/sh\nexec "$@" -Cinstrument-coverage\n' >"$work/instrument" && chmod +x "$work/instrument"
export RUSTC_WORKSPACE_WRAPPER=$work/instrument
export LLVM_PROFILE_FILE=$work/%p-%m.profraw

echo "coverage: building and running the core's tests" >&2
cargo test -p triage --lib >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
binary=$(sed -n 's/.*Running unittests src\/lib.rs (\(.*\))/\1/p' "$work/log")
"$profdata" merge -sparse "$work"/*.profraw -o "$work/core.profdata"
"$cov" export "$binary" --format=lcov --instr-profile="$work/core.profdata" \
  --ignore-filename-regex="$outside" >"$work/lcov"

# Tests that stand beside their module count neither as lines nor as covered ones.
awk -v root="$PWD/" '
  /^SF:/ {
    file = substr($0, 4); tests = 1e9; before = ""; n = 0
    while ((getline line < file) > 0) {
      n++
      if (line ~ /^mod [a-z_]*tests? \{/ && before ~ /cfg\(test\)/) { tests = n; break }
      before = line
    }
    close(file); lines = 0; hit = 0
  }
  /^DA:/ { split(substr($0, 4), at, ","); if (at[1] < tests) { lines++; if (at[2] > 0) hit++ } }
  /^end_of_record/ && lines {
    printf "%-48s %6d lines %8.2f%%\n", substr(file, length(root) + 1), lines, 100 * hit / lines
    all += lines; covered += hit
  }
  END { printf "%-48s %6d lines %8.2f%%\n", "the core", all, 100 * covered / all }
' "$work/lcov"
