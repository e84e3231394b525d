"""SQuAD's own JSON: articles of paragraphs of questions, as one row for each question."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError, Fault

KINDS: Mapping[str, type] = {"paragraphs": list, "context": str, "qas": list, "question": str}
FORM = "SQuAD's JSON has data: [{paragraphs: [{context, qas: [{question, answers}]}]}]"
BEGINNING = 65_536  # bytes in which the first paragraph of such a file is named


def squad_columns(path: Path, place: str) -> dict[str, list[Any]] | None:
    """The columns question, context and answers of such a file; None for other JSON. place: as messages name it.

    Raises:
        AdviseError: an article, a paragraph or a question lacks what it has to have.
        ValueError: it is not whole.
    """
    with path.open("rb") as file:
        if b'"paragraphs"' not in file.read(BEGINNING):
            return None
    value = json.loads(path.read_bytes())
    if not isinstance(value, Mapping) or not isinstance(value.get("data"), list):
        return None
    rows = list(_rows(value["data"], place))
    return {name: [row[place] for row in rows] for place, name in enumerate(("question", "context", "answers"))}


def _rows(articles: list[Any], place: str) -> Iterator[tuple[str, str, Any]]:
    for number, article in enumerate(articles, 1):
        where = f"article {number:,}"
        for count, paragraph in enumerate(_of(article, "paragraphs", where, place), 1):
            within = f"{where}, paragraph {count:,}"
            context = _of(paragraph, "context", within, place)
            for asked, one in enumerate(_of(paragraph, "qas", within, place), 1):
                yield _of(one, "question", f"{within}, question {asked:,}", place), context, one.get("answers")


def _of(given: Any, key: str, where: str, place: str) -> Any:
    """What stands under a key of an article, a paragraph or a question; where: which one it is."""
    if not isinstance(given, Mapping) or not isinstance(given.get(key), KINDS[key]):
        what = "is not there" if not isinstance(given, Mapping) or key not in given else "has an odd value"
        raise AdviseError(Fault(f"{where}: the key {key!r} {what}", place, hint=FORM))
    return given[key]
