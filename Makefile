# What a newcomer and the continuous integration type. `make demo` and `make test` set up all that they need; nothing needs root.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done || true)
VENV ?= .venv
RUN := $(VENV)/bin
STAMP := $(VENV)/.streamlink-setup
export ROWS ?= 1000000

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint docs-check test-training test-llm test-browser test-cluster test-slow cluster cluster-status cluster-down fuzz lock clean

help: ## Show what there is to make
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "StreamLink needs Python 3.11 or newer, and finds none. Install it, or name one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(RUN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "Python cannot make a virtual environment here. On Debian or Ubuntu install the package python3-venv; elsewhere run 'pip install virtualenv && virtualenv $(VENV)', then try again."; exit 1; }
	@$(RUN)/python -m pip --version >/dev/null 2>&1 || $(RUN)/python -m ensurepip -q || \
	  { echo "There is no pip in $(VENV). Remove the folder and install python3-venv, then try again."; exit 1; }
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(STAMP) ## Make the virtual environment from the lock file; once done, everything else works offline

demo: $(STAMP) ## A million patents, sample questions in the terminal, then the web page
	$(RUN)/streamlink-sql demo --rows $(ROWS)

test: $(STAMP) ## The default tests: no JVM, no torch, no browser, no network
	$(RUN)/python -m pytest -n auto --maxprocesses 4 --max-worker-restart 0 --dist loadfile
	@echo "Skipped here: tests marked training (make test-training), llm (make test-llm), browser (make test-browser), cluster (make test-cluster), slow (make test-slow)."

lint: $(STAMP)
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports

docs-check: $(STAMP)
	$(RUN)/python -m pytest -q tests/test_docs.py

check: lint test docs-check ## All that a change must pass

test-training: $(STAMP) ## The tests of training; installs torch first
	@PYTHON=$(RUN)/python scripts/test-training

test-llm: $(STAMP) ## The tests with a real local language model; fetches what they need first
	@PYTHON=$(RUN)/python scripts/test-llm

test-browser: $(STAMP) ## The tests of the web page in a browser
	@PYTHON=$(RUN)/python scripts/test-browser

test-cluster: $(STAMP) ## The tests of Spark, HDFS, PostgreSQL and replicas as real processes; installs what they need
	@PYTHON=$(RUN)/python scripts/test-cluster

test-slow: $(STAMP) ## The tests that take more than a few seconds each
	$(RUN)/python -m pytest -m slow; status=$$?; if [ $$status = 5 ]; then echo "There are no slow tests yet."; else exit $$status; fi

cluster: $(STAMP) ## The whole cluster on this machine, with ROWS=1000000 patents, below CLUSTER_DIR=.cluster
	@PYTHON=$(RUN)/python deploy/cluster/cluster up

cluster-status: ## A line a part of the cluster: name, pid, port, health
	@PYTHON=$(RUN)/python deploy/cluster/cluster status

cluster-down: ## Stop the cluster; what it stored stays
	@PYTHON=$(RUN)/python deploy/cluster/cluster down

fuzz: $(STAMP) ## Look for texts that the checks fail on, MINUTES=1 long; installs atheris first
	@PYTHON=$(RUN)/python MINUTES=$(or $(MINUTES),1) scripts/fuzz

lock: $(STAMP) ## Make the lock files anew
	scripts/lock

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
