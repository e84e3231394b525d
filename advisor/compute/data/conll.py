"""CoNLL's files of tagged words: a word and its tags in each line, a blank line between sentences, no header.

The first column holds the words and the last one the entities, as in CoNLL-2003; those between have numbers for names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

WORDS, TAGS = "tokens", "ner_tags"
DOCUMENT = "-DOCSTART-"  # the first word of a line that begins a document, which is no sentence
TAG = re.compile(r"O|[BIES]-\S+")
LOOKED_AT = 200  # lines of a text that show whether it is such a file


class Sentences(NamedTuple):
    """The columns of a file, each with a list of strings for each sentence. note: what was assumed; may be empty."""

    columns: dict[str, list[list[str]]]
    note: str


def looks_like_conll(path: Path) -> bool:
    """Whether the first lines have two fields or more, of which the last is a tag."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        fields = [_fields(line) for line, _ in zip(file, range(LOOKED_AT), strict=False)]
    some = [one for one in fields if one and not _is_no_word(one)]
    return bool(some) and all(len(one) > 1 and TAG.fullmatch(one[-1]) for one in some)


def sentences(path: Path, place: str) -> Sentences:
    """The sentences of a file in UTF-8.

    Raises:
        ValueError: a line has more or fewer fields than the first one, or there is one field only; says which line.
    """
    found = list(_sentences(path.read_text(encoding="utf-8-sig")))
    width = len(found[0][0]) if found else 0
    if width < 2:
        raise ValueError("expected a word and its tag in each line, separated by a blank or a tab")
    names = [WORDS, *(f"column_{number}" for number in range(2, width)), TAGS]
    columns = {name: [[row[place] for row in rows] for rows in found] for place, name in enumerate(names)}
    note = f"{place}: {width} columns: words in the first, tags in the last; --label column_{width - 1} names another"
    return Sentences(columns, note if width > 2 else "")


def _sentences(text: str) -> Iterator[list[Sequence[str]]]:
    rows: list[Sequence[str]] = []
    width = 0
    for number, line in enumerate(text.splitlines(), 1):
        fields = _fields(line)
        if fields and (fields[0] == DOCUMENT or (line.startswith("#") and len(fields) != width)):
            continue
        if fields and width and len(fields) != width:
            raise ValueError(f"line {number:,} has {len(fields)} fields, those before it {width}: {line!r:.60}")
        if fields:
            width = len(fields)
            rows.append(fields)
        elif rows:
            yield rows
            rows = []
    if rows:
        yield rows


def _fields(line: str) -> Sequence[str]:
    """The fields of a line: between tabs where there are any, else between blanks."""
    return line.strip().split("\t") if "\t" in line.strip() else line.split()


def _is_no_word(fields: Sequence[str]) -> bool:
    return fields[0] == DOCUMENT or fields[0].startswith("#")
