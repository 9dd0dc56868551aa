# The two commands of a newcomer are `make run` and `make test`; they install what they need first.
PYTHON ?= python3.11
BIN := .venv/bin
ifneq ($(PIP_FIND_LINKS),)
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
endif
export DVC_NO_ANALYTICS := 1

.PHONY: install run test test-gallery browser check check-types-break ui stop lock clean

run: install
	@$(BIN)/perennial run ad_response

install: .venv/installed

# Says what it downloads and shows it; nothing once it is done.
.venv/installed: requirements.lock pyproject.toml
	@echo "Installing the $$(grep -c == requirements.lock) packages of requirements.lock into .venv, 2.3 GB without CUDA: PyTorch, MLflow, Prefect, DVC"
	@echo "and what they need. What is not in uv's cache is downloaded first."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --python $(BIN)/python --compile-bytecode -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

test: install
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -q

test-gallery: install
	@$(BIN)/python -m pytest -n 2 -q -m gallery tests/gallery

# Some tests look at reports through Chromium. Where there is none and none can be installed, they are skipped.
browser:
	@if command -v chromium || command -v chromium-browser || command -v google-chrome; then :; \
	elif ! command -v apt-get >/dev/null; then echo "no Chromium and no apt-get: tests that look through a browser will be skipped"; \
	elif apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; then :; \
	else echo "apt-get could not install chromium: tests that look through a browser will be skipped"; fi

check: install
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/perennial graph --check
	@$(BIN)/zizmor --offline --quiet --no-progress .github/workflows
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci infra/gitlab-ci.yml

# Renames five fields of results in a scratch copy: mypy must find the readers of each.
check-types-break: install
	@$(BIN)/python tests/renamed_fields.py

ui: install
	@$(BIN)/perennial ui

stop:
	@$(BIN)/perennial stop

# Resolve pyproject.toml anew: names and versions only, no hosts, no local builds; then what changes a result.
lock: install
	@rm -f requirements.lock.new
	@$(BIN)/uv pip compile --quiet --python $(BIN)/python --extra dev --no-header --no-annotate --no-emit-index-url \
	    --no-emit-find-links -o requirements.lock.new pyproject.toml > /dev/null
	@sed -i -e 's/+[A-Za-z0-9.]*$$//' requirements.lock.new
	@mv requirements.lock.new requirements.lock
	@$(BIN)/python -m perennial.pipeline.versions

# What `perennial run` brings back from DVC's cache, and caches of tools. Registry, decisions and lists stay.
clean:
	rm -rf outputs .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@echo "kept: .perennial (registry, decisions, reports, lists), .dvc/cache, data, .venv"
