"""Store: finished steps by what made them, for all runs that begin alike.

An entry is a step's folder with its record, under the hash of its inputs (see `resumption.Inputs`): the model before
it, the rows, its settings, versions. It counts only if these inputs are equal, not their hash alone, and if every file
still has the hash that was recorded. Runs and the store share files by hard links where the file system can do that.
Whoever changes entries holds the store's lock meanwhile, so that a folder and its record always come from one process.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from advisor.base.files import fingerprint, sealed, unsealed, write_json
from advisor.execution import resumption
from advisor.execution.resumption import Inputs, Record
from advisor.records.output_folder import LOCK, draft_of


class OnSelection(NamedTuple):
    """What a model did on the selection rows. scores: (rows, numbers). loss: the mean; None where not computed."""

    scores: Sequence[Sequence[float]]
    loss: float | None


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of finished steps. Several processes may use it."""

    folder: Path

    @staticmethod
    def key(inputs: Inputs) -> str:
        """The name of what these inputs make."""
        return fingerprint(inputs)

    @contextmanager
    def locked(self, how: int = fcntl.LOCK_EX, name: str = LOCK) -> Iterator[None]:
        """Wait until no other process changes the store. The kernel lets go when a process ends, however it ends.

        how: LOCK_SH lets others read meanwhile. name: of a lock for other work. Whoever holds one does not ask again.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / name).open("w") as file:
            fcntl.flock(file, how)
            yield

    def fetch(self, inputs: Inputs, folder: Path) -> Record | None:
        """Put the step that these inputs make into a run's folder; None where it is not here, or not whole."""
        kept = self.folder / self.key(inputs)
        with self.locked(fcntl.LOCK_SH):
            record, why = resumption.record_of(kept, inputs)
            if record is not None:
                resumption.forget(folder)
                _link(kept, draft_of(folder))
        if record is None:
            if why:
                self._forget_damaged(kept, inputs)
            return None
        draft_of(folder).rename(folder)
        record = record._replace(result=replace(record.result, path=f"{folder.parent.name}/{folder.name}"))
        resumption.keep(folder, record)
        return record

    def _forget_damaged(self, kept: Path, inputs: Inputs) -> None:
        with self.locked():
            if resumption.record_of(kept, inputs)[0] is None:  # nobody has made it again meanwhile
                resumption.forget(kept)

    def keep(self, record: Record, folder: Path) -> str:
        """Keep a finished step of a run, unless another process has kept it first; returns its key."""
        key = self.key(record.inputs)
        kept = self.folder / key
        with self.locked():
            if resumption.record_of(kept, record.inputs)[0] is None:
                self.put(kept, lambda draft: _link(folder, draft))
                resumption.keep(kept, record)
        return key

    @staticmethod
    def put(kept: Path, fill: Callable[[Path], None]) -> None:
        """Make the folder of an entry anew; it counts once its record is beside it. The caller holds the lock."""
        resumption.forget(kept)
        fill(draft_of(kept))
        draft_of(kept).rename(kept)

    def on_selection(self, key: str, files: Mapping[str, str]) -> OnSelection | None:
        """What the model of a step did on the selection rows; None where nobody has asked it yet.

        files: of this model by hash: two processes may have made the same step, and not the same bytes.
        """
        with suppress(OSError, ValueError, LookupError, TypeError):
            found = unsealed(self._scores(key).read_bytes())
            return OnSelection(found["scores"], found["loss"]) if found["files"] == fingerprint(dict(files)) else None
        return None

    def keep_on_selection(self, key: str, files: Mapping[str, str], found: OnSelection) -> None:
        """Keep what the model of these files did on the selection rows."""
        write_json(self._scores(key), sealed({**found._asdict(), "files": fingerprint(dict(files))}), indent=None)

    def _scores(self, key: str) -> Path:
        return self.folder / f"{key}.selection.json"


def _link(source: Path, target: Path) -> None:
    """The same files in another folder, without a copy of their bytes where the file system can do that."""
    shutil.copytree(source, target, copy_function=_same)


def _same(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
