"""The names that columns usually have."""

from __future__ import annotations

from collections.abc import Iterable

LABELS = {"label", "labels", "target", "class", "category", "sentiment"}
PAIRS = {
    "sentence1": "sentence2",
    "question": "sentence",
    "premise": "hypothesis",
    "text": "text_pair",
    "question1": "question2",
}
TEXTS = {"sentence", "review", "content", "document", "comment", "tweet", "passage", *PAIRS, *PAIRS.values()}
# Names that columns have together where rows are for another task than classifying texts.
OTHER_TASKS = {
    ("question", "context"): "question-answering",
    ("tokens", "tags"): "token-classification",
    ("tokens", "ner_tags"): "token-classification",
    ("document", "summary"): "summarization",
    ("article", "highlights"): "summarization",
    ("translation",): "translation",
    ("image",): "image-classification",
    ("audio", "transcription"): "automatic-speech-recognition",
    ("audio",): "audio-classification",
}
OTHERS = {"id", "idx", "words", "ner", "answer", "passage", "source", "file_name", "file", "path"}
NAMES = LABELS | TEXTS | OTHERS | {name for names in OTHER_TASKS for name in names}


def are_unusual(names: Iterable[str]) -> bool:
    """Whether none of some names is one that columns usually have."""
    return NAMES.isdisjoint(name.strip().casefold() for name in names)


def looks_like(columns: Iterable[str]) -> str:
    """The pipeline tag of what columns of such names are usually for; empty where they say nothing."""
    there = {name.casefold() for name in columns}
    return next((task for names, task in OTHER_TASKS.items() if there.issuperset(names)), "")
