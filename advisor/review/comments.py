"""The comments of a YAML text. What only looks like a comment, inside a value, is none."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from advisor.base.yamlfile import Document

_HASH = re.compile(r"(?:^|(?<=[ \t]))#")


class Comment(NamedTuple):
    """A comment with its #. line, column: of the #, from 1."""

    line: int
    column: int
    text: str


def comments(document: Document) -> Iterator[Comment]:
    """All comments of a document, from the top."""
    scalars = _scalars(document)
    for number, line in enumerate(document.lines, 1):
        for found in _HASH.finditer(line):
            at = (number, found.start() + 1)
            place = bisect_right(scalars, (at, (number, len(line) + 2))) - 1
            if place < 0 or at >= scalars[place][1]:
                yield Comment(*at, line[found.start() :].rstrip())
                break


def _scalars(document: Document) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Start and end of all keys and single values, in order."""
    holders = {path[:-1] for path in document.marks if path}
    leaves = [mark for path, mark in document.marks.items() if path not in holders]
    marks = [*leaves, *document.keys.values()]
    return sorted(((one.line, one.column), (one.end_line, one.end_column)) for one in marks)
