"""A finished run as a whole: its result, its recipe, and the facts and reasons that it was decided on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.base.files import regular_text
from advisor.recipe.reader import loads
from advisor.recipe.recipe import Recipe
from advisor.records import run_folder
from advisor.records.results import RunResult

HINT = "give the --out folder of an `advise run` that has ended"


class Finished(NamedTuple):
    """A finished run. text: recipe.yaml as it stands. facts: by full name, as `data.samples`.

    advice: the reason for each step, as advice.json holds it; empty in folders of older versions.
    """

    folder: Path
    result: RunResult
    recipe: Recipe
    text: str
    facts: Mapping[str, Any]
    advice: Mapping[str, Any]


def read(folder: Path) -> Finished:
    """Read a run's folder.

    Raises:
        AdviseError: it is none, the run did not finish, or a file of it is damaged.
    """
    result = run_folder.read(folder)
    if not result.steps:
        raise AdviseError(Fault("steps: a finished run has at least one", str(folder / run_folder.REPORT), hint=HINT))
    text = regular_text(folder / "recipe.yaml", HINT)
    facts = _object(folder / "facts.json")
    advice = _object(folder / "advice.json") if (folder / "advice.json").is_file() else {}
    _refuse_misshapen(folder, result, advice)
    return Finished(folder, result, loads(text, "recipe.yaml")[0], text, facts, advice)


def _refuse_misshapen(folder: Path, result: RunResult, advice: Mapping[str, Any]) -> None:
    """Raise an AdviseError for parts of a file that are not of the kind which readers rely on."""
    faults = [
        Fault(f"provenance.{name}: expected an object", str(folder / run_folder.REPORT), hint=HINT)
        for name in ("versions", "assumed")
        if not isinstance(result.provenance.get(name) or {}, dict)
    ]
    for name in ("steps", "findings"):
        entries = advice.get(name) or []
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            faults.append(Fault(f"{name}: expected a list of objects", str(folder / "advice.json"), hint=HINT))
        elif not all(isinstance(one.get("rules") or [], list) for one in entries):
            faults.append(Fault(f"{name}: rules has to be a list", str(folder / "advice.json"), hint=HINT))
    if faults:
        raise AdviseError(*faults)


def _object(path: Path) -> dict[str, Any]:
    value = run_folder.read_json(path)
    if not isinstance(value, dict):
        raise AdviseError(Fault("expected an object", str(path), hint=HINT))
    return value


def folders(named: Iterable[Path]) -> list[Path]:
    """The folders of finished runs that are named; the folder of several seeds stands for the run of each."""
    return [one for folder in named for one in _seeds(folder) or [folder]]


def _seeds(folder: Path) -> list[Path]:
    if (folder / run_folder.MANIFEST).is_file():
        return []
    return sorted(manifest.parent for manifest in folder.glob(f"seed-*/{run_folder.MANIFEST}"))
