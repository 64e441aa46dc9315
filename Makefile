# Everything a fresh machine needs: `make run` or `make test` (Linux, Python 3.11 or newer, make).
#
# Settings, given as `make run NAME=value` or in the environment:
#   PYTHON    the interpreter that .venv is made with; default: the first that is 3.11 or newer
#   PIP_ARGS  more arguments for pip. PyPI's build of torch brings CUDA along (some GB); without a GPU,
#             PIP_ARGS="--extra-index-url <the PyTorch project's index of CPU wheels>" takes the small one
#   ARGS      more arguments for pytest and the commands below: make test ARGS="-k curve"
#   EP_...    the services' own settings: EP_PORT=8001 make run

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
GENERATORS := $(VENV)/generators
DEFAULT_MODEL := mobilenet_v2
PIP_ARGS ?=
ARGS ?=

# What pip says goes to the terminal only from warnings on.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) --constraint constraints.txt
DENO := DENO_NO_UPDATE_CHECK=1 $(abspath $(BIN))/deno
INSTALLED_FROM := pyproject.toml constraints.txt clients/python/pyproject.toml

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run setup test unit check format kserve audit browser generators client figures screenshots mutants chaos pauses soak memory load scale fuzz attacks dataset stops docs dist sbom licences clean

help:  ## This list
	@echo "make run      start everything on this machine: http://127.0.0.1:8000 (sets up first)"
	@echo "make test     sets up, checks, runs the whole test suite   (ARGS=\"-k name\" for some)"
	@echo "make unit     the tests of tiny networks alone: no process, no server"
	@echo "make check    lint, format, types, imports"
	@echo "make format   mend what ruff can mend"
	@echo "make generators  generators of clients, for their tests (test does it, too)"
	@echo "make kserve   KServe's own client against the running stack   (ARGS=--record to keep its requests for make test)"
	@echo "make client   the clients' types and addresses, from the API's document"
	@echo "make audit    known vulnerabilities of the pinned dependencies (asks PyPI)"
	@echo "make chaos    200 jobs while workers, an API process and Redis are killed"
	@echo "make pauses   200 times a worker is paused in the middle of a job, and comes back"
	@echo "make stops    100 times each a worker is stopped (SIGTERM) while it decodes, steps, scores and stores"
	@echo "make soak     2000 jobs one after the other: memory, and what stays in Redis"
	@echo "make memory   500 jobs of all kinds: the peak of a worker's memory"
	@echo "make load     jobs that share a device, a long queue, polls a second, overhead, cancelling   (ARGS=\"--only polls\")"
	@echo "make scale    ten thousand jobs a minute with fake engines: what each part costs, and the first wall"
	@echo "make fuzz     all kinds of requests (schemathesis), broken and hostile images"
	@echo "make attacks  what others see while one client does its worst   (ARGS=\"--only streams\")"
	@echo "make dataset  whole datasets on a local Ray cluster: time, killed actors, cost   (ARGS=\"--only cost\")"
	@echo "make mutants  how many of a hundred faults in lines of the code the tests find   (ARGS=\"--seed 1\" for others)"
	@echo "make dist     wheels and source archives, tried in an empty environment"
	@echo "make sbom     a bill of materials of each image (CycloneDX), in build/sbom"
	@echo "make licences  the table of licences in docs/licences.md, checked"
	@echo "make docs     the documentation site, in build/site   (ARGS=--run runs the commands of tutorial and how-to pages)"
	@echo "make figures  pictures and figures of README and docs, from real results   (ARGS=--check to compare, --ages to list how old they are)"
	@echo "make screenshots  the dashboard's pictures in docs/   (ARGS=\"running phone\" for some)"
	@echo "make setup    .venv with everything that run and test need, and the default weights"
	@echo "make clean    remove .venv and caches"

run: $(STAMPS)/local $(STAMPS)/weights
	@$(BIN)/ep serve

setup: $(STAMPS)/test $(STAMPS)/weights
	@:

test: setup check browser generators
	@echo "Tests"
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

unit: $(STAMPS)/test
	@$(BIN)/python -m pytest tests/unit -m "not slow" --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

# For the dashboard's tests; root on a Debian gets it, others install one. The tests say where there is none.
# The headless shell costs them a third of what the whole browser does, so that it is sought beside that, too.
browser:
	@command -v chromium-headless-shell >/dev/null && exit 0; \
	export DEBIAN_FRONTEND=noninteractive; \
	root() { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; }; \
	get() { apt-get install -qq --yes --no-install-recommends $$1 </dev/null >/dev/null 2>&1; }; \
	root && get chromium-headless-shell && exit 0; \
	for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if root; then \
	    echo "Installing chromium for the dashboard's tests"; \
	    apt-get update -qq </dev/null >/dev/null; \
	    get chromium-headless-shell || get chromium || echo "apt-get can't install chromium" >&2; \
	fi

# For the tests of clients that are generated from the API's document. Each has an environment of its own: what they need
# differs from what we pin. Where one can't be installed, its tests are skipped and say so.
generators: | $(STAMPS)/venv
	@$(MAKE) --no-print-directory --silent $(STAMPS)/generator-python || echo "Can't install openapi-python-client" >&2
	@command -v npm >/dev/null || exit 0; \
	$(MAKE) --no-print-directory --silent $(STAMPS)/generator-typescript || echo "npm can't install openapi-typescript" >&2

$(STAMPS)/generator-python: tests/clients/python/requirements.txt
	@echo "Installing the generator of Python clients"
	@$(BIN)/python -m venv --clear $(GENERATORS)/python
	@$(GENERATORS)/python/bin/python -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 15 $(PIP_ARGS) --requirement $<
	@touch $@

$(STAMPS)/generator-typescript: tests/clients/typescript/package.json tests/clients/typescript/package-lock.json
	@echo "Installing the generator of TypeScript clients"
	@mkdir -p $(GENERATORS)/typescript
	@cp $^ $(GENERATORS)/typescript
	@npm ci --prefix $(GENERATORS)/typescript --silent --no-audit --no-fund --fetch-retries=0 --fetch-timeout=20000
	@touch $@

check: $(STAMPS)/test
	@echo "Lint, format, types, imports"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo --no-cache
	@$(DENO) lint --quiet && $(DENO) fmt --check --quiet

format: $(STAMPS)/test
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(DENO) fmt --quiet

client: $(STAMPS)/test
	@$(BIN)/python -m clients.generate $(ARGS)

# KServe's client needs other versions than we pin: an environment of its own.
kserve: setup $(STAMPS)/kserve
	@$(BIN)/python -m tests.clients.kserve $(ARGS)

$(STAMPS)/kserve: tests/clients/kserve/requirements.txt
	@echo "Installing KServe's client"
	@$(BIN)/python -m venv --clear $(GENERATORS)/kserve
	@$(GENERATORS)/kserve/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) --requirement $<
	@touch $@

audit: $(STAMPS)/test
	@$(INSTALL) --editable '.[audit]'
	@$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip

dist sbom: $(STAMPS)/test
	@$(BIN)/python -m docs.release.$@ $(PIP_ARGS)

licences: $(STAMPS)/test
	@$(BIN)/python -m docs.release.licences

docs: $(STAMPS)/docs
	@$(BIN)/python -m docs.site $(ARGS)

$(STAMPS)/docs: $(STAMPS)/test
	@echo "Installing what builds the site"
	@$(INSTALL) --editable '.[docs]'
	@touch $@

screenshots: setup browser
	@$(BIN)/python -m docs.screenshots $(ARGS)

figures: setup
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m docs.figures $(ARGS)

mutants: setup browser generators
	@$(BIN)/python -m tests.mutation $(ARGS)

# Whether the service can be relied on: each starts a stack of its own and fails where a bar is missed.
chaos pauses stops soak memory load scale fuzz attacks: setup
	@$(BIN)/python -m tests.reliability.$@ $(ARGS)

# Ray comes with its own extra, which `make test` does without: its clusters take half a minute to start.
dataset: setup
	@$(INSTALL) --editable '.[ray]'
	@$(BIN)/python -m tests.reliability.dataset $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info clients/python/build clients/python/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(STAMPS)/venv:
	@if $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Using the $(VENV) that is there"; mkdir -p $(STAMPS); touch $@; exit 0; \
	fi; \
	for python in $(if $(PYTHON),"$(PYTHON)",python3.13 python3.12 python3.11 python3.14 python3 python); do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "No Python 3.11 or newer here$(if $(PYTHON), (PYTHON=$(PYTHON))): install one, or name it with PYTHON=/path/to/python3.x" >&2; \
	    exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv --clear $(VENV) || { \
	    rm -rf $(VENV); echo "It can't make virtual environments: install its venv package (Debian: python3-venv)" >&2; exit 1; \
	}; \
	mkdir -p $(STAMPS); touch $@

$(STAMPS)/local: $(INSTALLED_FROM) | $(STAMPS)/venv
	@echo "Installing what running needs (the first time takes a few minutes)"
	@$(INSTALL) --editable '.[local]'
	@touch $@

$(STAMPS)/test: $(INSTALLED_FROM) | $(STAMPS)/venv
	@echo "Installing what running and testing need (the first time takes a few minutes)"
	@$(INSTALL) --editable '.[test]' --editable 'clients/python[mcp,numpy,progress]'
	@$(INSTALL) --no-deps quantus  # its opencv-python has the files of grad-cam's opencv-python-headless, and needs libGL
	@touch $@ $(STAMPS)/local

# Needs an installation, but a newer one is no reason to fetch again.
$(STAMPS)/weights: | $(STAMPS)/local
	@echo "Fetching the weights of $(DEFAULT_MODEL)"
	@$(BIN)/ep models --fetch $(DEFAULT_MODEL)
	@touch $@
