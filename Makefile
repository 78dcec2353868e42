# Every target sets up what it needs: a fresh clone needs Python 3.11-3.13, make and the Python registry, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES ?= sandbox
export SOURCES
# Without byte code, every one of the dozen programs of a night compiles Airflow, dbt and Great Expectations anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup nightly test up down check check-lint check-types check-sql check-contracts docs unit mutate fuzz audit bench compose-test bi bi-down bi-test site-test runbook-table lock clean

help:  ## What each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t16

# The locked environment. uv is fetched by pip from its own hashed lock; where a private mirror is known to pip alone, pip does it all.
$(VENV)/bootstrap: requirements-bootstrap.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python 3.11 to 3.13 is needed and $(PYTHON) is {v[0]}.{v[1]}: call make with PYTHON=/path/to/python3.11")'
	@echo "setting up the environment in $(VENV) (first time: about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.lock
	@touch $@

$(VENV)/runtime: $(VENV)/bootstrap requirements.lock pyproject.toml
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock \
		|| $(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline -e . \
		|| $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev: $(VENV)/runtime requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock \
		|| $(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/runtime  ## Environment, PostgreSQL, roles and schemas: an empty warehouse, ready for `vru land`
	@$(BIN)/vru setup

nightly: $(VENV)/runtime  ## The nightly job through Airflow, then what it published (SOURCES=live for the real publishers)
	@$(BIN)/vru nightly --sources "$(SOURCES)"

test: $(VENV)/dev  ## Every test but the contracts, on real PostgreSQL, Airflow, dbt and Great Expectations
	@$(BIN)/pytest

up: $(VENV)/runtime  ## Airflow's scheduler, DAG processor, API server and UI, on this machine
	@$(BIN)/vru up

down: $(VENV)/runtime  ## Stop what `make up` started, and the embedded PostgreSQL
	@$(BIN)/vru down

# Two at a time, each with its output in one piece: types and SQL take as long as all the rest.
check: $(VENV)/dev  ## Format, lint, types, SQL lint, and the contracts: layers, names, docs
	@$(MAKE) --silent --jobs 2 --output-sync=target check-contracts check-sql check-types check-lint

check-lint:
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-cache

check-types:
	@$(BIN)/mypy

check-sql:
	@$(BIN)/sqlfluff lint --disable-progress-bar dbt_project/models dbt_project/tests warehouse/platform/schema

check-contracts:
	@$(BIN)/pytest -q -n 0 tests/contract

# dbt asks for a connection and makes none: what the page says is in the project's files.
DOCS ?= build/docs
DBT := VRU_DBT_HOST=nowhere VRU_DBT_USER=nobody VRU_DBT_PASSWORD=nothing VRU_DBT_DBNAME=nothing DO_NOT_TRACK=1 $(BIN)/dbt --quiet
DBT_FOLDERS := --project-dir dbt_project --profiles-dir dbt_project --target-path $(abspath $(DOCS)) --log-path $(abspath $(DOCS))

docs: $(VENV)/runtime  ## Every model, column, test and line of descent in one HTML file; needs the environment alone, no database
	@$(DBT) parse $(DBT_FOLDERS)
	@$(DBT) docs generate --static --no-compile --empty-catalog $(DBT_FOLDERS)
	@echo "$(DOCS)/static_index.html"

unit: $(VENV)/runtime  ## Unit tests of a model on the home of VRU_HOME, which has been built once (MODEL="fct_window rpt_gap"; all where it is left out)
	@$(BIN)/vru unit $(MODEL)

mutate: $(VENV)/dev  ## Change the models' SQL one thing at a time and see which tests notice (MODELS="rpt_drivers fct_window" SAMPLE=200 SEED=1)
	@MODELS="$(MODELS)" SAMPLE="$(SAMPLE)" SEED="$(SEED)" HOME_LIKE="$(HOME_LIKE)" $(BIN)/python -m tests.mutants

fuzz: $(VENV)/dev  ## Spoilt files of every form at every reader, other ones each time, for FUZZ seconds (300); SEED=number for the same again
	@FUZZ="$(FUZZ)" SEED="$(SEED)" $(BIN)/python -m tests.fuzz

SBOM_VENV := build/sbom

$(SBOM_VENV)/ready: tests/sbom/requirements.lock | $(VENV)/bootstrap
	@$(PYTHON) -m venv $(SBOM_VENV)
	@$(BIN)/uv pip install --quiet --python $(SBOM_VENV)/bin/python --require-hashes -r tests/sbom/requirements.lock \
		|| $(SBOM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/sbom/requirements.lock
	@touch $@

audit: $(VENV)/dev $(SBOM_VENV)/ready  ## Known vulnerabilities (asks osv.dev; OFFLINE=1 lets it be), licences, a list of parts (CycloneDX), secrets in the tree
	@OFFLINE="$(OFFLINE)" $(BIN)/python -m tests.audit

bench: $(VENV)/runtime  ## Our load against psql's \copy and dlt, and a quiet night against a full one
	@$(BIN)/python -m bench

compose-test: $(VENV)/runtime  ## Build the image, bring the production stack up, run nightly in it, query it from outside, take it down (BI=1: Superset too)
	@BI="$(BI)" ./tests/compose/run

# Superset in an environment of its own, which pandas 2.1 keeps to Python 3.11 and 3.12.
BI_PYTHON ?= $(PYTHON)
BI_VENV := bi/.venv

$(BI_VENV)/ready: bi/requirements.lock | $(VENV)/bootstrap
	@$(BI_PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v in ((3, 11), (3, 12)) else f"Superset needs Python 3.11 or 3.12 and $(BI_PYTHON) is {v[0]}.{v[1]}: call make with BI_PYTHON=/path/to/python3.11")'
	@echo "setting up Superset's environment in $(BI_VENV) (first time: one to three minutes, 830 MB)"
	@$(BI_PYTHON) -m venv $(BI_VENV)
	@$(BIN)/uv pip install --quiet --python $(BI_VENV)/bin/python --compile-bytecode --require-hashes -r bi/requirements.lock \
		|| $(BI_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bi/requirements.lock
	@touch $@

bi: $(VENV)/runtime $(BI_VENV)/ready  ## Superset with three dashboards of this home, on this machine; prints its address
	@$(BIN)/vru bi up

bi-down: $(VENV)/runtime  ## Stop Superset (`make down` does too)
	@$(BIN)/vru bi down

bi-test: $(VENV)/runtime $(BI_VENV)/ready  ## The dashboards in a real browser, against the home of VRU_HOME, or a new one of the stand-ins
	@./tests/bi/run

site-test: $(VENV)/runtime  ## Every page of the site in a real browser: WCAG, maps, breaks, keyboard, of the home of VRU_HOME, or a new one (AREAS=hackney,sutton for a few)
	@AREAS="$(AREAS)" ./tests/site/run

runbook-table: $(VENV)/runtime  ## Write the tables of codes in docs/runbook.md from ingest/codes.csv
	@$(BIN)/python -m tests.runbook_table

lock: $(VENV)/bootstrap  ## Resolve the locks again from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --quiet -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --quiet -c requirements.lock -o requirements-dev.lock
	@$(BIN)/uv pip compile bi/requirements.in --universal --python-version 3.11 --generate-hashes --quiet -o bi/requirements.lock
	@$(BIN)/uv pip compile tests/bi/requirements.in --universal --python-version 3.11 --generate-hashes --quiet -o tests/bi/requirements.lock
	@$(BIN)/uv pip compile tests/sbom/requirements.in --universal --python-version 3.11 --generate-hashes --quiet -o tests/sbom/requirements.lock

clean:  ## Remove the environment (never VRU_HOME)
	@rm -rf $(VENV) $(BI_VENV) *.egg-info build
