"""Classes that may not be meant as they are written, told in a note: whether they are is known to people alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

ERRORS = {"#N/A", "#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!"}  # of spreadsheets
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")


def doubts(names: Sequence[str]) -> Iterator[str]:
    """A sentence for everything that looks like a slip in the names of classes."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(" ".join(name.split()).casefold(), []).append(name)
    for same in alike.values():
        if len(same) > 1:
            yield f"{', '.join(map(repr, same))} are {len(same)} classes, which differ only in capitals or spaces"
    if found := [name for name in names if name.upper() in ERRORS]:
        yield f"{', '.join(found)} counts as a class: it is what a spreadsheet writes where a formula fails"
    if all(map(DECIMAL_COMMA.fullmatch, names)):
        yield f"the classes are numbers with a decimal comma, as {names[0]}: to learn numbers, write them with a point"
