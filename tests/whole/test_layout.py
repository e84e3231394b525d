"""The house: wings in the order of the data, imports one way, no circle of files, tests beside their wings."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import grimp

CHECKOUT = Path(__file__).parents[2]
PACKAGE = CHECKOUT / "advisor"
API = {"advise", "check", "run", "gate", "load", "search"}
NOT_CODE = {"__init__", "__main__"}


def contract() -> Mapping[str, Any]:
    """The import contract of the wings."""
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert "exclude_type_checking_imports" not in settings, "imports for type checkers count as well"
    found: Mapping[str, Any] = settings["contracts"][0]
    return found


def wings() -> set[str]:
    return {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").exists()}


def test_no_files_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("advisor", cache_dir=None)
    modules = graph.modules
    assert len(modules) > 200
    TopologicalSorter({one: graph.find_modules_directly_imported_by(one) for one in modules}).prepare()


def test_the_contract_names_every_wing_once_in_at_most_18_layers() -> None:
    layers = contract()["layers"]
    named = [name.strip() for layer in layers for name in layer.split("|")]
    assert contract()["exhaustive"] and len(layers) <= 18
    assert len(named) == len(set(named)) and set(named) - NOT_CODE == wings()


def test_few_modules_are_loose_in_the_package() -> None:
    loose = {file.stem for file in PACKAGE.glob("*.py")} - NOT_CODE
    assert len(loose) <= 4, sorted(loose)


def test_no_module_hides_a_function_of_the_api() -> None:
    hiding = API & ({file.stem for file in PACKAGE.glob("*.py")} | wings())
    assert not hiding, "importing such a module would replace the function of that name in `advisor`"


def test_tests_stand_in_folders_named_as_the_wings() -> None:
    folders = {file.parent.relative_to(CHECKOUT / "tests") for file in (CHECKOUT / "tests").rglob("test_*.py")}
    apart = {
        Path("whole"),
        Path("ci"),
        Path("docs"),
        Path("bench"),
    }  # the product as a whole, what surrounds it, its documentation, and its measurements
    assert all((PACKAGE / folder).is_dir() for folder in folders - apart), sorted(map(str, folders - apart))
