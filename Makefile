# One-line recipes. PYTHON may name an interpreter; otherwise the newest that fits is taken.
VENV ?= .venv
CSW := $(VENV)/bin/csw
READY := $(VENV)/.ready
export DO_NOT_TRACK := 1

.PHONY: help install demo demo-real demo-crm5 ui test spark lint format lock bench clean

help: ## What there is to make
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1 \t/'

$(READY): requirements.lock pyproject.toml
	@sh .ci/install $(VENV)

install: $(READY) ## Install everything into .venv

demo: $(READY) ## Write a sample, run the whole main job, show the result; again: one more day
	@$(CSW) demo

# Linked, because a run notes beside its landing what it has seen.
demo-real: $(READY) ## The same job on RavenStack, a public data set beside the project
	@mkdir -p .csw-real/landing && ln -sf $(abspath ../shared/data/ravenstack/original)/* .csw-real/landing/
	@$(CSW) run --landing .csw-real/landing --profile ravenstack --as-of 2025-01-01 --home .csw-real

demo-crm5: $(READY) ## The same job on crm5, to the end of what it bills: 7.7 million events, some five minutes
	@mkdir -p .csw-crm5/landing && ln -sf $(abspath ../shared/data/crm5)/* .csw-crm5/landing/
	@$(CSW) run --landing .csw-crm5/landing --profile crm5 --as-of 2023-01-01 --home .csw-crm5

ui: $(READY) ## The Dagster UI over the demo's home, schedule and sensors on
	@$(CSW) ui

test: $(READY) ## All tests
	@$(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -q --durations=20 --durations-min=5

spark: $(READY) ## The usage rollups' SQL on Spark: needs Java, installs PySpark
	@$(VENV)/bin/python -m pip install --quiet --no-build-isolation --editable '.[spark]'
	@$(VENV)/bin/python -m pytest -q -rs tests/integration/test_rollups_translate.py

lint: $(READY) ## ruff, mypy, sqlfluff, dbt parse
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy && $(CSW) parse && cd dbt_project && ../$(VENV)/bin/sqlfluff lint --config ../pyproject.toml ../models tests

format: $(READY) ## Format Python
	@$(VENV)/bin/ruff check --fix . && $(VENV)/bin/ruff format .

bench: $(READY) ## Loading beside a bare insert, side by side
	@$(VENV)/bin/python -m benchmarks.load

lock: ## Resolve the dependencies anew, for every Python and platform
	@uv pip compile --universal --generate-hashes --no-strip-extras --python-version 3.11 --extra dev --no-header --no-annotate -q pyproject.toml -o requirements.lock

clean: ## Remove what the demo wrote
	@rm -rf .csw .csw-real .csw-crm5
