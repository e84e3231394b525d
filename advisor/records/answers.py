"""Answers: what a loaded model says, by the task that it was made for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Prediction(NamedTuple):
    """What a model says of one text. probabilities: by label, they sum to 1. value: the number of a regression, which
    has no label."""

    label: str
    probabilities: Mapping[str, float]
    value: float | None = None


class Labels(NamedTuple):
    """The labels that a model gives to one text, any number of them. scores: of every label, above 0.5 for those."""

    labels: tuple[str, ...]
    scores: Mapping[str, float]


class Entity(NamedTuple):
    """An entity in a text. start, end: its first character and the one behind its last, counted from 0.

    score: mean probability of the tags of its words.
    """

    kind: str
    text: str
    start: int
    end: int
    score: float


class Tagged(NamedTuple):
    """The words of a text, a tag for each, and the entities that the tags name.

    Of words that were given as a list, places are those in the words joined by blanks.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    entities: tuple[Entity, ...]


class Span(NamedTuple):
    """An answer as it stands in its context, `context[start:end]`. score: the probability of its two ends."""

    text: str
    start: int
    end: int
    score: float


class Written(NamedTuple):
    """A text that was written of another one."""

    text: str


class Continued(NamedTuple):
    """How a text goes on, and how well it was predicted itself: the bits that each of its bytes takes."""

    text: str
    bits_per_byte: float


Answer = Prediction | Labels | Tagged | Span | Written | Continued
