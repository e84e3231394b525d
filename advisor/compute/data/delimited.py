"""Delimited text as people have it: commas, semicolons, tabs or bars; UTF-8 or not; with a line of names or without."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.column_names import LABELS, TEXTS
from advisor.compute.data.file_checks import MOST_HEADER, refuse_wide_or_long

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
OLD = "cp1252"  # of Windows in the West; ISO-8859-1 has the same letters
LOOKED_AT = 200  # rows
PIECE = 2**20  # bytes


class Layout(NamedTuple):
    """How a file is to be read. names: of the columns; header: the line that holds them, None where none does.

    notes: what was assumed.
    """

    delimiter: str
    encoding: str
    names: tuple[str, ...]
    header: int | None
    notes: tuple[str, ...]


def layout(path: Path, place: str, header: bool | None = None) -> Layout:
    """Find out how a file is to be read from its beginning.

    Args:
        place: the file as messages name it. header: whether the first line names the columns; None: what it looks like.

    Raises:
        AdviseError: there are too many columns.
        ValueError, csv.Error: it is no delimited text, or two columns have one name.
    """
    encoding = _encoding(path)
    start, whole = _start(path, encoding)
    delimiter = _delimiter(start, whole, "\t" if path.suffix.lower() == ".tsv" else ",")
    rows = _rows(start, delimiter)
    if len(rows) < 2 and not whole:
        message = f"the header is longer than {MOST_HEADER:,} characters"
        raise AdviseError(Fault(message, place, hint="begin the file with a line of column names"))
    first = rows[0] if rows else []
    refuse_wide_or_long(place, len(first), 0)
    headed = not _is_row(first, rows[1:]) if header is None else header
    if headed and (repeated := [name for name, count in Counter(first).items() if count > 1]):
        raise ValueError(f"columns have the same name: {', '.join(repeated)}")
    names = [name or f"Unnamed: {i}" for i, name in enumerate(first)]  # as pandas calls a saved index
    numbered = [f"column_{i}" for i, _ in enumerate(first, 1)]
    notes = tuple(f"{place}: {note}" for note in _notes(delimiter, encoding, headed, header, numbered) if note)
    return Layout(delimiter, encoding, tuple(names if headed else numbered), _blank(start) if headed else None, notes)


def _encoding(path: Path) -> str:
    """UTF-8, what a byte order mark says, or else what Windows wrote."""
    with path.open("rb") as file:
        begins = file.read(4)
        if marked := next((name for mark, name in MARKS if begins.startswith(mark)), ""):
            return marked
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while piece := file.read(PIECE):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return OLD
    return "utf-8"


def _start(path: Path, encoding: str) -> tuple[str, bool]:
    """The beginning of a file, and whether that is all of it."""
    with path.open(encoding=encoding, newline="") as lines:
        start = lines.read(MOST_HEADER)
        return start, not lines.read(1)


def _rows(text: str, delimiter: str, most: int = LOOKED_AT) -> list[list[str]]:
    return list(islice((row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row), most))


def _blank(start: str) -> int:
    """How many blank lines a file begins with."""
    return next((number for number, row in enumerate(csv.reader(io.StringIO(start, newline=""))) if row), 0)


def _delimiter(start: str, whole: bool, usual: str) -> str:
    """The one by which all rows have the same number of fields, at least 2; the usual one where it does, or none."""
    for delimiter in (usual, *(one for one in DELIMITERS if one != usual)):
        try:
            rows = _rows(start, delimiter)
        except csv.Error:
            continue
        some = rows if whole or len(rows) < 3 or len(rows) == LOOKED_AT else rows[:-1]  # the last one may be cut
        if len(some[0] if some else []) > 1 and len({len(row) for row in some}) == 1:
            return delimiter
    return usual


def _is_row(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Does the first line look like one more row? It has no usual name, and a value that its column has again."""
    if not first or {name.strip().casefold() for name in first} & (LABELS | TEXTS):
        return False
    return any(name and any(row[i : i + 1] == [name] for row in rows) for i, name in enumerate(first))


def _notes(delimiter: str, encoding: str, headed: bool, header: bool | None, names: Sequence[str]) -> tuple[str, ...]:
    found = "" if delimiter == "," else f"read with {DELIMITERS[delimiter]} between the columns"
    odd = "" if encoding.startswith("utf-8") else f"read as {encoding}{': it is not UTF-8' if encoding == OLD else ''}"
    why = "" if header is False else "the first line looks like a row; "
    other = "" if header is False else " (`data: {header: true}` reads it as names)"
    return found, odd, "" if headed else f"{why}there is no header, so the columns are {', '.join(names)}{other}"
