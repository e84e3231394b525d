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
    wrong: Wrong = {}
    rows = list(_rows(value["data"], wrong))
    if wrong:
        raise AdviseError(*(Fault(f"{_places(some)}: {what}", place, hint=FORM) for what, some in wrong.items()))
    return {name: [row[place] for row in rows] for place, name in enumerate(("question", "context", "answers"))}


Wrong = dict[str, list[str]]  # by what is wrong: the articles, paragraphs or questions


def _rows(articles: list[Any], wrong: Wrong) -> Iterator[tuple[str, str, Any]]:
    for number, article in enumerate(articles, 1):
        where = f"article {number:,}"
        for count, paragraph in enumerate(_of(article, "paragraphs", where, wrong) or (), 1):
            within = f"{where}, paragraph {count:,}"
            context = _of(paragraph, "context", within, wrong)
            for asked, one in enumerate(_of(paragraph, "qas", within, wrong) or (), 1):
                question = _of(one, "question", f"{within}, question {asked:,}", wrong)
                if question is not None:
                    yield question, context, one.get("answers")


def _of(given: Any, key: str, where: str, wrong: Wrong) -> Any:
    """What stands under a key of an article, a paragraph or a question; where: which one it is. None if it is wrong."""
    if isinstance(given, Mapping) and isinstance(given.get(key), KINDS[key]):
        return given[key]
    what = "is not there" if not isinstance(given, Mapping) or key not in given else "has an odd value"
    wrong.setdefault(f"the key {key!r} {what}", []).append(where)
    return None


def _places(some: list[str]) -> str:
    others = len(some) - 1
    return f"{some[0]} and {others:,} other {'place' if others == 1 else 'places'}" if others else some[0]
