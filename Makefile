# The developer's interface. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

LISTEN ?= 127.0.0.1:3000
WASM := --target wasm32-wasip2 --release
CARGO ?= cargo
# One word for the shell, whatever stands in it.
quoted = '$(subst ','\'',$1)'
# Make hands what stands on its command line to every recipe, after expanding it.
unexport TEXT DATA SET
.PHONY: help setup build up token test fmt lint config-check coverage deny fuzz student-export student-delete stack-up stack-token stack-test stack-down train teach evaluate explain bench soak

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: ## the wasm32-wasip2 target, if it is missing
	@tests/setup/wasm-target.sh

build: setup ## the components only
	$(CARGO) build $(WASM) -p triage -p sidecar

up: build ## build and serve on LISTEN (127.0.0.1:3000), with a token and a curl line to paste
	@tests/setup/up.sh $(LISTEN)

token: ## a development token: make token ROLE=admin
	@$(CARGO) run -q -p triage-token -- $(or $(ROLE),student)

test: setup build lint ## everything that runs without a cluster
	$(CARGO) test -q --workspace
	@$(PATTERNS) check

fmt: ## format all code
	$(CARGO) fmt --all

lint: setup ## formatting and clippy, native and wasm
	$(CARGO) fmt --all --check
	$(CARGO) clippy -q --workspace --all-targets -- -D warnings
	$(CARGO) clippy -q --target wasm32-wasip2 -p triage -p sidecar -- -D warnings

config-check: ## check variables offline: make config-check SET="environment=production dapr_url=http://localhost:3500"
	@$(CARGO) run -q -p triage-config -- $(foreach pair,$(value SET),$(call quoted,$(pair)))

URL ?= http://127.0.0.1:3000
# What operators call takes Dapr's token where one is set: APP_API_TOKEN=…
OPERATOR = curl -sS --fail-with-body $(if $(APP_API_TOKEN),-H 'dapr-api-token: $(APP_API_TOKEN)')
STUDENT_RECORDS = $(URL)/internal/students/$(or $(STUDENT),$(error say whose: STUDENT=student_<uuid>))/records

student-export: ## what the store holds of one student: make student-export STUDENT=student_… URL=http://…
	@$(OPERATOR) $(STUDENT_RECORDS)

student-delete: ## delete it: make student-delete STUDENT=student_… URL=http://… APP_API_TOKEN=…
	@$(OPERATOR) -X POST $(STUDENT_RECORDS)/erase

coverage: ## line coverage of the core by its native tests
	@tests/setup/coverage.sh

deny: ## licences, sources and duplicates of dependencies; advisories where their database can be had
	@tests/setup/deny.sh

FUZZ ?= token request redactor normalizer
FUZZ_SECONDS ?= 600

# The sanitizer's flags are unstable: on a stable toolchain they need RUSTC_BOOTSTRAP.
fuzz: ## fuzz parsers, redactor, normaliser, FUZZ_SECONDS (600) each: make fuzz FUZZ=token
	@command -v cargo-fuzz >/dev/null || { echo "fuzz: needs cargo-fuzz: cargo install cargo-fuzz"; exit 1; }
	@for target in $(FUZZ); do \
	  echo "fuzz: $$target for $(FUZZ_SECONDS) s"; mkdir -p tests/fuzz/corpus/$$target; \
	  RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --fuzz-dir tests/fuzz $$target \
	    tests/fuzz/corpus/$$target tests/fuzz/seeds/$$target -- \
	    -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -print_final_stats=1 -verbosity=0; \
	done

# The driver is a Go program; without Go nothing but the stack is missing.
STACK = command -v go >/dev/null || { echo "stack: needs Go (and Java, Maven, redis-server)"; exit 1; }; \
  cd tests/stack && GOTOOLCHAIN=local go build -o ../../target/stack/bin/stack . && exec ../../target/stack/bin/stack

stack-up: ## the real Dapr, Kafka and Redis with triage and five agents, on loopback
	@$(STACK) up

stack-token: ## a token for the stack: make stack-token ROLE=admin
	@$(STACK) token $(ROLE)

stack-test: ## every promise against the real programs: make stack-test CHECKS="routes stream"
	@$(STACK) test $(CHECKS)

stack-down: ## ends what stack-up started
	@$(STACK) down

PATTERNS := $(CARGO) run -q --release -p triage-patterns --bin triage-patterns --

train: ## learn the weights anew from the corpus; the result is the same byte for byte
	@$(PATTERNS) train

teach: ## asks the teacher anew (half an hour, Python); then make train
	@patterns/teacher/teach.sh

evaluate: ## how right the classifier is: make -s evaluate DATA=messages.jsonl
	@$(PATTERNS) evaluate $(call quoted,$(value DATA))

# A message may be anything, of several lines too: it reaches the program unread by make and shell.
explain: export MESSAGE = $(value TEXT)
explain: ## why a message goes where it goes: make explain TEXT="…"
	@$(PATTERNS) explain "$$MESSAGE"

soak: build ## the long runs: make soak RUNS=200 SEED=7 REDIS=redis://127.0.0.1/1 PARTS="kills outage"
	$(CARGO) build --workspace --bin triage-host --bin triage-soak
	@target/debug/triage-soak $(PARTS) $(if $(RUNS),--runs $(RUNS)) \
	  $(if $(SEED),--seed $(SEED)) $(if $(REDIS),--redis $(REDIS))

# The host is part of what is measured: its own code is optimised as its dependencies are, which
# stay as they were built.
OPTIMISED := $(foreach member,host load,--config profile.dev.package.triage-$(member).opt-level=2)

bench: build ## figures: the component, then the classifier
	$(CARGO) build $(OPTIMISED) --workspace --bin triage-host --bin triage-bench
	@target/debug/triage-bench $(PARTS)
	@$(PATTERNS) bench
