"""Diagnostics of a model: what it confuses, which rows it answers otherwise than the baseline, how it learned.

They explain a run to people; no gate is judged by them.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_CLASSES = 30  # of a matrix that people can read; of more classes the pairs tell
MOST_PAIRS = 30
MOST_EXAMPLES = 10
LONGEST = 200  # characters of a text in an example


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one class, label or kind of entity is told. rows: that have it, or entities of the kind.

    answered: how often the model gave it. A quotient of 0 by 0 is 0.
    """

    name: str
    precision: float
    recall: float
    f1: float
    rows: int
    answered: int


@dataclass(frozen=True, slots=True)
class Confused:
    """So many rows of one class were taken for another one."""

    label: str
    answer: str
    rows: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """Which class was taken for which. counts: (classes, classes) of rows, by their label and then by the answer; empty
    where there are more than 30 classes. pairs: the most frequent confusions, at most 30.
    """

    names: tuple[str, ...] = ()
    counts: tuple[tuple[int, ...], ...] = ()
    pairs: tuple[Confused, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A report row that the baseline answers otherwise. row: its place in predictions.json, from 0.

    text, label, before, after: shortened to 200 characters; empty where there are no such words. The text of an image
    or a sound is the name of its file, or its row in a table.
    value_before, value_after: the metric of this row alone; of classes 1 for a right answer and 0 for a wrong one; of
    regressions the distance from the label, below 0.
    """

    row: int
    text: str
    label: str
    before: str
    after: str
    value_before: float
    value_after: float


@dataclass(frozen=True, slots=True)
class Changed:
    """The report rows that a model answers otherwise than the baseline. better, worse: those of them whose own metric
    rose or fell. examples: at most 10, those that lost most first, then those that won most.
    """

    rows: int
    better: int
    worse: int
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A moment of a training. batches: since the step began. epoch: passes over the training rows by then.

    loss: mean training loss since the point before; None where it is not finite. selection: the number that epochs are
    chosen by, at the end of an epoch: the metric on the selection rows, or their loss where `Curve.chosen_by` is loss.
    """

    batches: int
    epoch: float
    learning_rate: float
    loss: float | None
    selection: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """How a step learned. chosen_by: the name of the number that epochs are chosen by."""

    chosen_by: str
    points: tuple[CurvePoint, ...]


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """What can be told of one model. classes: empty, and others None, where the task or the step has no such thing."""

    classes: tuple[ClassScore, ...] = ()
    confusion: Confusion | None = None
    changed: Changed | None = None
    curve: Curve | None = None


def shortened(text: str, longest: int = LONGEST) -> str:
    """A text in one line, cut behind so many characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else f"{flat[: longest - 1]}…"
