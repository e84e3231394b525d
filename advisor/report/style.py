"""Style: text for a terminal, coloured or plain, in aligned columns, and never able to move the cursor."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from unicodedata import east_asian_width

STYLES = {
    "bold": "1",
    "green": "32",
    "dim": "2",
    "yellow": "33",
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "cause": "36",
}


_CODE = re.compile(r"\x1b\[[\d;]*m")
_LABEL = re.compile(r"\s*\S+(?: \S+)*  +(?=\S)")  # what stands before the first gap of two spaces, and the gap


def terminal(stream: Any) -> Any:
    """The stream that Rich may draw on with a terminal's own codes; its text has to be clean."""
    return getattr(stream, "terminal", stream)


def paint(text: str, style: str, colour: bool) -> str:
    """The text in a terminal style, or as it is."""
    return f"\033[{STYLES[style]}m{text}\033[0m" if colour else text


def clean(text: str) -> str:
    """Text of others with a ? for each sign that a terminal would obey instead of print."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)


def breadth(text: str) -> int:
    """How many columns a terminal needs for a text."""
    return len(text) if text.isascii() else sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def wrapped(text: str, width: int, hang: int = 2) -> str:
    """Text with its long lines broken between words; the rest of a line stands below its text.

    A label is followed by two spaces or more, as in `facts   bert`. hang: by how much the rest is indented without one.
    """
    return "\n".join(_folded(line, width, hang) for line in text.split("\n"))


def _folded(line: str, width: int, hang: int) -> str:
    if breadth(_CODE.sub("", line)) <= width:
        return line
    bare = _CODE.sub("", line)
    label = _LABEL.match(bare)
    column = breadth(label[0]) if label else 0
    indent = " " * (column if 0 < column <= width * 2 // 3 else len(bare) - len(bare.lstrip()) + hang)
    lines, filled = [""], 0
    for word in re.findall(r" *[^ ]+", line):
        size = breadth(_CODE.sub("", word))
        if filled and filled + size > width and bare[:filled].strip():
            lines.append(indent + word.lstrip())
            filled = len(indent) + breadth(_CODE.sub("", word.lstrip()))
        else:
            lines[-1] += word
            filled += size
    return "\n".join(lines)


def columns(rows: Sequence[Iterable[str]]) -> Iterator[str]:
    """Rows as lines with aligned columns."""
    table = [tuple(row) for row in rows]
    widths = [max(breadth(row[place]) for row in table) for place in range(len(table[0]))]
    for row in table:
        cells = (cell + " " * (width - breadth(cell)) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def plural(count: int, noun: str) -> str:
    """1 error, 2 errors, 1,000 files; fixes of more than one word take the plural at the end."""
    many = f"{noun}es" if noun.endswith("x") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else many}"
