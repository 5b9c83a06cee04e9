# Each of these makes its own .venv from nothing.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

.PHONY: demo test check soak clean

demo: .venv/.stamp-demo
	$(BIN)/hubbub demo

test: .venv/.stamp-dev
	$(BIN)/pytest

check: .venv/.stamp-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# long counts: kills of training runs, thousands of broken files, cuts of streams (of HUBBUB_RECORDINGS=FOLDER, if named)
soak: .venv/.stamp-dev
	$(BIN)/pytest -m soak

clean:
	rm -rf .venv demo

.venv/.stamp-demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) ".[train,report]"
	touch $@

.venv/.stamp-dev: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) ".[train,report,listen,dev]"
	$(INSTALL) ".[compare]" || echo "sed_scores_eval was not built (it wants a C compiler): tests beside it are skipped"
	$(INSTALL) ".[ray]" || echo "ray was not installed (there is no wheel of it for this Python): its tests are skipped"
	touch $@ .venv/.stamp-demo
