"""Kept answers: a teacher's scores and hidden states in a folder, for other trials that learn from the same teacher.

An entry counts only if what it was made of is equal, not its hash alone, and if every file still has the hash that was
recorded. It is written under another name and renamed, so that several processes may keep and read at once.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from advisor.base.files import fingerprint, sealed, unsealed, write_json
from advisor.compute.structure.blocks import Block
from advisor.compute.training.kept import Kept
from advisor.compute.training.tensor_file import Spool
from advisor.records.run_folder import hashes

RECORD, SCORES, STATES = ".answers.json", "scores.safetensors", "states"
WIDTH = "width"  # key of the number of channels beside the places of each block

Answered = tuple[Kept, Spool]  # scores of all rows, and states by (block, row)


@dataclass(frozen=True, slots=True)
class AnswersFolder:
    """A folder of answers. made_of: what decides them beside the blocks whose states are wanted."""

    folder: Path
    made_of: Mapping[str, Any]

    def find(self, blocks: tuple[Block, ...]) -> Answered | None:
        """The answers with the states after these blocks; None where they are not here, or not whole."""
        kept, content = self._entry(blocks)
        with suppress(OSError, ValueError, LookupError, TypeError):
            record = unsealed((kept / RECORD).read_bytes())
            if record["made_of"] == content and record["files"] == hashes(kept):
                return _read(kept)
        shutil.rmtree(kept, ignore_errors=True)
        return None

    def keep(self, blocks: tuple[Block, ...], found: Answered) -> None:
        """Keep answers, unless another process has kept them first, or they would fill half of what is free."""
        kept, content = self._entry(blocks)
        self.folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.folder).free < 2 * found[1].size():
            return
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".") as name:
            draft = Path(name) / kept.name
            draft.mkdir()
            _write(draft, *found)
            write_json(draft / RECORD, sealed({"made_of": content, "files": hashes(draft)}))
            with suppress(OSError):  # it is there by now
                draft.rename(kept)

    def _entry(self, blocks: tuple[Block, ...]) -> tuple[Path, Any]:
        content = json.loads(json.dumps({**self.made_of, "blocks": blocks}))
        return self.folder / fingerprint(content), content


def _write(folder: Path, scores: Kept, states: Spool) -> None:
    counts = torch.tensor(scores.starts).diff()
    tensors = {"scores": scores.scores.contiguous(), "counts": counts}
    places: dict[Block, list[tuple[int, int, int]]] = {}
    for (block, row), (start, shape) in states.places.items():
        places.setdefault(block, []).append((row, start, shape[0]))
        tensors[WIDTH] = torch.tensor(shape[1])
    tensors |= {f"{stack}.{number}": torch.tensor(some) for (stack, number), some in places.items()}
    save_file(tensors, folder / SCORES)
    states.copy(folder / STATES)


def _read(folder: Path) -> Answered:
    tensors = load_file(folder / SCORES)
    width = int(tensors.pop(WIDTH, torch.tensor(0)))
    scores = Kept(tensors.pop("scores"), tensors.pop("counts").tolist())
    places: dict[Any, tuple[int, torch.Size]] = {
        (_block(name), row): (start, torch.Size((positions, width)))
        for name, some in tensors.items()
        for row, start, positions in some.tolist()
    }
    return scores, Spool(None, (folder / STATES).open("rb"), places)


def _block(name: str) -> Block:
    stack, number = name.rsplit(".", 1)
    return stack, int(number)
