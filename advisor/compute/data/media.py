"""Images and sounds as data have them: bytes in a column, the name of a file beside a table, or files in folders.

Cells of all forms become the bytes of a file, which is read as numbers when a batch needs it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.columns import Columns, Named, find_columns
from advisor.compute.data.files import File
from advisor.compute.data.labels import Labelled, Rows, label_rows
from advisor.compute.data.media_folders import REFUSED, UNREAD, refuse_too_many_bytes
from advisor.compute.data.parts import column, require_columns
from advisor.compute.data.written import labelled, require_texts

FILES = ("file_name", "file", "filename", "path")
MOST_FILE = 2**30  # bytes of one image or sound; an hour of stereo in 16 bits, 48,000 samples a second, has 700 million
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

    def rows(shards: Sequence[File]) -> Rows:
        contents, texts = (tuple(one for file in shards for one in file.columns[which]) for which in (name, text))
        return Rows(contents, None, texts, tuple(one for file in shards for one in file.row_names))

    return Columns(name, None, text), labelled(source, with_contents(files, name, kinds[0], check), rows)


def _column(file: File, named: Named, kinds: Sequence[str]) -> str:
    if named.pair:
        raise AdviseError(Fault(f"one {kinds[0]} is read in each row: there is no pair", file.place))
    own = [name for name in file.columns if name.casefold() in kinds]  # beside which there may be names of files
    return column(file, kinds[0], named.text, own or FILES, "--text")


def with_contents(files: Sequence[File], name: str, kind: str, check: Check) -> list[File]:
    """The files with bytes in a column in place of what they had there, and the names of their rows.

    Raises:
        AdviseError: of each file the first cell that is no such file, and how many there are; or a file names more
            bytes than are read.
    """
    faults: list[Fault] = []
    found = [_with_contents(file, name, kind, check, faults) for file in files]
    if faults:
        raise AdviseError(*faults)
    return found


def _with_contents(file: File, name: str, kind: str, check: Check, faults: list[Fault]) -> File:
    contents: list[bytes] = []
    names: list[str] = []
    wrong: list[str] = []
    folder = Path(file.place).parent
    refuse_too_many_bytes(_named(file.columns[name], folder), file.place)
    for row, cell in zip(file.numbers, file.columns[name], strict=True):
        content, called, fault = _content(cell, folder)
        if fault := fault or check(content):
            wrong.append(f"row {row:,}{f' ({called})' if called else ''}: {fault}")
        contents.append(content)
        names.append(_name(called, folder) or f"row {row:,} of {Path(file.place).name}")
    if wrong:
        what = f"{len(wrong):,} of {len(contents):,} rows have no readable {kind} in column {name!r}"
        odd = next((one for one in UNREAD if f"{one})" in wrong[0].casefold()), None)
        hint = f"convert {odd} files to {UNREAD[odd][1]}" if odd else "replace these files or leave the rows out"
        faults.append(Fault(f"{what}: the first is {wrong[0]}", file.place, hint=hint))
    return replace(file, columns={**file.columns, name: contents}, row_names=tuple(names))


def _named(cells: Sequence[Any], folder: Path) -> Iterator[Path]:
    """The files that cells name, as far as they are there."""
    for cell in cells:
        with suppress(OSError, ValueError):  # what is wrong with a name is said of its row
            if isinstance(given := _given(cell)[0], str) and (path := folder / given).is_file():
                yield path


def _name(called: str, folder: Path) -> str:
    """The name of a file without the folder of the data."""
    return str(Path(called).relative_to(folder)) if Path(called).is_relative_to(folder) else called


def _given(cell: Any) -> tuple[Any, str]:
    """What a cell holds, bytes or the name of a file, and that name. `datasets` keeps both."""
    if isinstance(cell, Mapping):
        content, path = cell.get("bytes"), cell.get("path")
        return (path if content is None else content), str(path or "")
    return cell, cell if isinstance(cell, str) else ""


def _content(cell: Any, folder: Path) -> tuple[bytes, str, str]:
    """The bytes of a cell, the name of its file, and what is wrong."""
    given, called = _given(cell)
    if isinstance(cell, Mapping) and cell.get(REFUSED):
        return b"", called, str(cell[REFUSED])
    if isinstance(given, bytes):
        return given, called, _too_large(len(given))
    if not isinstance(given, str) or not given.strip():
        return b"", called, f"expected a file or its bytes, got {given!r:.60}"
    try:
        path = folder / given
        if path.exists() and not path.is_file():
            return b"", called, "it is no regular file"
        fault = _too_large(path.stat().st_size)
        return b"" if fault else path.read_bytes(), called, fault
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return b"", called, f"the file cannot be read: {reason}"


def _too_large(size: int) -> str:
    """What to say of a file of so many bytes; empty where it is read."""
    return f"it has {size:,} bytes, more than the {MOST_FILE:,} that are read" if size > MOST_FILE else ""


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
