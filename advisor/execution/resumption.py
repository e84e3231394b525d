"""Resumption: one process a folder, and a record for each finished step of what made it, so that nothing is done twice.

A step is reused when everything that decides its outcome is as it was (its inputs, see `Inputs`) and every file of
it still has the hash that was recorded. Inputs hold the hashes of the model before, not of the settings that made it:
if a step is repeated with the same outcome, all steps after it are reused.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.base.files import sealed, unsealed, write_json
from advisor.base.validation import adapter
from advisor.records.output_folder import LOCK, STATE, STEPS, draft_of, drafts, files, listed, states, steps
from advisor.records.results import Cost, StepResult
from advisor.records.run_folder import ATTESTATION, FILES, MANIFEST, hashes, is_hidden

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
    """A finished step. files: SHA-256 by path in its folder. scores: of the report rows, (rows, labels).

    answers: to them in words, (rows), where the scores do not tell; else empty.
    """

    inputs: Inputs
    files: Mapping[str, str]
    result: StepResult
    scores: list[list[float]]
    answers: tuple[str, ...] = ()


@contextmanager
def taken(out: Path) -> Iterator[None]:
    """Lock a run's folder. The kernel releases the lock when the process ends, however it ends.

    Raises:
        AdviseError: another process holds it, or it cannot be written to.
    """
    _refuse_in_the_way(out)
    file = _locked(out / LOCK)
    try:
        os.ftruncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        yield
    finally:
        (out / LOCK).unlink(missing_ok=True)
        os.close(file)


def _refuse_in_the_way(out: Path) -> None:
    """Stop before doing work that could not be written because a folder stands where a file belongs, or the reverse.

    A lock or state of training that is a link, as a folder from elsewhere may bring it, would empty what it leads to.
    """
    folders = (out / STEPS, out / STATE, *states(out))
    files_ = (out / MANIFEST, *(out / name for name in FILES))
    links = [path for path in (out / LOCK, out / STATE, *states(out)) if path.is_symlink()]
    wrong = [(path, "is a link, which may lead anywhere") for path in links]
    wrong += [(path, "is no folder, as a run has it") for path in folders if path.exists() and not path.is_dir()]
    wrong += [(path, "is a folder, where a run has a file") for path in files_ if path.is_dir()]
    if wrong:
        raise AdviseError(*(Fault(message, str(path), hint="take it out of the folder") for path, message in wrong))


def _locked(path: Path) -> int:
    while True:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            hint = "give --out a folder you can write to"
            raise AdviseError(Fault(f"cannot be written to: {error.strerror}", str(path.parent), hint=hint)) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(file, 20).decode(errors="replace").strip()
            os.close(file)
            message = f"another run is using this folder (process {holder or 'unknown'})"
            raise AdviseError(Fault(message, str(path.parent), hint="wait for it, or give another --out")) from None
        if path.exists() and path.stat().st_ino == os.fstat(file).st_ino:
            return file
        os.close(file)  # the run before ended between our opening and locking, and took the file with it


def unfinish(out: Path) -> None:
    """Remove what marks a folder as a finished run, and what a killed process left unfinished."""
    (out / MANIFEST).unlink(missing_ok=True)
    (out / ATTESTATION).unlink(missing_ok=True)  # what was signed is no longer so
    (out / STEPS).mkdir(exist_ok=True)
    for draft in list(drafts(out)):
        remove(draft)


def record_of(folder: Path, inputs: Inputs) -> tuple[Record | None, str]:
    """The record of a step that need not be repeated; else None and why, empty if it was never done.

    Raises:
        AdviseError: its folder holds files that the run did not write, which would be lost.
    """
    record, why = _read(folder)
    if record is not None:
        why = _outdated(folder, record, inputs)
    holds = record is not None and not why
    _refuse_foreign(folder, record, hidden=not holds)
    return (record if holds else None), why


def cost_of(folder: Path) -> Cost | None:
    """What the attempt at a step cost that is recorded beside its folder; None where there is none."""
    record, _ = _read(folder)
    return record.result.cost if record else None


def _read(folder: Path) -> tuple[Record | None, str]:
    """The record of a step; else None and why."""
    from pydantic import ValidationError

    file = _file(folder)
    if not file.exists():
        return None, ""
    try:
        return adapter(Record).validate_python(unsealed(file.read_bytes())), ""
    except (ValidationError, ValueError, OSError):
        return None, f"its record {file.name} is damaged"


def _outdated(folder: Path, record: Record, inputs: Inputs) -> str:
    """Why a recorded step has to be repeated; empty if it need not be."""
    changed = [words for name, words in WORDS.items() if record.inputs.get(name) != inputs.get(name)]
    if changed:
        return f"{' and '.join(changed)} changed"
    now = hashes(folder, record.files.__contains__) if folder.is_dir() else {}
    damaged = sorted(name for name, digest in record.files.items() if now.get(name) != digest)
    return f"{', '.join(damaged)} changed on disk" if damaged else ""


def _refuse_foreign(folder: Path, record: Record | None, hidden: bool) -> None:
    """Stop before files that the run did not write are lost, or taken for its own. hidden: those with a dot, too."""
    own = {*listed(folder), *(record.files if record else ())}
    foreign = {folder} if folder.is_file() else {folder / name for name in files(folder) - own}
    if lost := sorted(path for path in foreign if hidden or not is_hidden(path.relative_to(folder))):
        hint = "take it out of the folder"
        raise AdviseError(*(Fault("was not written by the run", str(path), hint=hint) for path in lost))


def keep(folder: Path, record: Record) -> None:
    """Write the record of a step whose folder is whole: from now on it counts as done."""
    write_json(_file(folder), sealed({**record._asdict(), "result": asdict(record.result)}), indent=None)


def forget(folder: Path) -> None:
    """Make room for a step that is repeated.

    Its folder goes at once, to a draft's name: half of it would no longer say which files are the run's own.
    """
    remove(draft_of(folder))  # of a process that was killed meanwhile
    with suppress(FileNotFoundError):
        folder.rename(draft_of(folder))
    _file(folder).unlink(missing_ok=True)
    remove(draft_of(folder))


def refuse_to_remove_foreign(out: Path, folders: Sequence[Path]) -> None:
    """Check in advance whether `remove_others` will find files that the run did not write.

    Raises:
        AdviseError: it will.
    """
    for folder in _others(out, folders):
        _refuse_foreign(folder, _read(folder)[0], hidden=True)


def remove_others(out: Path, folders: Sequence[Path]) -> list[str]:
    """Remove steps that the recipe no longer has; returns their names."""
    others = _others(out, folders)
    there = [folder.name for folder in others if folder.exists()]
    for folder in others:
        forget(folder)
    return there


def _others(out: Path, folders: Sequence[Path]) -> list[Path]:
    """The folders of steps that the recipe no longer has, also where a record alone is left."""
    return sorted({path.with_suffix("") for path in steps(out)} - set(folders))


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")
