# Two commands: `make demo` and `make test`. Python 3.11+ (with venv) and make are all that must be there.
# Every path is relative, so that the project may lie in a folder whose name holds spaces or Vietnamese letters.

PYTHON ?= python3
VENV ?= .venv
UV_VERSION := 0.13.9
TESTS ?=
CANDIDATES ?= 300
SCHEDULES ?= 100000
REFERENCE ?= ../shared/reference

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

RUN := $(VENV)/bin/python
NPM := $(RUN) proctor_client/npm.py
FONTS := exam_engine/infra/pdf/fonts
TTF := proctor_client/node_modules/@expo-google-fonts/be-vietnam-pro
CLIENT_SOURCES := $(shell find proctor_client -name node_modules -prune -o -name dist -prune -o -type f -print 2>/dev/null)

# Compiled modules are kept: every process of ours would otherwise compile the program anew, seconds each time.
export PYTHONDONTWRITEBYTECODE :=

# uv has its own list of certificate authorities and stops when HOME cannot be written.
export UV_SYSTEM_CERTS := true
ifeq ($(UV_CACHE_DIR),)
ifneq ($(shell mkdir -p "$$HOME" 2>/dev/null && test -w "$$HOME" && echo yes),yes)
export UV_CACHE_DIR := $(CURDIR)/.uv-cache
endif
endif

.PHONY: help screenshots demo test test-faults simulate check bench bench-irt load lock clean install client

help: ## Show what there is
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile

demo: install client ## Start everything with the sample province; RESET=1 begins anew
	@exec $(RUN) -m exam_engine.cli.main up --sample $(if $(RESET),--reset --yes)

test: install client ## Run all tests; TESTS=tests/scoring runs some
	@sh .ci/chromium
	$(NPM) run --silent test
	$(if $(TESTS),$(RUN) -m pytest --reference-dir "$(REFERENCE)" $(TESTS),@sh .ci/tests "$(RUN)" "$(REFERENCE)")

test-faults: install client ## Run the long tests that kill processes
	@sh .ci/nginx
	$(RUN) -m pytest --reference-dir "$(REFERENCE)" --long-faults tests/faults

simulate: install ## Simulate delivery on a virtual clock with a nemesis; SCHEDULES=100000
	$(RUN) -m tests.simulation $(SCHEDULES)

check: install proctor_client/node_modules/.installed ## Lint, types, import contracts
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy exam_engine api item_bank scoring loadtests
	$(RUN) -c "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
	$(NPM) run --silent check

bench: install client ## Measure a save, the console and the player into docs/benchmarks.md, rehearse a day; CANDIDATES=300
	@sh .ci/chromium
	@command -v redis-benchmark >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		apt-get install -y -q redis-tools >/dev/null; } || echo "redis-benchmark is not there (package redis-tools): left out"
	$(RUN) -m loadtests.bench_delivery
	$(RUN) -m loadtests.bench_player
	$(RUN) -m exam_engine.cli.main rehearse --candidates $(CANDIDATES)

load: install client ## Load an installation of its own with bots; CANDIDATES=2000 SCENARIOS=login_rush,… WRITE=1 (docs)
	$(RUN) -m loadtests.run --candidates $(CANDIDATES) --report var/load.html $(if $(SCENARIOS),--scenarios $(SCENARIOS)) \
		$(if $(WRITE),--write)

screenshots: install client ## Take the pictures of the README anew, into docs/images
	$(RUN) deploy/screenshots.py

bench-irt: install ## Measure item calibration against the peers on PyPI, write docs/benchmarks.md
	@test -x var/irt-peers/bin/python || $(PYTHON) -m venv var/irt-peers
	@var/irt-peers/bin/python -m pip install --quiet --disable-pip-version-check mirt==1.2.0 girth==0.8.0
	$(RUN) -m loadtests.bench_irt --peers var/irt-peers/bin/python

recovery-irt: install ## Recover simulated items from 20 seeds of 20,000 × 50, write docs/benchmarks.md
	$(RUN) -m loadtests.recovery_irt

lock: $(VENV)/.installed ## Write requirements.lock and package-lock.json anew; UPGRADE=1 takes newer versions
	$(RUN) -m uv pip compile --quiet $(if $(UPGRADE),--upgrade) --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --group dev pyproject.toml --output-file requirements.lock
	$(NPM) $(if $(UPGRADE),update,install) --package-lock-only --ignore-scripts

clean: ## Remove what can be made again; data folders stay
	rm -rf $(VENV) .uv-cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info \
		proctor_client/node_modules proctor_client/dist $(FONTS)

install: $(VENV)/.installed

client: proctor_client/dist/.built $(FONTS)/.copied

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
		"Python 3.11 or newer is needed; if it has another name: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo \
		"Python's venv module does not work here; on Debian and Ubuntu install the package python3-venv" >&2; exit 1; }
	@echo "installing the locked packages …"
	@$(RUN) -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) && \
		$(RUN) -m uv pip install --quiet --python $(RUN) --require-hashes -r requirements.lock || { \
		echo "uv could not install them; trying again with pip, which takes longer …"; \
		$(RUN) -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock; }
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@# uv compiles nothing: load what a start loads once, so that the first start is not the slow one.
	@$(RUN) -c "import api.app, exam_engine.jobs.worker, exam_engine.infra.migrations.runner, exam_engine.sample.loader" || true
	@touch $@

proctor_client/node_modules/.installed: proctor_client/package-lock.json proctor_client/.npmrc $(VENV)/.installed
	@echo "installing the front end's packages …"
	@$(NPM) ci --loglevel error --no-progress --ignore-scripts
	@touch $@

proctor_client/dist/.built: proctor_client/node_modules/.installed $(CLIENT_SOURCES)
	@echo "building the front end …"
	@$(NPM) run --silent build -- --logLevel error
	@touch $@

$(FONTS)/.copied: proctor_client/node_modules/.installed
	@mkdir -p $(FONTS)
	@for cut in 400Regular 400Regular_Italic 700Bold 700Bold_Italic; do \
		cp $(TTF)/$$cut/BeVietnamPro_$$cut.ttf $(FONTS)/; done
	@cp $(TTF)/LICENSE_FONT $(FONTS)/OFL.txt
	@touch $@
