"""Images and sounds as data have them: bytes in a column, the name of a file beside a table, or files in folders.

Cells of all forms become the bytes of a file, which is read as numbers when a batch needs it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.columns import Columns, Named, find_columns
from advisor.compute.data.labels import Labelled, label_rows
from advisor.compute.data.parts import Shard, column, gathered, require_columns
from advisor.compute.data.sources import File
from advisor.compute.data.written import require_texts

FILES = ("file_name", "file", "filename", "path")
MOST_KEPT = 2**28  # bytes of numbers that are kept of one part of the data
Numbers = NDArray[np.float32]
Read = Callable[[bytes], Numbers]
Check = Callable[[bytes], str]  # what is wrong with the bytes of a file; empty for nothing


@dataclass(frozen=True, slots=True)
class Medium:
    """An image or a sound of a row. positions: that a model reads it as. settings: of what prepares it.

    read: gives its numbers, as an array.
    """

    content: bytes = field(repr=False)
    positions: int
    settings: str = field(repr=False)
    read: Read = field(repr=False, compare=False)

    def __len__(self) -> int:
        return self.positions

    @property
    def digest(self) -> str:
        """A hash of the file and of how it is read."""
        return hashlib.sha256(self.settings.encode() + self.content).hexdigest()

    def numbers(self) -> Numbers:
        """What a model reads."""
        return self.read(self.content)


class Shelf:
    """Reads files as numbers, and keeps those of the first ones, up to so many bytes: the others are read each time."""

    def __init__(self, read: Read, most: int = MOST_KEPT) -> None:
        self.read, self.left = read, most
        self.kept: dict[bytes, Numbers] = {}

    def __call__(self, content: bytes) -> Numbers:
        """What a model reads of the bytes of a file."""
        if content in self.kept:
            return self.kept[content]
        found = self.read(content)
        if found.nbytes <= self.left:
            self.kept[content] = found
            self.left -= found.nbytes
        return found


def read_media(
    source: str, files: Sequence[File], named: Named, kinds: Sequence[str], check: Check
) -> tuple[Columns, Labelled]:
    """Images or sounds with one label each.

    Args:
        kinds: usual names of their column; the first one says in messages what they are.

    Raises:
        AdviseError: columns cannot be told, cells are no such files, or labels make no sense.
    """
    name = _column(files[0], named, kinds)
    columns = find_columns(files[0], name, None, named.label)
    require_columns(files, (name,), columns.label)
    contents = with_contents(files, name, kinds[0], check)
    found = label_rows(source, contents, columns, "single_label_classification", bytes)
    return columns, replace(found, problem_type=None)  # which is a word for texts


def read_transcribed(
    source: str, files: Sequence[File], named: Named, kinds: Sequence[str], texts: Sequence[str], check: Check
) -> tuple[Columns, Labelled]:
    """Sounds with their texts, which are the labels. Files without texts are not read.

    Args and errors: as of `read_media`. texts: usual names of the column of texts.
    """
    files = [file for file in files if file.part != "unlabelled"] or list(files)
    name = _column(files[0], named, kinds)
    text = column(files[0], "transcription", named.label, texts, "--label")
    require_texts(files, (text,))
    require_columns(files, (name,), text)
    shards: list[Shard] = [
        (file, list(zip(file.columns[name], file.columns[text], strict=True)))
        for file in with_contents(files, name, kinds[0], check)
    ]
    return Columns(name, None, text), gathered(source, shards, (), text, str)


def _column(file: File, named: Named, kinds: Sequence[str]) -> str:
    if named.pair:
        raise AdviseError(Fault(f"one {kinds[0]} is read in each row: there is no pair", file.place))
    return column(file, kinds[0], named.text, (*kinds, *FILES), "--text")


def with_contents(files: Sequence[File], name: str, kind: str, check: Check) -> list[File]:
    """The files with bytes in a column in place of what they had there.

    Raises:
        AdviseError: of each file the first cell that is no such file, and how many there are.
    """
    faults: list[Fault] = []
    found = [_with_contents(file, name, kind, check, faults) for file in files]
    if faults:
        raise AdviseError(*faults)
    return found


def _with_contents(file: File, name: str, kind: str, check: Check, faults: list[Fault]) -> File:
    contents: list[bytes] = []
    wrong: list[str] = []
    for row, cell in enumerate(file.columns[name], 1):
        content, called, fault = _content(cell, Path(file.place).parent)
        if fault := fault or check(content):
            wrong.append(f"row {row:,}{f' ({called})' if called else ''}: {fault}")
        contents.append(content)
    if wrong:
        what = f"{len(wrong):,} of {len(contents):,} rows have no readable {kind} in column {name!r}"
        hint = "replace these files or leave the rows out"
        faults.append(Fault(f"{what}: the first is {wrong[0]}", file.place, hint=hint))
    return replace(file, columns={**file.columns, name: contents})


def _content(cell: Any, folder: Path) -> tuple[bytes, str, str]:
    """The bytes of a cell, the name of its file, and what is wrong."""
    if isinstance(cell, Mapping):  # as `datasets` keeps images and sounds
        content, called = cell.get("bytes"), str(cell.get("path") or "")
        cell = content if content is not None else cell.get("path")
    else:
        called = cell if isinstance(cell, str) else ""
    if isinstance(cell, bytes):
        return cell, called, ""
    if not isinstance(cell, str) or not cell.strip():
        return b"", called, f"expected a file or its bytes, got {cell!r:.60}"
    try:
        return (folder / cell).read_bytes(), called, ""
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return b"", called, f"the file cannot be read: {reason}"


def asked_files(given: Sequence[Any], pairs: Sequence[Any] | None, kind: str, check: Check) -> tuple[bytes, ...]:
    """The bytes of what people ask a loaded model: of files by their paths, or as they are.

    Raises:
        AdviseError: there are pairs, or some are no such files.
    """
    found = [_content(str(one) if isinstance(one, Path) else one, Path()) for one in given]
    faults = list(_asked_faults(found, kind, check))
    faults += [Fault(f"pairs: one {kind} is read at a time, there are no pairs")] if pairs is not None else []
    if faults:
        raise AdviseError(*faults)
    return tuple(content for content, _, _ in found)


def _asked_faults(found: Sequence[tuple[bytes, str, str]], kind: str, check: Check) -> Iterator[Fault]:
    for place, (content, called, fault) in enumerate(found):
        if wrong := fault or check(content):
            yield Fault(f"texts[{place}]{f' ({called})' if called else ''}: no readable {kind}: {wrong}")
