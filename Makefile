# make demo: the whole loop on a built-in practice competition, offline.  make test: everything, checked.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench docs clean

$(VENV)/base.stamp: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/dev.stamp: $(VENV)/base.stamp
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

# What is tested and needs an extra: torch, torchvision and timm in one command, so that they fit each other (about 6 GB).
$(VENV)/test.stamp: $(VENV)/dev.stamp
	$(BIN)/python -m pip install --quiet --editable ".[dev,deep,boost]"
	touch $@

demo: $(VENV)/base.stamp
	$(BIN)/kk demo

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest -n 2 -q

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/dev.stamp
	for script in $(filter-out benchmarks/_%.py benchmarks/quality.py,$(wildcard benchmarks/*.py)); do $(BIN)/python $$script || exit 1; done

docs: $(VENV)/dev.stamp
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
