# Everything happens in .venv; PYTHON picks another interpreter (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup demo test slow lint types contract check bench clean

setup: $(VENV)/installed

# torch 2.13 has CPU wheels on PyPI for every platform that the project is tested on; see pyproject.toml.
$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	touch $@

demo: setup
	rm -rf runs/demo
	$(BIN)/advise demo --out runs/demo

# A file of tests stays in one process, as its tests share runs that they look at.
test: setup
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

slow: setup
	$(BIN)/python -m pytest -m slow

lint: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/deptry .

types: setup
	$(BIN)/mypy

contract: setup
	$(BIN)/lint-imports

check: test lint types contract
	$(BIN)/advise check recipes
	$(BIN)/advise rules verify
	$(BIN)/advise rules test

bench: setup
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/verify.py
	$(BIN)/python bench/check.py

clean:
	rm -rf $(VENV) build dist runs *.egg-info
