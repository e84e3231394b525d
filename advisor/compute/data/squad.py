"""SQuAD's own JSON: articles of paragraphs of questions, as one row for each question."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

BEGINNING = 65_536  # bytes in which the first paragraph of such a file is named


def squad_columns(path: Path) -> dict[str, list[Any]] | None:
    """The columns question, context and answers of such a file; None for other JSON.

    Raises:
        ValueError, LookupError, TypeError: it is not whole.
    """
    with path.open("rb") as file:
        if b'"paragraphs"' not in file.read(BEGINNING):
            return None
    value = json.loads(path.read_bytes())
    if not isinstance(value, Mapping) or not isinstance(value.get("data"), list):
        return None
    rows = list(_rows(value["data"]))
    return {name: [row[place] for row in rows] for place, name in enumerate(("question", "context", "answers"))}


def _rows(articles: list[Any]) -> Iterator[tuple[str, str, Any]]:
    for article in articles:
        for paragraph in article["paragraphs"]:
            for one in paragraph["qas"]:
                yield one["question"], paragraph["context"], one.get("answers")
