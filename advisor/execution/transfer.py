"""Files on their way to another machine and back: told by hash, asked for only where they are not there already.

Whoever has the files answers questions (`Source`); whoever lacks them asks. What arrives is checked against the hash.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from advisor.base.errors import AdviseError, Fault
from advisor.base.files import fingerprint
from advisor.execution.resumption import Inputs, Record
from advisor.execution.store import Store
from advisor.records.run_folder import hashes, inside, sha256

ALONE = "."  # the path of a file that is no folder, below itself
SUFFIXES = (".selection.json", ".json")  # of files beside a step's folder; the record comes last: it makes it count
Files = Mapping[str, bytes]  # by path below the store


class Contents(NamedTuple):
    """What lies at a path of the machine that sends. files: SHA-256 by path below it."""

    path: str
    files: Mapping[str, str]


class Source(Protocol):
    """Answers for the machine that has the files."""

    def file(self, path: str, name: str) -> bytes:
        """A file of one of the contents that are offered."""

    def entry(self, key: str) -> Files | None:
        """A finished step, None where there is none."""


def contents(path: Path) -> Contents:
    """The files at a path, by hash. Paths: absolute."""
    return Contents(str(path), hashes(path) if path.is_dir() else {ALONE: sha256(path)})


def placed(wanted: Contents, cache: Path, source: Source) -> Path:
    """Where the files are on this machine: at the same path, or in the cache, where they are put unless they are there.

    The last two names of the path stay, as data sets are known by them.
    """
    there = Path(wanted.path)
    if _holds(there, wanted):
        return there
    copy = cache.joinpath(fingerprint(wanted.files)[:16], *there.parts[-2:])
    if not _holds(copy, wanted):
        for name, digest in wanted.files.items():
            file = copy / name
            file.parent.mkdir(parents=True, exist_ok=True)
            _write(file, _checked(source.file(wanted.path, name), digest, file))
    return copy


def _holds(path: Path, wanted: Contents) -> bool:
    return all((path / name).is_file() and sha256(path / name) == digest for name, digest in wanted.files.items())


def _checked(data: bytes, digest: str, file: Path) -> bytes:
    if hashlib.sha256(data).hexdigest() != digest:
        hint = "leave the model and the data as they are while the search lasts"
        raise AdviseError(Fault("changed since the search began", str(file), hint=hint))
    return data


def _write(file: Path, data: bytes) -> None:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_bytes(data)
    draft.rename(file)


def names(store: Store, key: str) -> list[str]:
    """The files of a finished step in the store, with its record and its scores; none where it is not there."""
    folder = store.folder / key
    beside = [file for suffix in SUFFIXES if (file := folder.with_name(f"{key}{suffix}")).is_file()]
    if folder.with_name(f"{key}.json") not in beside:
        return []
    own = [file for file in folder.rglob("*") if file.is_file()]
    return [file.relative_to(store.folder).as_posix() for file in (*own, *beside)]


def packed(store: Store, key: str, wanted: Collection[str] | None = None) -> Files | None:
    """A finished step with its record and its scores, or these files of it; None where it is not in the store."""
    with store.locked(fcntl.LOCK_SH):
        found = names(store, key)
        chosen = [name for name in found if wanted is None or name in wanted]
        return {name: (store.folder / name).read_bytes() for name in chosen} if found else None


def unpacked(store: Store, key: str, files: Files) -> None:
    """Put a finished step into the store; it counts only once it is whole, and files that are there stay."""
    strange = [name for name in files if not inside(name) or not name.startswith(key)]
    if strange:
        raise AdviseError(f"a worker sent files that are none of step {key}: {', '.join(sorted(strange))}")
    scores, record = (f"{key}{suffix}" for suffix in SUFFIXES)
    with store.locked():
        new = not (store.folder / record).is_file()
        if new and record in files:
            own = {name.removeprefix(f"{key}/"): data for name, data in files.items() if name.startswith(f"{key}/")}
            store.put(store.folder / key, lambda draft: _fill(draft, own))
        for name in (scores, record):
            if name in files and not (store.folder / name).exists():
                _write(store.folder / name, files[name])


def _fill(folder: Path, files: Files) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


@dataclass(frozen=True, slots=True)
class Borrowing(Store):
    """A store that asks another one for what it lacks. used: keys of all steps that were fetched or kept."""

    source: Source
    used: set[str] = field(default_factory=set)

    def fetch(self, inputs: Inputs, folder: Path) -> Record | None:
        """See `Store.fetch`; a step that is not here is asked for first."""
        key = self.key(inputs)
        self._borrow(key)
        found = Store.fetch(self, inputs, folder)
        self.used.update([key] if found else [])
        return found

    def keep(self, record: Record, folder: Path) -> str:
        """See `Store.keep`."""
        key = Store.keep(self, record, folder)
        self.used.add(key)
        return key

    def _borrow(self, key: str) -> None:
        with self.locked(name=f".{key}.lock"):  # of several workers here one asks
            if not (self.folder / f"{key}.json").is_file() and (files := self.source.entry(key)) is not None:
                unpacked(self, key, files)
