#!/usr/bin/env bash
# Fine-tunes the teacher and writes its judgements; see README.md.
set -euo pipefail

command -v python3 >/dev/null || { echo "teach: needs Python 3.11 or later with venv" >&2; exit 1; }
if [ ! -x target/teacher/bin/python ]; then
  python3 -m venv target/teacher
  target/teacher/bin/pip install --quiet -r patterns/teacher/requirements.txt
fi
target/teacher/bin/python patterns/teacher/neighbours.py
cargo run -q --release -p triage-patterns --bin triage-patterns -- transfer |
  target/teacher/bin/python patterns/teacher/teach.py
