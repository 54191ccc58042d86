# One-line doors: `make` lists them. The work itself is done by the `deck` command and by the tools in .venv.
# ARGS goes to the tool behind a door, as in `make test ARGS="-k candles"`.

PYTHON ?= python3.12 python3.11 python3.10 python3
bin := .venv/bin
ready := .venv/ready

# The same text, order and case everywhere; Python reads and writes UTF-8 whatever the locale.
export LC_ALL := C
export PYTHONUTF8 := 1
# What is kept compiled starts in two thirds of the time, and the tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run deploy-flow verify-flow dashboard test check format chaos bench docs lock clean

help: ## list the doors
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

run: $(ready) ## paper-trade a simulated week of two markets, into embedded ClickHouse
	@$(bin)/deck run $(ARGS)

# What is said goes to `deck deploy`: make deploy-flow FLOW=flows/x.py SOURCE=exchange:binance MARKETS=binance:BTC/USDT
FLOW ?= flows/learned_cross.py
given = $(if $($1),--$2 '$($1)')

deploy-flow: $(ready) ## run a flow unattended: FLOW=flows/x.py [TARGET= SOURCE= BROKER= ACCOUNT= MARKETS= PROCESSES= NAME=]
	@$(bin)/deck deploy '$(FLOW)' $(call given,TARGET,target) $(call given,SOURCE,source) $(call given,BROKER,broker) \
		$(call given,ACCOUNT,account) $(call given,MARKETS,markets) $(call given,PROCESSES,processes) $(call given,NAME,name) $(ARGS)

dashboard: $(ready) ## the live page of what is deployed and what ran, on this machine only; ARGS="--read-only --open"
	@$(bin)/deck dashboard $(ARGS)

verify-flow: $(ready) ## replay what a deployment has read, and say whether it is identical: FLOW=flows/x.py or NAME=
	@$(bin)/deck verify '$(or $(NAME),$(FLOW))' $(ARGS)

# Many tests wait for a market that plays in real time: four at once keep two cores busy; who is done takes from the others.
test: $(ready) ## the whole test suite, with doctests
	@$(bin)/pytest -n 4 --dist worksteal $(ARGS)

check: $(ready) ## format, lint, types, tests: all that CI runs
	@$(bin)/ruff format --check
	@$(bin)/ruff check
	@$(bin)/mypy
	@$(MAKE) --no-print-directory test

format: $(ready) ## rewrite the code as `make check` wants it
	@$(bin)/ruff check --fix --exit-zero --quiet
	@$(bin)/ruff format

chaos: $(ready) ## kill, freeze and starve what runs, drawn from seeds, and see what must hold; ARGS="--class behind --seeds 1-100"
	@$(bin)/python -m tests.chaos $(ARGS)

bench: $(ready) ## speed and memory as tables, against a plain loop; ARGS=ingest measures taking in, half an hour; ARGS=orders orders
	@$(bin)/python -m benchmarks $(ARGS)

docs: $(ready) ## write the pages of docs/ that are made from the code: operators, events
	@$(bin)/python -m infra.authors.pages docs

pin := $(bin)/uv pip compile pyproject.toml --quiet --universal --python-version 3.10 --fork-strategy fewest \
	--generate-hashes --custom-compile-command "make lock"

lock: $(ready) ## renew requirements.lock, and the image's: the newest versions that pyproject.toml allows
	@$(pin) --extra dev --output-file requirements.lock --upgrade
	@$(pin) --extra image --output-file infra/image/requirements.lock --constraint requirements.lock --no-annotate

clean: ## remove .venv, caches and build leftovers; .tapedeck/ (history) stays
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment, made again when what it is made from changes. A Python fits when it is of the right version and can
# really make an environment (Debian's cannot without python3-venv), so each candidate is tried.
$(ready): requirements.lock pyproject.toml
	@fits='import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))'; \
	for python in $(bin)/python $(PYTHON); do \
		"$$python" -c "$$fits" 2>/dev/null || continue; \
		[ "$$python" != $(bin)/python ] || { $(bin)/pip --version >/dev/null 2>&1 && break; continue; }; \
		echo "making .venv with $$("$$python" --version)"; \
		"$$python" -m venv --clear .venv >/dev/null 2>&1 && break; \
	done; \
	$(bin)/pip --version >/dev/null 2>&1 || { \
		echo "Tapedeck needs Python 3.10, 3.11 or 3.12 with its venv module, and found none (looked for: $(PYTHON))."; \
		echo "Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.12),"; \
		echo "or name it: make PYTHON=/path/to/python3.12"; exit 1; } >&2
	@echo "installing the locked packages (2 GB on the disk, a minute or two the first time)"
	@$(bin)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(bin)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
