# feedsvc: `make run` serves the news, `make test` checks everything. See README.md.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
JOBS   ?= auto

.DEFAULT_GOAL := help
.PHONY: help setup run test lint bench test-reader test-browser test-container clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-16s %s\n", $$1, $$2}'

setup: $(VENV)/.base  ## prepare .venv with the hash-locked requirements

run: setup  ## poll seeds/ and serve http://127.0.0.1:8080
	$(BIN)/feedsvc run

test: $(VENV)/.test lint  ## lint, types and the whole test suite
	$(PYTEST) -n $(JOBS) -m "not container and not reader and not browser"
	@echo "(suites that need newsboat, Chromium or Docker: make test-reader test-browser test-container)"

lint: $(VENV)/.test  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-reader: $(VENV)/.test  ## subscribe with a real feed reader (needs newsboat)
	$(PYTEST) -m reader

test-browser: $(VENV)/.test  ## look at the pages with a real browser (needs chromium)
	$(PYTEST) -m browser

test-container: $(VENV)/.test  ## build, run and restart the image (needs a Docker engine)
	$(PYTEST) -m container

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

# peers have an environment of their own, as their users have
$(VENV)-bench/.ready: requirements/bench.txt | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@
