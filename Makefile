# Every recipe sets up what it needs; `make` lists the recipes. PYTHON selects another Python, 3.11 to 3.13.
PYTHON ?=
LOCK ?= requirements-dev.lock
UV := $(shell command -v uv 2>/dev/null)
BIN := .venv/bin
STAMP := .venv/.installed
TOOLS := local/tools
ENVS := local/envs
COMPILE := --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links \
  --no-header
export MLFLOW_DISABLE_TELEMETRY = true

.PHONY: help setup demo test chaos fuzz bench pictures mutants tools engines check quick scope lint types audit sbom format \
  lock clean

help:
	@echo "make setup     install mlops and its dependencies into .venv"
	@echo "make demo      play a year of flights: train, drift, promote, refuse, roll back"
	@echo "make test      run all tests"
	@echo "make check     run lint, type checks, the audit of the workflows, and all tests"
	@echo "make quick     check what a change of models or pages can break: models, lint, audit, links (about a minute)"
	@echo "make format    format the code"
	@echo "make tools     install what the tests of GitHub need (needs node 20 or later); without it they skip"
	@echo "make chaos     kill, race, disconnect and tamper at every point; ends with a table (about 10 minutes)"
	@echo "make fuzz      try damaged files and hostile texts, with new random examples each time"
	@echo "make mutants   change statistics and gates in one place at a time; the tests must fail (about 5 minutes)"
	@echo "make engines   run the tests on Spark, Dask and Airflow, in their own environments (needs Java 17)"
	@echo "make bench     measure the cost of a nightly run, also with other tools (about 30 minutes)"
	@echo "make pictures  draw the pictures of the README (needs make tools and Chromium)"
	@echo "make sbom      list what jobs with secrets install, in dist/sbom.json (CycloneDX)"
	@echo "make lock      pin the dependencies of pyproject.toml (needs uv)"
	@echo "make clean     delete .venv and local/"

setup: $(STAMP)
	@echo "Ready. Next:"
	@echo "  make demo                    play a year of flights through the whole loop, about four minutes"
	@echo "  source .venv/bin/activate    then: mlops --help, mlops new NAME --from FILE"

# uv is optional: with it this takes seconds instead of a minute. Bytecode is compiled now, because Python would compile
# the libraries at every start if it may not write next to them: MLflow then takes four times as long to load.
ifdef UV
venv = uv venv --quiet --clear $(if $(PYTHON),--python="$(PYTHON)") $(1)
pip = uv pip install --quiet --compile-bytecode --python $(1)
else
venv = "$(or $(PYTHON),python3)" -m venv --clear $(1)
pip = $(1)/bin/python -m pip install --quiet --disable-pip-version-check
endif

$(STAMP): $(LOCK) pyproject.toml
	@echo "installing into .venv (about a minute, once)"
	@$(call venv,.venv)
	@$(BIN)/python -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] <= (3, 13) else f"Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}. Type: make PYTHON=python3.12 ...")'
	@$(call pip,.venv) --require-hashes -r $(LOCK)
	@$(call pip,.venv) --no-build-isolation --no-deps -e .
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/mlops demo

test: $(STAMP)
	@$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

# The tests in tests/chaos, at every point instead of a sample, and with a real mlflow server.
chaos: $(STAMP)
	@CHAOS=whole $(BIN)/python -m pytest tests/chaos -n 2 --dist load -q

mutants: $(STAMP)
	@$(BIN)/python -m bench.mutants

# The versions are in tests/github/tools.py.
tools: $(TOOLS)/.installed

$(TOOLS)/.installed: tests/github/tools.py
	@npm install --prefix $(TOOLS) --no-save --no-package-lock --no-audit --no-fund $$("$(or $(PYTHON),python3)" tests/github/tools.py)
	@touch $@

# Each part is also a command with --help. Evidently and NannyML are installed once, separately, in local/bench.
bench: $(STAMP)
	@for part in drift again validation training startup fleet versions; do \
	  echo; echo "$$part"; $(BIN)/python -m bench.$$part || exit 1; done

# Ten times the examples of `make test`, and new ones each time.
fuzz: $(STAMP)
	@HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest tests/fuzz tests/test_hostile.py -n 2 --dist load -q

# Chromium draws the pages, from the records of a demo.
pictures: $(STAMP) tools
	@$(BIN)/python -m bench.pictures

# Twice on Spark: in this process, and as a gRPC server, as on a cluster.
engines: $(ENVS)/engines/.installed $(ENVS)/airflow/.installed
	@MLOPS_AIRFLOW=$(ENVS)/airflow $(ENVS)/engines/bin/python -m pytest tests/engines
	@SPARK_REMOTE='local[2]' $(ENVS)/engines/bin/python -m pytest tests/engines/test_spark.py

$(ENVS)/%/.installed: requirements-%.lock
	@echo "installing into $(@D) (some minutes, once)"
	@$(call venv,$(@D))
	@$(call pip,$(@D)) --require-hashes -r $<
	@touch $@

lint: $(STAMP)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports --no-cache

types: $(STAMP)
	@$(BIN)/mypy

audit: $(STAMP)
	@$(BIN)/zizmor --quiet --offline --persona=auditor .
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jactionlint

# What jobs with secrets install, as CycloneDX. It reads only the lock, so it needs no network.
sbom: $(STAMP)
	@mkdir -p dist
	@$(BIN)/python -W ignore::UserWarning -m cyclonedx_py requirements --pyproject pyproject.toml --short-PURLs \
	  --output-reproducible -o dist/sbom.json requirements.lock

check: lint types audit test

quick: lint audit
	@$(BIN)/python -m pytest -q tests/test_models.py tests/test_docs.py tests/test_workflow_rules.py

# Whether CI must run the engine's tests: engine=false only for a pull request that changes nothing but folders of models
# and pages. CI checks out its merge, whose first parent is the base. Without that parent the answer is yes.
ASIDE := ':(exclude,glob)model/*/**' ':(exclude,glob)docs/**/*.md' ':(exclude)docs/pictures' ':(exclude,glob)*.md'
scope:
	@if test "$$GITHUB_EVENT_NAME" = pull_request && git diff --quiet --no-renames HEAD^1 HEAD -- . $(ASIDE); \
	  then echo engine=false; else echo engine=true; fi

format: $(STAMP)
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

# Jobs with secrets install the shortest lock: only what they run, nothing for development. The engines are large, and
# the dependencies of Airflow conflict with those of mlops.
RUN := --extra build --extra notify --extra postgres
lock:
	uv pip compile $(COMPILE) $(RUN) --extra dev --upgrade pyproject.toml -o requirements-dev.lock
	cp requirements-dev.lock requirements.lock
	uv pip compile $(COMPILE) $(RUN) pyproject.toml -o requirements.lock
	cp requirements-dev.lock requirements-engines.lock
	uv pip compile $(COMPILE) $(RUN) --extra dev --extra spark --extra dask pyproject.toml -o requirements-engines.lock
	uv pip compile $(COMPILE) --upgrade --group airflow -o requirements-airflow.lock

clean:
	rm -rf .venv local mutants
