# The developer's interface. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

LISTEN ?= 127.0.0.1:3000
WASM := --target wasm32-wasip2 --release
CARGO ?= cargo
# The state of `make up`: the store and compiled components.
STATE := .triage

.PHONY: help setup build up token test fmt lint unit component bench soak train evaluate explain check-patterns config-check coverage fuzz clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: ## the wasm32-wasip2 target, if it is missing
	@tests/setup/wasm-target.sh

build: setup ## the components only
	$(CARGO) build $(WASM) -p triage -p sidecar

up: build ## build and serve on LISTEN (127.0.0.1:3000), with a token and a curl line to paste
	@tests/setup/up.sh $(LISTEN)

token: ## a development token: make token ROLE=admin
	@$(CARGO) run -q --release -p triage-token -- $(or $(ROLE),student)

test: setup lint unit component check-patterns ## everything that runs without a cluster

fmt: ## format all code
	$(CARGO) fmt --all

lint: setup ## formatting and clippy, native and wasm
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --exclude host-probe --all-targets -- -D warnings
	$(CARGO) clippy --target wasm32-wasip2 --release -p triage -p sidecar -- -D warnings

unit: ## the core, natively
	$(CARGO) test -q -p triage --lib
	$(CARGO) test -q -p sidecar -p triage-patterns -p triage-host

component: build ## the real component in the embedded host
	$(CARGO) test -q -p triage --test all
