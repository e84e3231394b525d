"""Small data for the tasks that score tokens: names and towns in real words, which a tiny model learns in seconds."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import tiny

NAMES = ("Email", "Header", "Parser", "Message", "Policy", "Charset")
TOWNS = ("Server", "Event", "Socket", "Queue", "Stream", "Task")
WORDS = ("the", "return", "if", "is", "not", "and", "value", "of", "string", "this", "for", "with")


def _filler(random_: random.Random, most: int) -> list[str]:
    return random_.choices(WORDS, k=random_.randint(1, most))


def tagged(rows: int = 100, seed: int = 0) -> list[dict[str, Any]]:
    """Words with BIO tags: names of one or two words, and towns."""
    random_ = random.Random(seed)
    found = []
    for _ in range(rows):
        name = random_.sample(NAMES, random_.randint(1, 2))
        parts = [
            (_filler(random_, 3), "O"),
            (name, "per"),
            (_filler(random_, 3), "O"),
            ([random_.choice(TOWNS)], "loc"),
        ]
        words = [word for some, _ in parts for word in some]
        tags = [
            kind if kind == "O" else f"{'I' if place else 'B'}-{kind}"
            for some, kind in parts
            for place, _ in enumerate(some)
        ]
        found.append({"tokens": words, "tags": tags})
    return found


def asked(rows: int = 100, seed: int = 0) -> list[dict[str, Any]]:
    """Questions for the name in a context, of which some are longer than a window."""
    random_ = random.Random(seed)
    found = []
    for number in range(rows):
        name, town = random_.choice(NAMES), random_.choice(TOWNS)
        most = 30 if number % 10 == 0 else 2
        context = " ".join([*_filler(random_, most), name, *_filler(random_, 2), town])
        answers = {"text": [name], "answer_start": [context.index(name)]}
        found.append({"question": "what name", "context": context, "answers": answers})
    return found


def recipe(folder: Path, rows: list[dict[str, Any]], task: str, steps: str, tokens: int = 40) -> Path:
    """A recipe for a tiny BERT on these rows."""
    data, model = tiny.write_rows(folder / "data", rows), folder / "model"
    if not model.exists():
        tiny.checkpoint("bert", model)
    file = folder / "recipe.yaml"
    file.write_text(
        f"version: 1\nname: {task}\nmodel: {{source: {json.dumps(str(model))}}}\n"
        f"data: {{source: {json.dumps(str(data))}, task: {task}}}\ndevice: edge\n"
        f"steps:\n{steps}training: {{batch_size: 16, max_tokens: {tokens}, joined_texts: 40}}\n"
    )
    return file
