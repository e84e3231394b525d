# Everything happens in .venv; PYTHON picks another interpreter (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup demo test slow lint types contract check docs outputs picture bench clean

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
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

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

# The site with its own search, in build/docs/site; any warning is an error.
docs: setup
	$(BIN)/python -m docs.site

# Run the commands of README and docs again and write down what they print today.
outputs: setup
	$(BIN)/advise rules docs --out docs/rules
	$(BIN)/python tests/support/doc_commands.py README.md $$(find docs -name '*.md' -not -path 'docs/rules/*')

# The picture of the README, from a demo run of its own; run it on an idle machine.
picture: demo
	$(BIN)/advise report runs/demo/run --chart docs/images/demo.svg

bench: setup
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/verify.py
	$(BIN)/python bench/check.py

clean:
	rm -rf $(VENV) build dist runs *.egg-info
