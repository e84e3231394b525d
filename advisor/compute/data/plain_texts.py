"""Plain text, from which language models learn: paragraphs between blank lines, or lines where there are none."""

from __future__ import annotations

import re
from pathlib import Path

from advisor.compute.data.encoding import encoding_of, note_on

BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")


def plain_texts(path: Path, place: str) -> tuple[list[str], tuple[str, ...]]:
    """The texts of a file, and what was assumed about it.

    Raises:
        AdviseError: it is in no encoding that is read.
    """
    encoding = encoding_of(path, place)
    whole = path.read_text(encoding=encoding).strip()
    paragraphs = BLANK_LINES.split(whole)
    texts = paragraphs if len(paragraphs) > 1 else whole.split("\n")
    parted = "parted by blank lines" if len(paragraphs) > 1 else "one a line"
    notes = (f"{len(texts):,} {'text' if len(texts) == 1 else 'texts'}, {parted}", note_on(encoding))
    return texts, tuple(f"{place}: {note}" for note in notes if note)


def parting_of(place: str) -> str:
    """How a file comes to hold more texts; none where it is no plain text."""
    plain = place.removesuffix(".gz").endswith(".txt")
    return "part its texts by blank lines, or write one a line" if plain else ""
