"""Style: text for a terminal, coloured or plain, in aligned columns, and never able to move the cursor."""

from __future__ import annotations

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
