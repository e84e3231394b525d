"""Delimited text as people have it: commas, semicolons, tabs or bars; UTF-8 or not; with a line of names or without."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.column_names import LABELS, TEXTS, are_unusual
from advisor.compute.data.encoding import encoding_of, note_on
from advisor.compute.data.file_checks import MOST_HEADER, MOST_ROWS, PIECE, refuse_wide_or_long

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LOOKED_AT = 200  # rows
STATED = re.compile(r"sep=([,;\t|])\r?\n", re.IGNORECASE)  # a first line that tells Excel the delimiter; it is no row
Quoting = Literal[0, 1, 2, 3]  # of the module csv
AS_NAMES, AS_ROW = "`data: {header: true}` reads it as names", "`data: {header: false}` reads it as a row"


class Layout(NamedTuple):
    """How a file is to be read. names: of the columns; header: the line that holds them, None where none does.

    quoting: of the module csv. skipped: lines before all others. notes: what was assumed.
    """

    delimiter: str
    quoting: Quoting
    encoding: str
    skipped: int
    names: tuple[str, ...]
    header: int | None
    notes: tuple[str, ...]


def layout(path: Path, place: str, header: bool | None = None) -> Layout:
    """Find out how a file is to be read: from its beginning, and whether quotes are quotes from all of it.

    Args:
        place: the file as messages name it. header: whether the first line names the columns; None: what it looks like.

    Raises:
        AdviseError: there are too many columns, two of them have one name, or it is in no encoding that is read.
        ValueError, csv.Error: it is no delimited text.
    """
    encoding = encoding_of(path, place)
    start, whole = _start(path, encoding)
    stated = STATED.match(start)
    start, skipped = (start[stated.end() :], 1) if stated else (start, 0)
    delimiter = stated[1] if stated else _delimiter(start, whole, "\t" if path.suffix.lower() == ".tsv" else ",")
    characters = _are_characters(path, encoding, delimiter, skipped)
    quoting: Quoting = csv.QUOTE_NONE if characters else csv.QUOTE_MINIMAL
    rows = _rows(start, delimiter, quoting)
    if len(rows) < 2 and not whole:
        message = f"the header is longer than {MOST_HEADER:,} characters"
        raise AdviseError(Fault(message, place, hint="begin the file with a line of column names"))
    first = rows[0] if rows else []
    refuse_wide_or_long(place, len(first), 0)
    headed = not _is_row(first, rows[1:]) if header is None else header
    if headed and (repeated := [name for name, count in Counter(filter(None, first)).items() if count > 1]):
        message = f"cannot be read: columns have the same name: {', '.join(repeated)}"
        raise AdviseError(Fault(message, place, hint="rename one column"))
    names = [name or f"Unnamed: {i}" for i, name in enumerate(first)] if headed else numbered(len(first))
    notes = (*_format_notes(delimiter, encoding, characters), _header_note(names, headed, header))
    said = tuple(f"{place}: {note}" for note in notes if note)
    return Layout(delimiter, quoting, encoding, skipped, tuple(names), _blank(start) if headed else None, said)


def numbered(count: int) -> list[str]:
    """The names of so many columns that have none."""
    return [f"column_{number}" for number in range(1, count + 1)]


def _start(path: Path, encoding: str) -> tuple[str, bool]:
    """The beginning of a file, and whether that is all of it."""
    with path.open(encoding=encoding, newline="") as lines:
        start = lines.read(MOST_HEADER)
        return start, not lines.read(1)


def _rows(text: str, delimiter: str, quoting: Quoting = csv.QUOTE_MINIMAL) -> list[list[str]]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
    return list(islice(filter(None, rows), LOOKED_AT))


def _are_characters(path: Path, encoding: str, delimiter: str, skipped: int) -> bool:
    """Whether quotes are characters like others, so that as quotes they would swallow rows.

    They are where each line has all fields without them, and with them lines become one field. With commas
    and semicolons, which texts have, too, such a field also has to end within another, or never: else it may be a text
    of several lines.
    """

    def rows(quoting: Quoting = csv.QUOTE_MINIMAL, strict: bool = False) -> Iterator[list[str]]:
        with path.open(encoding=encoding, newline="") as file:
            lines = islice(file, skipped, skipped + MOST_ROWS + 2)  # more are refused
            yield from filter(None, csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=strict))

    with path.open("rb") as file:
        if not any(b'"' in piece for piece in iter(lambda: file.read(PIECE), b"")):
            return False
    lines = _count(rows(csv.QUOTE_NONE), least=2, alike=True)
    swallowed = lines is not None and _count(rows()) != lines
    return swallowed and (delimiter not in ",;" or _count(rows(strict=True)) is None)


def _count(rows: Iterator[list[str]], least: int = 0, alike: bool = False) -> int | None:
    """How many rows there are; None where they cannot be read, or are not alike of at least so many fields."""
    count, fields = 0, None
    try:
        for row in rows:
            count, fields = count + 1, fields or len(row)
            if len(row) < least or (alike and len(row) != fields):
                return None
    except csv.Error:
        return None
    return count


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
    """Does the first line look like one more row? It names no text or label, and has a value that is there again."""
    again = (name and any(row[i : i + 1] == [name] for row in rows) for i, name in enumerate(first))
    return not {name.strip().casefold() for name in first} & (LABELS | TEXTS) and any(again)


def _format_notes(delimiter: str, encoding: str, characters: bool) -> tuple[str, ...]:
    found = "" if delimiter == "," else f"read with {DELIMITERS[delimiter]} between the columns"
    quotes = "quotes are read as characters like others: as quotes they would swallow rows" if characters else ""
    return found, note_on(encoding), quotes


def _header_note(names: Sequence[str], headed: bool, header: bool | None) -> str:
    """What was assumed of the first line. header: what is stated."""
    if headed:
        unsure = header is None and are_unusual(names)
        return f"the first line names the columns: {', '.join(names)} ({AS_ROW})" if unsure else ""
    none = f"there is no header, so the columns are {', '.join(names)}"
    return none if header is False else f"the first line looks like a row; {none} ({AS_NAMES})"
