"""CoNLL's files of tagged words: a word and its tags in each line, a blank line between sentences, no header.

The first column holds the words and the last one the entities, as in CoNLL-2003; those between have numbers for names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from advisor.compute.data.encoding import encoding_of, first_lines, note_on

WORDS, TAGS = "tokens", "ner_tags"
DOCUMENT = "-DOCSTART-"  # the first word of a line that begins a document, which is no sentence
TAG = re.compile(r"O|[BIES]-\S+")
ASCII = " \t\r\f\v"  # blanks; others of Unicode, as the one in 10\xa0000, belong to a word
COMMENT = re.compile(r"#\s*[\w.:-]+\s*=\s")
BLANKS = re.compile(f"[{ASCII}]+")
LOOKED_AT = 200  # lines of a text that show whether it is such a file


class Sentences(NamedTuple):
    """The columns of a file, each with a list of strings for each sentence. notes: what was assumed."""

    columns: dict[str, list[list[str]]]
    notes: tuple[str, ...]


def looks_like_conll(path: Path) -> bool:
    """Whether the first lines have two fields or more, of which the last is a tag."""
    fields = map(_fields, first_lines(path, LOOKED_AT))
    some = [one for one in fields if one and not _is_no_word(one)]
    return bool(some) and all(len(one) > 1 and TAG.fullmatch(one[-1]) for one in some)


def sentences(path: Path, place: str) -> Sentences:
    """The sentences of a file.

    Raises:
        AdviseError: it is in no encoding that is read.
        ValueError: a line has more or fewer fields than the first one, or there is one field only; says which line.
    """
    encoding = encoding_of(path, place)
    found = list(_sentences(path.read_text(encoding=encoding)))
    width = len(found[0][0]) if found else 0
    if width < 2:
        raise ValueError("expected a word and its tag in each line, separated by a blank or a tab")
    names = [WORDS, *(f"column_{number}" for number in range(2, width)), TAGS]
    columns = {name: [[row[place] for row in rows] for rows in found] for place, name in enumerate(names)}
    note = f"{width} columns: words in the first, tags in the last; --label column_{width - 1} names another"
    notes = (note_on(encoding), note if width > 2 else "")
    return Sentences(columns, tuple(f"{place}: {one}" for one in notes if one))


def _sentences(text: str) -> Iterator[list[Sequence[str]]]:
    rows: list[Sequence[str]] = []
    width = 0
    for number, line in enumerate(text.split("\n"), 1):
        fields = _fields(line)
        if fields and (fields[0] == DOCUMENT or _is_comment(line, fields, width, not rows)):
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
    line = line.lstrip(ASCII).rstrip()
    if not line.strip():
        return ()
    if "\t" in line:
        return line.split("\t")
    return BLANKS.split(line) if BLANKS.search(line) else line.split()


def _is_comment(line: str, fields: Sequence[str], width: int, first: bool) -> bool:
    """Whether a line is one such as `# id = 0`, and no word that begins with # and has tags.

    Args:
        width: of the lines before it; 0 where there are none. first: whether a sentence would begin with it.
    """
    if not line.startswith("#") or not fields:
        return False
    if width and len(fields) != width:
        return True
    return bool(COMMENT.match(line)) or (first and width < 3 and not TAG.fullmatch(fields[-1]))


def _is_no_word(fields: Sequence[str]) -> bool:
    return fields[0] == DOCUMENT or fields[0].startswith("#")
