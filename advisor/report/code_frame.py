"""Frames: the lines of a recipe that a finding is about, numbered, with what matters underlined."""

from __future__ import annotations

import textwrap
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from advisor.report.style import breadth, clean, paint
from advisor.review.findings import Finding, Place

CUT = "..."


class Underline(NamedTuple):
    """A stretch of one line. sign: ^ for what is to blame, - for why."""

    place: Place
    sign: str
    words: str


def underlines(finding: Finding) -> list[Underline]:
    """What is to blame first, then the facts that made the rule fire, as far as this file says them."""
    blamed = Underline(finding.place, "^", "")
    causes = [
        Underline(one.place, "-", f"because: {one.words}")
        for one in finding.causes
        if one.place and one.place.file == finding.place.file and one.place != finding.place
    ]
    return [blamed, *causes]


def frame(finding: Finding, text: str, width: int, colour: bool) -> Iterator[str]:
    """The lines, each with its number; `:` stands for lines left out."""
    lines = _lines(text)
    shown = [one for one in underlines(finding) if 0 < one.place.line <= len(lines)]
    numbers = sorted({one.place.line for one in shown})
    gutter = len(str(numbers[-1])) if numbers else 1
    bar = paint(f"{' ' * gutter} |", "dim", colour)
    yield bar
    for before, number in zip([None, *numbers], numbers, strict=False):
        if before is not None and number > before + 1:
            yield paint(f"{' ' * gutter} :", "dim", colour)
        mine = sorted((one for one in shown if one.place.line == number), key=lambda one: one.sign, reverse=True)
        line, shift = _fitted(lines[number - 1], mine, width - gutter - 3)
        yield f"{paint(f'{number:>{gutter}} |', 'dim', colour)} {line}"
        for one in mine:
            for below in _underlined(one, lines[number - 1], shift, width - gutter - 3):
                yield f"{bar} {paint(below, finding.severity if one.sign == '^' else 'cause', colour)}"
    yield bar


@lru_cache(maxsize=2)
def _lines(text: str) -> list[str]:
    """A text's lines, split once for all findings in it."""
    return text.splitlines()


def _fitted(line: str, marks: Sequence[Underline], room: int) -> tuple[str, int]:
    """The part of a line that fits, with what is to blame in it, and which of the line's signs it starts with."""
    line = clean(line)
    if breadth(line) <= room:
        return line, 0
    blamed, end = marks[0].place.column - 1, min(_end(marks[0].place, line) - 1, len(line))  # it comes first
    columns = _columns(line)
    start = 0
    if columns[end] > room - len(CUT):
        start = min(bisect_left(columns, columns[end] - room + 2 * len(CUT)), blamed, len(line))
    before = CUT * bool(start)
    if len(before) + columns[-1] - columns[start] <= room:
        return before + line[start:], start
    stop = bisect_right(columns, columns[start] + room - len(before) - len(CUT)) - 1
    return before + line[start : max(start, stop)] + CUT, start


@lru_cache(maxsize=2)
def _columns(line: str) -> list[int]:
    """Where each sign of a line begins, counted once for all findings in it."""
    return list(accumulate(map(breadth, line), initial=0))


def _underlined(one: Underline, line: str, first: int, room: int) -> Iterator[str]:
    """The underline and its words, beside it where they fit, else below; only the words where it is out of sight."""
    line = clean(line)
    start, end = max(one.place.column - 1, first), min(_end(one.place, line) - 1, len(line))
    before = len(CUT) * bool(first) + breadth(line[first:start])
    length = min(max(1, breadth(line[start:end])), room - before)
    seen = length > 0 and (end > first or one.sign == "^")
    mark = " " * before + one.sign * length if seen else ""
    if not one.words:
        yield mark
    elif len(mark) + 1 + len(one.words) <= room:
        yield f"{mark} {one.words}" if mark else one.words
    else:
        yield from [mark] if mark else []
        indent = " " * max(0, min(before, room - 40))
        yield from textwrap.wrap(
            one.words, room, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
        )


def _end(place: Place, line: str) -> int:
    """The column behind a stretch; one that goes on in further lines ends with this one."""
    return place.end_column if place.end_line == place.line else len(line) + 1
