"""Store: finished steps by what made them, for all runs that begin alike.

An entry is a step's folder with its record, under the hash of its inputs (see `resumption.Inputs`): the model before
it, the rows, its settings, versions. It counts only if these inputs are equal, not their hash alone, and if every file
still has the hash that was recorded. Runs and the store share files by hard links where the file system can do that.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from advisor.base.files import fingerprint, sealed, unsealed, write_json
from advisor.execution import resumption
from advisor.execution.resumption import Inputs, Record
from advisor.records.output_folder import draft_of


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

    def fetch(self, inputs: Inputs, folder: Path) -> Record | None:
        """Put the step that these inputs make into a run's folder; None where it is not here, or not whole."""
        kept = self.folder / self.key(inputs)
        record, why = resumption.record_of(kept, inputs)
        if record is None:
            if why:
                resumption.forget(kept)
            return None
        resumption.forget(folder)
        draft = draft_of(folder)
        _link(kept, draft)
        draft.rename(folder)
        record = record._replace(result=replace(record.result, path=f"{folder.parent.name}/{folder.name}"))
        resumption.keep(folder, record)
        return record

    def keep(self, record: Record, folder: Path) -> str:
        """Keep a finished step of a run, unless it is here; returns its key."""
        key = self.key(record.inputs)
        kept = self.folder / key
        if resumption.record_of(kept, record.inputs)[0] is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = kept.with_name(f".{key}.{os.getpid()}")
            resumption.remove(draft)
            _link(folder, draft)
            resumption.forget(kept)
            with suppress(FileExistsError, OSError):  # another process was quicker, with the same files
                draft.rename(kept)
            resumption.remove(draft)
            resumption.keep(kept, record)
        return key

    def on_selection(self, key: str) -> OnSelection | None:
        """What the model of an entry did on the selection rows; None where nobody has asked it yet."""
        with suppress(OSError, ValueError, LookupError, TypeError):
            found = unsealed(self._scores(key).read_bytes())
            return OnSelection(found["scores"], found["loss"])
        return None

    def keep_on_selection(self, key: str, found: OnSelection) -> None:
        """Keep what the model of an entry did on the selection rows."""
        write_json(self._scores(key), sealed(found._asdict()), indent=None)

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
