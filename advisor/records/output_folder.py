"""The folder that a run writes to: a new one, or one that holds a run; what others put beside is left alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from advisor.base.errors import AdviseError, DiskFull, Fault
from advisor.base.files import disk_is_full, new_folder, write_json

LOCK, STATE, STEPS = ".lock", ".state", "steps"
TRACKING = "tracking"  # what a tracker writes; it is no part of the run
TRACKERS = ("tensorboard", "mlflow", "wandb")
RECIPE, FACTS, ADVICE = ASSIGNMENT = ("recipe.yaml", "facts.json", "advice.json")
RESUME = "to go on with the run there, add --resume"
# The names that a run gives are known here; the package `steps`, whose names they are, builds on this module.
STEP_NAMES = ("finetune", "layer_removal", "distillation", "matrix_pruning", "quantization")
NUMBERED = rf"\d+-({'|'.join(STEP_NAMES)})"
STEP, SEED = re.compile(rf"{NUMBERED}(\.json)?"), re.compile(r"seed-\d+")
# The last two: what safetensors' `save_file` and Python's `tempfile` leave where a process is killed meanwhile.
STATE_FILE = re.compile(
    r"training\.json|\.training\.json\.\d+|(state|best)-\d+-\d+\.safetensors|\.tmp\w{6}|tmp[a-z0-9_]{8}"
)
LISTING = ".files.json"  # in a step's folder: the files that the run has put there
# What a process that was killed leaves: of `files.write`, of `files.new_folder`, of a step's folder.
DRAFT = re.compile(r"\.([a-z]+\.(json|yaml)\.)?\d+")
STEP_DRAFT = re.compile(rf"\.{NUMBERED}(\.draft|\.json\.\d+)")


@contextmanager
def attempt(out: Path) -> Iterator[None]:
    """Work in the folder of a run: a full disk is an error with its place; a new folder left empty is removed."""
    new = not _there(out)
    try:
        yield
    except Exception as error:
        if new and out.is_dir() and not any(out.iterdir()):
            out.rmdir()
        if disk_is_full(error) and not isinstance(error, DiskFull):
            reason = error.faults[0].message if isinstance(error, AdviseError) else error
            hint = "free some space and run the same command with --resume"
            raise DiskFull(Fault(f"the disk is full: {reason}", str(out), hint=hint)) from None
        raise


def _there(out: Path) -> bool:
    """Whether there is something at a path.

    Raises:
        AdviseError: there can be nothing, as its name is too long or none at all, or it is out of reach.
    """
    try:
        out.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise AdviseError(Fault(f"cannot be a folder: {reason}", str(out), hint="give --out another folder")) from None
    return True


def open_folder(out: Path, resume: bool) -> None:
    """Make the folder of a run, or go on in one.

    Raises:
        AdviseError: it is taken and `resume` is not wanted, holds no run, or cannot be written to.
    """
    _open(out, resume, holds_run)


def open_folders(out: Path, resume: bool) -> None:
    """Make the folder of several runs, each in a folder `seed-N` there, or go on in one. Raises: see `open_folder`."""
    if _there(out) and (out / STEPS).exists():
        raise AdviseError(Fault("holds a run of one seed", str(out), hint="give --seeds another --out"))
    _open(out, resume, _holds_runs)


def _open(out: Path, resume: bool, holds: Callable[[Path], bool]) -> None:
    there = _there(out)
    try:
        held = holds(out)
    except OSError:  # no folder, or one that cannot be read: `new_folder` says why
        held = False
    if not resume or not there:
        new_folder(out, f"give --out a new folder{f'; {RESUME}' if held else ''}")
    elif not held:
        raise AdviseError(Fault("there is no run to resume here", str(out), hint="give the --out folder of the run"))


def holds_run(out: Path) -> bool:
    """Whether a run can go on in a folder: it holds steps of one, or nothing but what one leaves before its first."""
    names = [path.name for part in (STEPS, STATE) for path in _inside(out / part)]
    if any(STEP.fullmatch(name) or STEP_DRAFT.fullmatch(name) for name in names):
        return True
    return _untouched(out, *((STEPS, STATE, *ASSIGNMENT) if (out / STEPS).is_dir() and not names else ()))


def _holds_runs(out: Path) -> bool:
    """The same of a folder of several runs."""
    held = [path for path in out.iterdir() if SEED.fullmatch(path.name) and path.is_dir() and holds_run(path)]
    return any(_inside(path) for path in held) or _untouched(out, *(path.name for path in held))


def _inside(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _untouched(out: Path, *also: str) -> bool:
    """Whether a folder holds nothing but what a run leaves that was killed at its very start, and these names."""
    return all(path.name in (LOCK, *also) or DRAFT.fullmatch(path.name) for path in out.iterdir())


def drafts(out: Path) -> Iterator[Path]:
    """What killed processes left half done in the folder of a run."""
    yield from (path for path in out.iterdir() if DRAFT.fullmatch(path.name))
    yield from (path for path in (out / STEPS).iterdir() if STEP_DRAFT.fullmatch(path.name))


def steps(out: Path) -> list[Path]:
    """The folders and records of all steps in the folder of a run, also of those that its recipe no longer has."""
    return sorted(path for path in _inside(out / STEPS) if STEP.fullmatch(path.name))


def draft_of(folder: Path) -> Path:
    """Where a step's folder is made, and where it is taken apart."""
    return folder.with_name(f".{folder.name}.draft")


def put(draft: Path, folder: Path) -> None:
    """Move a step's folder to its place, whole or not at all.

    It lists what the run wrote, so people's files are recognised even if the record of the step is missing.
    """
    write_json(draft / LISTING, sorted(files(draft)))
    draft.rename(folder)


def files(folder: Path) -> set[str]:
    """The paths of all files below a folder; a link is one, whatever it leads to."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return {path.relative_to(folder).as_posix() for path in found}


def listed(folder: Path) -> set[str]:
    """The files that a run has put into a step's folder, as the folder says; none where it does not."""
    try:
        return {LISTING, *json.loads((folder / LISTING).read_bytes())}
    except (OSError, ValueError, TypeError):
        return {LISTING}


def tidy_state(folder: Path, keep: Collection[str]) -> None:
    """Remove the saved state of a step's training but for these files."""
    for file in _inside(folder):
        if STATE_FILE.fullmatch(file.name) and file.name not in keep:
            file.unlink(missing_ok=True)  # another process may have been quicker


def clear_state(folder: Path) -> None:
    """Remove the saved state of a step's training, and its folder where nothing else is in it."""
    tidy_state(folder, keep=())
    _remove_empty(folder)


def states(out: Path) -> list[Path]:
    """The folders of saved state in the folder of a run."""
    return [folder for folder in _inside(out / STATE) if STEP.fullmatch(folder.name)]


def clear_states(out: Path) -> None:
    """Remove the saved state of all training in the folder of a run."""
    for folder in states(out):
        clear_state(folder)
    _remove_empty(out / STATE)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):  # others have put something there
        folder.rmdir()
