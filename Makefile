# Two commands do all the set-up: 'make demo' and 'make test'. Everything lives in .venv.
.DEFAULT_GOAL := help
.PHONY: help demo test check bench soak lock clean install

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes
# Most of the suite waits for servers: five workers keep two cores busy.
WORKERS ?= 5

COMPILE := ../$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url \
  --no-emit-trusted-host --no-emit-find-links --no-header --no-annotate --output-file

help:  ## show this help
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.run  ## install the bridge into .venv

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "bridge needs Python 3.11 or later"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "On Debian: apt-get install python3-venv"; exit 2; }
	@touch $@

$(VENV)/.run: $(VENV)/.made requirements/run.txt requirements/build.txt pyproject.toml
	@echo "installing the bridge into $(VENV) ..."
	@$(PIP) -r requirements/build.txt -r requirements/run.txt
	@$(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@echo "installing the tools for tests and checks ..."
	@$(PIP) -r requirements/dev.txt
	@touch $@

demo: $(VENV)/.run  ## watch it work: two trackers, the daemon, a scripted day, the proof
	@$(BIN)/bridge demo

test: $(VENV)/.dev  ## run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q $(TESTS)

check: $(VENV)/.dev  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev  ## calls per change, throughput beside a bare loop, how soon a webhook brings a change, a tick
	$(BIN)/python bench/calls.py
	$(BIN)/python bench/webhooks.py
	$(BIN)/python bench/tick.py
	$(BIN)/python bench/calendars.py

soak: $(VENV)/.dev  ## properties, clocks, random histories and real issues, many more of each
	BRIDGE_EXAMPLES=$${BRIDGE_EXAMPLES:-1000000} $(BIN)/python -m pytest -q -n $(WORKERS) --timeout 0 \
	  tests/sync/test_planner_properties.py tests/sync/test_rights_properties.py tests/sla/test_clock_oracle.py
	BRIDGE_HISTORIES=$${BRIDGE_HISTORIES:-10000} $(BIN)/python -m pytest -q -s -n 0 --timeout 0 tests/e2e/test_checker.py
	BRIDGE_ISSUES=250 $(BIN)/python -m pytest -q -n 0 --timeout 0 tests/e2e/test_real_redmine.py

lock: $(VENV)/.dev  ## make the lock files anew
	$(BIN)/python -m pip --quiet install pip-tools
	cd requirements && $(COMPILE) build.txt build.in && $(COMPILE) run.txt ../pyproject.toml && \
	  $(COMPILE) postgresql.txt --constraint run.txt --extra postgresql ../pyproject.toml && $(COMPILE) dev.txt dev.in

clean:  ## forget the installation and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build src/*.egg-info
