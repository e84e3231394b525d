"""Classes that may not be meant as they are written, told in a note: whether they are is known to people alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

ERRORS = {"#N/A", "#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!"}  # of spreadsheets
DECIMAL_COMMA = re.compile(r"[-+]?\d+,(\d{1,2}|\d{4,})")  # three digits may be thousands


def doubts(names: Sequence[str]) -> Iterator[str]:
    """A sentence for everything that looks like a slip in the names of classes."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(" ".join(name.split()).lower(), []).append(name)
    for same in alike.values():
        if len(same) > 1:
            yield f"{', '.join(map(repr, same))} are {len(same)} classes, which differ only in capitals or spaces"
    if found := [name for name in names if name.upper() in ERRORS]:
        count = "count as classes" if len(found) > 1 else "counts as a class"
        yield f"{', '.join(found)} {count}: a spreadsheet writes that where a formula fails"
    if names and all(map(DECIMAL_COMMA.fullmatch, names)):
        yield f"the classes are numbers with a decimal comma, as {names[0]}: to learn numbers, write them with a point"
