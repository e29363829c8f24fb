# feedsvc: `make run` serves the news, `make test` checks everything. See README.md.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
JOBS   ?= auto
FUZZ_SECONDS ?= 600
KILLS  ?= 200

.DEFAULT_GOAL := help
.PHONY: help setup run test lint bench test-reader test-browser test-container fuzz soak clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-16s %s\n", $$1, $$2}'

setup: $(VENV)/.base  ## prepare .venv with the hash-locked requirements

run: setup  ## poll seeds/ and serve http://127.0.0.1:8080
	$(BIN)/feedsvc run

test: $(VENV)/.test lint  ## lint, types and the whole test suite
	$(PYTEST) -n $(JOBS) --dist worksteal -m "not container and not reader and not browser"
	@echo "(suites that need newsboat, Chromium or Docker: make test-reader test-browser test-container)"

lint: $(VENV)/.test  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

soak: $(VENV)/.test  ## kill processes at random under load, KILLS times on each store
	FEEDSVC_SOAK_KILLS=$(KILLS) $(PYTEST) tests/e2e/test_soak.py

test-reader: $(VENV)/.test $(VENV)-bench/.ready  ## subscribe with real feed readers (needs newsboat)
	$(PYTEST) -m reader

test-browser: $(VENV)/.test  ## look at the pages with a real browser (needs chromium)
	$(PYTEST) -m browser

test-container: $(VENV)/.test  ## build, run and restart the image (needs a Docker engine)
	$(PYTEST) -m container

fuzz: $(VENV)-fuzz/.ready  ## look for documents that break what we promise (FUZZ_SECONDS=600)
	PYTHONPATH=. $(VENV)-fuzz/bin/python tests/fuzz/feeds.py -max_total_time=$(FUZZ_SECONDS)
	@! ls fuzz/broken-* fuzz/crash-* fuzz/oom-* 2>/dev/null

bench: $(VENV)/.test $(VENV)-bench/.ready  ## runnable benchmarks, as ratios to peers
	$(BIN)/python -m bench

clean:  ## remove .venv and caches; data/ stays
	rm -rf $(VENV) $(VENV)-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "feedsvc needs Python 3.11 or newer; name one: make PYTHON=python3.13 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "this Python lacks venv; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: requirements/base.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	@touch $@

$(VENV)-fuzz/.ready: requirements/test.txt requirements/fuzz.txt | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)-fuzz
	$(VENV)-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt -r requirements/fuzz.txt
	@touch $@

# peers have an environment of their own, as their users have
$(VENV)-bench/.ready: requirements/bench.txt | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@
