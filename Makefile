# Every recipe sets up what it needs; `make` alone says what there is. PYTHON may name another 3.11 to 3.13.
PYTHON ?=
LOCK ?= requirements-dev.lock
UV := $(shell command -v uv 2>/dev/null)
BIN := .venv/bin
STAMP := .venv/.installed
TOOLS := local/tools
COMPILE := --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links \
  --no-header pyproject.toml
export MLFLOW_DISABLE_TELEMETRY = true

.PHONY: help setup demo test chaos mutants tools check lint types audit format lock clean

help:
	@echo "make demo    set up, then play a year of flights: train, drift, promote, refuse, revert"
	@echo "make test    set up, then run all tests"
	@echo "make chaos   kill, race, cut off and tamper at every point there is; ends with a table (some ten minutes)"
	@echo "make mutants change the statistics and the gates in one place at a time: do the tests notice? (some ten minutes)"
	@echo "make tools   install what the tests of the GitHub side need besides (needs node); without it they skip"
	@echo "make check   lint, types, audit of the workflows, tests"
	@echo "make lock    pin the dependencies of pyproject.toml again (needs uv)"
	@echo "make clean   remove the environment and local/"

setup: $(STAMP)

# With uv, which is not needed, this takes seconds instead of a minute. Without compiled files every start of Python
# would compile the libraries again where it may not write beside them: MLflow then takes four times as long to load.
ifdef UV
VENV := uv venv --quiet --clear $(addprefix --python=,$(PYTHON)) .venv
PIP := uv pip install --quiet --compile-bytecode --python .venv
else
VENV := $(or $(PYTHON),python3) -m venv --clear .venv
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

$(STAMP): $(LOCK) pyproject.toml
	@echo "setting up .venv (about a minute, once)"
	@$(VENV)
	@$(BIN)/python -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] <= (3, 13) else f"Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}. Type: make PYTHON=python3.12 ...")'
	@$(PIP) --require-hashes -r $(LOCK)
	@$(PIP) --no-build-isolation --no-deps -e .
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/mlops demo

test: $(STAMP)
	@$(BIN)/python -m pytest -n 2 --dist loadscope

# The same tests as in tests/chaos, with every point instead of a sample, and a real mlflow server.
chaos: $(STAMP)
	@CHAOS=whole $(BIN)/python -m pytest tests/chaos -n 2 --dist load -q

mutants: $(STAMP)
	@$(BIN)/python -m bench.mutants

# The versions stand in tests/github/tools.py.
tools: $(TOOLS)/.installed

$(TOOLS)/.installed: tests/github/tools.py
	@npm install --prefix $(TOOLS) --no-save --no-package-lock --no-audit --no-fund $$($(or $(PYTHON),python3) tests/github/tools.py)
	@touch $@

lint: $(STAMP)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: $(STAMP)
	@$(BIN)/mypy

audit: $(STAMP)
	@$(BIN)/zizmor --quiet --offline --persona=auditor .
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jactionlint

check: lint types audit test

format: $(STAMP)
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

# Jobs that hold secrets install the shorter one: what they run, and nothing for development.
lock:
	uv pip compile $(COMPILE) --all-extras --upgrade -o requirements-dev.lock
	cp requirements-dev.lock requirements.lock
	uv pip compile $(COMPILE) --extra build --extra notify --extra postgres -o requirements.lock

clean:
	rm -rf .venv local mutants
