# Two commands are all one needs: `make run` and `make test`. The rest is for those who change the portal.
# Every target installs what it needs; a stamp in .venv says what is there already.

SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check
# One more than there are processors: many tests wait, for a portal to start or a clock to go on.
JOBS ?= $(shell echo $$(($$(nproc) + 1)))
# In the order of tests/conftest.py: files with few tests, which xdist would leave for the end, take longest.
DIST := --dist=loadfile --no-loadscope-reorder
COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(PYTHON) -m piptools compile --quiet --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options --strip-extras --allow-unsafe

# Bun, which builds the pages, comes with the Python packages and is found through PATH.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export REFLEX_USE_SYSTEM_BUN := 1

.PHONY: help run test dev lint bench docs pictures guide lock messages clean

help: ## Say what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1\t/' | expand -t 12

run: $(VENV)/.runtime ## The demo: own data, simulated meters, the portal on port 8000
	lk demo $(ARGS)

test: $(VENV)/.dev ## All tests; ARGS="-k chart" picks some, JOBS=1 runs them in one process
	scripts/ensure-test-tools.sh
	$(PYTHON) -m pytest --numprocesses=$(JOBS) $(DIST) $(ARGS)

dev: $(VENV)/.dev ## The portal on the demo's data, with hot reload
	LK_ENVIRONMENT=demo LK_DATA_DIR=var/demo lk migrate
	LK_ENVIRONMENT=demo LK_DATA_DIR=var/demo reflex run

lint: $(VENV)/.dev ## Style, formatting, types
	ruff check .
	ruff format --check .
	mypy

bench: $(VENV)/.dev ## Measurements
	$(PYTHON) -m tests.bench $(ARGS)

docs: pictures guide ## Pictures and guides, made anew

pictures: $(VENV)/.dev ## The pictures of help, guides and README, from a demo of their own; ARGS="settings" picks some
	$(PYTHON) -m tests.docs.pictures $(ARGS)

guide: $(VENV)/.dev ## docs/user-guide and docs/operator-guide, from the help that the pages show
	$(PYTHON) -m tests.docs.guide

# Pins stay as they are unless pyproject.toml asks for another; UPGRADE=--upgrade takes the newest of all.
lock: $(VENV)/.dev ## Write the locks anew from pyproject.toml and requirements*.in
	$(COMPILE) $(UPGRADE) --output-file requirements.lock pyproject.toml requirements.in
	$(COMPILE) $(UPGRADE) --extra dev --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml requirements.in requirements-dev.in

messages: $(VENV)/.dev ## Collect the texts to translate into the catalogues
	$(PYTHON) -m lk_portal.i18n.extract

clean: ## Remove what can be made again; the data in var/ stay
	rm -rf $(VENV) .web .states build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis \
		tests/e2e/axe/node_modules
	find . -name __pycache__ -prune -exec rm -rf {} +

$(PYTHON):
	scripts/make-venv.sh $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(PYTHON)
	$(PIP) install --quiet --require-hashes --no-deps -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(PIP) install --quiet --require-hashes --no-deps -r requirements-dev.lock
	@touch $@
