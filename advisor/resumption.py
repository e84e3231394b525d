"""Resumption: one process a folder, and a record for each finished step of what made it, so that nothing is done twice.

A step is taken over when everything that decides its outcome is as it was (its inputs, see `Inputs`) and every file of
it still has the hash that was recorded. Inputs hold the hashes of the model before, not of the settings that made it:
a step that is done again and comes out the same lets all steps after it be taken over.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from advisor.errors import AdviseError, Fault
from advisor.files import sealed, unsealed, write_json
from advisor.outfolder import LOCK, STEPS, drafts, steps
from advisor.results import StepResult
from advisor.runfolder import MANIFEST, hashes

Inputs = Mapping[str, Any]  # what decides a step's outcome, by its name in WORDS; JSON values
WORDS = {
    "step": "its settings",
    "training": "the settings of training",
    "device": "the device that trains",
    "input": "the model before it",
    "teacher": "the teacher",
    "data": "the data",
    "texts": "the further texts to distil on",
    "versions": "the versions of packages",
}


class Record(NamedTuple):
    """A finished step. files: SHA-256 by path in its folder. scores: of the report rows, (rows, labels)."""

    inputs: Inputs
    files: Mapping[str, str]
    result: StepResult
    scores: list[list[float]]


@contextmanager
def taken(out: Path) -> Iterator[None]:
    """Hold a run's folder. The kernel lets go of it when the process ends, however it ends.

    Raises:
        AdviseError: another process holds it, or it cannot be written to.
    """
    file = _locked(out / LOCK)
    try:
        os.ftruncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        yield
    finally:
        (out / LOCK).unlink(missing_ok=True)
        os.close(file)


def _locked(path: Path) -> int:
    while True:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            hint = "give --out a folder you can write to"
            raise AdviseError(Fault(f"cannot be written to: {error.strerror}", str(path.parent), hint=hint)) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(file, 20).decode(errors="replace").strip()
            os.close(file)
            message = f"another run works in this folder (process {holder or 'unknown'})"
            raise AdviseError(Fault(message, str(path.parent), hint="wait for it, or give another --out")) from None
        if path.exists() and path.stat().st_ino == os.fstat(file).st_ino:
            return file
        os.close(file)  # the run before ended between our opening and locking, and took the file with it


def unfinish(out: Path) -> None:
    """Take back what makes a folder a finished run, and what a killed process left half done."""
    (out / MANIFEST).unlink(missing_ok=True)
    (out / STEPS).mkdir(exist_ok=True)
    for draft in list(drafts(out)):
        remove(draft)


def record_of(folder: Path, inputs: Inputs) -> tuple[Record | None, str]:
    """The record of a step that need not be done again; else None and why, empty where it never was done.

    Raises:
        AdviseError: its folder holds files that the run did not write, which would be lost.
    """
    from pydantic import TypeAdapter, ValidationError

    file = _file(folder)
    if not file.exists():
        return None, ""
    try:
        record = TypeAdapter(Record).validate_python(unsealed(file.read_bytes()))
    except (ValidationError, ValueError, OSError):
        return None, f"its record {file.name} is damaged"
    now = hashes(folder) if folder.is_dir() else {}
    if strange := sorted(now.keys() - record.files.keys()):
        hint = "take it out of the folder"
        raise AdviseError(*(Fault("was not written by the run", str(folder / name), hint=hint) for name in strange))
    changed = [words for name, words in WORDS.items() if record.inputs.get(name) != inputs.get(name)]
    if changed:
        return None, f"{' and '.join(changed)} changed"
    damaged = sorted(name for name, digest in record.files.items() if now.get(name) != digest)
    return (None, f"{', '.join(damaged)} changed on disk") if damaged else (record, "")


def keep(folder: Path, record: Record) -> None:
    """Write the record of a step whose folder is whole: from now on it counts as done."""
    write_json(_file(folder), sealed({**record._asdict(), "result": asdict(record.result)}), indent=None)


def forget(folder: Path) -> None:
    """Make way for a step that is done again: its record goes first."""
    _file(folder).unlink(missing_ok=True)
    remove(folder)


def drop_others(out: Path, folders: Sequence[Path]) -> list[str]:
    """Remove steps that the recipe no longer has; returns their names."""
    wanted = {path for folder in folders for path in (folder, _file(folder))}
    others = [path for path in steps(out) if path not in wanted]
    for path in others:
        remove(path)
    return [path.name for path in others if path.suffix != ".json"]


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")
