# One door for every task; each target makes or refreshes .venv by itself. `make` alone lists them.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

BIN := .venv/bin
INSTALLED := .venv/.installed
STAMP := .venv/.compiled
QUICKSTART := notebooks/00_quickstart.ipynb
# What `make app` serves; another notebook with APP=...
APP ?= notebooks/09_open_the_desk.ipynb

# Which interpreter .venv is made of: the first that is new enough and can make one. Name another with PYTHON=...
PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3 python,$(if $(shell \
	$(name) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo yes),$(name))))
# pytest's workers: one more than two cores, as many tests wait for a process of their own
WORKERS ?= 3

.PHONY: help setup lab app demo test lint-and-setup lint unit simulate soak notebooks browser test-browser bench lock clean

help: ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  make %-13s %s\n' "$$name" "$$text"; done

setup: $(STAMP) ## make .venv with the pinned packages and this one (again only when they change)

$(STAMP): $(INSTALLED) $(wildcard workbench/core/*.py workbench/model/*.py) benchmarks/compile_core.py
	$(BIN)/python benchmarks/compile_core.py
	@touch $@

$(INSTALLED): pyproject.toml requirements/test.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with its venv module was found. Install one, or name it: make setup PYTHON=/path/to/python" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/test.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lab: $(STAMP) ## open JupyterLab on the quickstart
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(QUICKSTART)

# As voila.json says: only this computer may ask, with the token of the address that is printed, and the page asks nobody
# else.
app: $(STAMP) ## open the control panel as a page of its own, without the notebook around it
	@test -f "$(APP)" || { echo "There is no notebook $(APP); name another: make app APP=notebooks/NAME.ipynb" >&2; exit 1; }
	$(BIN)/voila "$(APP)"

# Without the widgets' state the page shows the pictures of panels; with it, widgets that a foreign host would have to draw.
demo: $(STAMP) ## run the quickstart without a browser and leave a page to open
	@mkdir -p build
	PLOTLY_RENDERER=notebook $(BIN)/jupyter nbconvert --to html --execute --log-level WARN \
		--ExecutePreprocessor.store_widget_state=False \
		--output-dir build --output quickstart.html $(QUICKSTART)
	@echo "Open $(CURDIR)/build/quickstart.html"

test: lint-and-setup notebooks unit browser ## everything that CI checks
	@cat build/tests/*.alone 2>/dev/null | sed 's/^/passed only when it was run once more alone: /' || true

# A core compiles while the other checks.
lint-and-setup: $(INSTALLED)
	@$(MAKE) setup & set_up=$$!; $(MAKE) lint || { wait $$set_up; exit 1; }; wait $$set_up

lint: $(INSTALLED) ## style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

unit: $(STAMP) ## every test but those in a browser, in random order; what fails is run once more alone
	$(BIN)/python -m tests.twice unit -n $(WORKERS) --dist worksteal -m "not browser"

# A failure prints its seed: `make simulate FIRST=seed COUNT=1` repeats it. `make unit` runs the first 10,000.
FIRST ?= 0
COUNT ?= 1000000

simulate: $(STAMP) ## a million histories of orders with crashes and lost answers (twenty minutes)
	$(BIN)/python -m tests.simulation.order_history $(FIRST) $(COUNT)

# The seed says when and how; what a kill meets is left to the machine. `make unit` kills ten times.
SEED ?= 1
KILLS ?= 200

soak: $(STAMP) ## kill sessions two hundred times among lost orders, and a month long (forty minutes)
	$(BIN)/python -m tests.soak.killer $(SEED) $(KILLS)
	$(BIN)/python -m tests.soak.month $(SEED) 20 43200

notebooks: $(STAMP) ## run the notebooks and compare what they print
	$(BIN)/python -m pytest -n 3 --dist loadfile -p no:randomly -p tests.notebooks.home --nbval \
		--nbval-current-env --nbval-sanitize-with tests/notebooks/sanitize.cfg notebooks

browser: $(STAMP) ## the tests in a real browser, skipped where there is no chromium
	@rm -rf build/browser
	$(BIN)/python -m tests.twice browser -n 2 --dist loadfile -m browser tests/browser

test-browser: $(STAMP) ## the same, and first fetch a chromium where there is none (needs the network)
	@$(BIN)/python -m tests.browser.chromium || $(BIN)/playwright install --with-deps --only-shell chromium
	@$(BIN)/python -m tests.browser.chromium
	$(MAKE) browser

bench: $(STAMP) ## print the figures and the machine they were measured on
	@for script in $(sort $(wildcard benchmarks/bench_*.py)); do echo "== $$script"; $(BIN)/python "$$script"; done

lock: ## find the newest versions that fit pyproject.toml and pin them with their hashes
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with its venv module was found." >&2; exit 1; }
	test -x build/lock/bin/uv || { $(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet 'uv>=0.9'; }
	$(call compile_lock,test,--extra app --extra test --extra browser)
	$(call compile_lock,run,--constraint requirements/test.txt)

define compile_lock
	build/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--group pyproject.toml:build $(2) --output-file requirements/$(1).txt pyproject.toml
endef

clean: ## remove .venv and everything else that was made here
	rm -rf .venv build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find workbench tests benchmarks notebooks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
	find . -maxdepth 3 -name .ipynb_checkpoints -prune -exec rm -rf {} +
