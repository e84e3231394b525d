"""The folder that a run writes to: a new one, or one that holds a run; what others have put there is left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from advisor.errors import AdviseError, Fault
from advisor.files import new_folder

LOCK, STATE, STEPS = ".lock", ".state", "steps"
RECIPE, FACTS, ADVICE = ASSIGNMENT = ("recipe.yaml", "facts.json", "advice.json")
RESUME = "to go on with the run there, add --resume"
STEP = re.compile(r"\d+-[a-z_]+(\.json)?")
# What a process that was killed leaves: of `files.write`, of `files.new_folder`, of a step's folder.
DRAFT = re.compile(r"\.([a-z]+\.(json|yaml)\.)?\d+")
STEP_DRAFT = re.compile(r"\.\d+-[a-z_]+(\.draft|\.json\.\d+)")


def open_folder(out: Path, resume: bool) -> None:
    """Make the folder of a run, or go on in one.

    Raises:
        AdviseError: it is taken and `resume` is not wanted, holds no run, or cannot be written to.
    """
    _open(out, resume, holds_run(out))


def open_folders(out: Path, resume: bool) -> None:
    """Make the folder of several runs, each in a folder `seed-N` there, or go on in one. Raises: see `open_folder`."""
    if (out / STEPS).exists():
        raise AdviseError(Fault("holds a run of one seed", str(out), hint="give --seeds another --out"))
    _open(out, resume, _untouched(out) or any(holds_run(folder) for folder in out.glob("seed-*")))


def _open(out: Path, resume: bool, held: bool) -> None:
    if not resume or not out.exists():
        new_folder(out, f"give --out a new folder{f'; {RESUME}' if held else ''}")
    elif not held:
        raise AdviseError(Fault("there is no run to resume here", str(out), hint="give the --out folder of the run"))


def holds_run(out: Path) -> bool:
    """Whether a run can go on in a folder: it holds steps of one, or nothing but what one leaves before its first."""
    if not out.is_dir():
        return False
    steps = out / STEPS
    if not steps.is_dir():
        return _untouched(out)
    names = [path.name for path in steps.iterdir()]
    begun = any(STEP.fullmatch(name) or STEP_DRAFT.fullmatch(name) for name in names)
    return begun or (not names and _untouched(out, STEPS, STATE, *ASSIGNMENT))


def _untouched(out: Path, *also: str) -> bool:
    """Whether a folder holds nothing but what a run leaves that was killed at its very start, and these names."""
    names = [path.name for path in out.iterdir()] if out.is_dir() else [""]
    return all(name in (LOCK, *also) or DRAFT.fullmatch(name) for name in names)


def drafts(out: Path) -> Iterator[Path]:
    """What killed processes left half done in the folder of a run."""
    yield from (path for path in out.iterdir() if DRAFT.fullmatch(path.name))
    yield from (path for path in (out / STEPS).iterdir() if STEP_DRAFT.fullmatch(path.name))


def steps(out: Path) -> list[Path]:
    """The folders and records of all steps in the folder of a run, also of those that its recipe no longer has."""
    return sorted(path for path in (out / STEPS).iterdir() if STEP.fullmatch(path.name))
