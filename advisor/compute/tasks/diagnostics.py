"""Diagnostics of the answers to the report rows: by class or kind, what is confused, and which answers changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from advisor.compute.tasks import classes
from advisor.compute.tasks.appraisal import Rows
from advisor.compute.tasks.metrics import Floats, over
from advisor.records.diagnostics import (
    MOST_CLASSES,
    MOST_EXAMPLES,
    MOST_PAIRS,
    Changed,
    ClassScore,
    Confused,
    Confusion,
    Diagnostics,
    Example,
    shortened,
)

MOST_WINNERS = 3  # of the examples
SAME = 1e-6  # values of one row that differ by less are the same: six digits are recorded


class Given(NamedTuple):
    """A model's answers. table: (rows, numbers), as recorded. answers: (rows) in words; empty where the table tells."""

    table: ArrayLike
    answers: Sequence[str] = ()


class Texts(NamedTuple):
    """What the report rows ask, all (rows). pairs: None where a row has one text. names: of images and sounds."""

    texts: Sequence[Any]
    pairs: Sequence[Any] | None
    names: Sequence[str] = ()

    def of(self, row: int) -> str:
        """A row's text, in one line; of an image or a sound its name."""
        parts = (self.texts[row], *([self.pairs[row]] if self.pairs else []))
        return shortened(self.names[row] if self.names else " | ".join(map(_words, parts)))


def diagnose(rows: Rows, texts: Texts, given: Given, baseline: Given | None) -> Diagnostics:
    """What people want to see of a model. baseline: the fine-tuned model's answers; None for itself, or without one."""
    changed = None if baseline is None else _changed(rows, texts, given, baseline)
    return Diagnostics(by_class(rows, given.table), confusion(rows, given.table), changed)


def by_class(rows: Rows, table: ArrayLike) -> tuple[ClassScore, ...]:
    """Precision, recall and F1 of each class, label or kind of entity; empty where there are none."""
    found = rows.task.counted_by_kind(rows.labels, table)
    if found is None:
        return ()
    return tuple(_score(name, *counts) for name, counts in zip(found.names, found.numbers, strict=True))


def _score(name: str, right: float, there: float, answered: float) -> ClassScore:
    precision, recall, f1 = (
        float(over(np.asarray(above), np.asarray(below)))
        for above, below in ((right, answered), (right, there), (2 * right, there + answered))
    )
    return ClassScore(name, precision, recall, f1, int(there), int(answered))


def confusion(rows: Rows, table: ArrayLike) -> Confusion | None:
    """Which class was taken for which; None for a task without classes."""
    found, names = rows.task.answered(rows.labels, table), rows.task.names
    if found is None:
        return None
    matrix = classes.confusion(*found, len(names))
    wrong = matrix - np.diag(matrix.diagonal())
    places = np.argsort(-wrong, axis=None, kind="stable")[:MOST_PAIRS]
    worst = (divmod(int(place), len(names)) for place in places)
    pairs = tuple(Confused(names[one], names[other], n) for one, other in worst if (n := int(wrong[one, other])))
    if len(names) > MOST_CLASSES:
        return Confusion(pairs=pairs)
    return Confusion(tuple(names), tuple(tuple(map(int, row)) for row in matrix), pairs)


def _changed(rows: Rows, texts: Texts, given: Given, baseline: Given) -> Changed:
    before, after = (rows.task.row_values(rows.metric, rows.labels, one.table) for one in (baseline, given))
    said = [one.answers or rows.task.in_words(one.table) for one in (baseline, given)]
    moved = after - before
    places = [row for row in range(len(moved)) if _differs(moved, said, row)]
    places.sort(key=lambda row: moved[row])
    most = MOST_EXAMPLES - MOST_WINNERS
    shown = places if len(places) <= MOST_EXAMPLES else [*places[:most], *reversed(places[-MOST_WINNERS:])]
    examples = tuple(_example(rows, texts, said, (before, after), row) for row in shown)
    better, worse = int((moved[places] > SAME).sum()), int((moved[places] < -SAME).sum())
    return Changed(len(places), better, worse, examples)


def _differs(moved: Floats, said: Sequence[Sequence[str]], row: int) -> bool:
    """Whether a row has another answer: in words, or where there are none by its own metric."""
    before, after = said
    return before[row] != after[row] if before and after else bool(abs(moved[row]) > SAME)


def _example(
    rows: Rows, texts: Texts, said: Sequence[Sequence[str]], values: tuple[Floats, Floats], row: int
) -> Example:
    label = rows.task.label_in_words(rows.labels[row], texts.texts[row])
    before, after = (shortened(one[row]) if one else "" for one in said)
    was, now = (float(one[row]) for one in values)
    return Example(row, texts.of(row), shortened(label), before, after, was, now)


def _words(text: Any) -> str:
    return " ".join(text) if isinstance(text, tuple | list) else str(text)
