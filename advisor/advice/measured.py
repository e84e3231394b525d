"""Measured: what this project's own runs kept, and ranges that are wide enough for them.

`calibration.jsonl` has a line for each model of a run in `measured.jsonl` that was made as advice makes them (both are
written by bench/measured.py). A range of the evidence register is widened, never narrowed, until it holds what was
measured: split conformal prediction with a whole data set as the unit, since runs on one are no independent witnesses,
whichever model they train and however many of its rows they take.
The score of a data set is how far the worst of its runs lies beyond an end of the range; the end moves by
the k-th smallest score of n data sets, so that on one more data set of their kind that end holds in at least
k / (n + 1) of cases. With few data sets that is little, and is said: one gives 50 %, two 67 %, nine 90 %.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from advisor.advice.ranges import MARGIN, SMALL, Range
from advisor.facts.tasks import USUAL

FILE = Path(__file__).parent / "calibration.jsonl"
COVERAGE = 0.9  # that is aimed at; reached from nine data sets on


class Point(NamedTuple):
    """What one measured model kept, as shares of its baseline. None: not measured.

    model, data: of the run. group: of the model's family in the ranges. samples: training examples. compute: share of
    the multiplications. beyond_chance: of what the baseline has above the best constant answer. task: see `asked`.
    """

    model: str
    data: str
    group: str
    samples: int
    int8: bool
    compute: float
    accuracy: float
    beyond_chance: float | None = None
    time: float | None = None
    emissions: float | None = None
    task: str = USUAL

    @property
    def data_set(self) -> str:
        """What its rows are of: mrpc-1000 are 1,000 rows of mrpc."""
        return self.data.partition("-")[0]


class Seen(NamedTuple):
    """Points that are comparable with a recipe. data_sets: how many different ones they are of."""

    points: tuple[Point, ...] = ()

    @property
    def data_sets(self) -> int:
        return len({one.data_set for one in self.points})

    def before(self, int8: bool) -> str:
        """What to add where an int8 model is compared with fp32 ones, for want of others."""
        return " before int8" if int8 and not self.points[0].int8 else ""

    def values(self, quantity: str) -> list[float]:
        return [value for one in self.points if (value := getattr(one, quantity)) is not None]

    def span(self, quantity: str) -> Range | None:
        """From the least to the most that was measured."""
        found = self.values(quantity)
        return Range(min(found), max(found)) if found else None

    def widened(self, quantity: str, said: Range) -> Range:
        """A range whose ends are far enough for what was measured."""
        scores: dict[str, tuple[float, float]] = {}
        for one in self.points:
            value: float | None = getattr(one, quantity)
            if value is not None:
                below, above = scores.get(one.data_set, (0.0, 0.0))
                scores[one.data_set] = max(below, said.low - value), max(above, value - said.high)
        if not scores:
            return said
        below, above = (_end([pair[end] for pair in scores.values()]) for end in (0, 1))
        return Range(max(0.0, said.low - below), said.high + above)


def _end(scores: Sequence[float]) -> float:
    return sorted(scores)[rank(len(scores)) - 1]


def rank(data_sets: int) -> int:
    """Which of the sorted scores an end moves by."""
    return min(data_sets, math.ceil(COVERAGE * (data_sets + 1)))


def coverage(data_sets: int) -> float:
    """In what share of further data sets an end of the range holds, at least, if they are like the measured ones."""
    return rank(data_sets) / (data_sets + 1)


def asked(task: str | None, problem_type: str | None = None) -> str:
    """What a model is asked for: the Hub's tag of its task, or what a text classifier gives in place of one class."""
    other = task in (None, USUAL) and problem_type in ("multi_label_classification", "regression")
    return problem_type if problem_type and other else task or USUAL


def comparable(
    group: str, samples: int, compute: float, int8: bool, points: Sequence[Point] | None = None, task: str = USUAL
) -> Seen:
    """Points of the same family, task, data regime and depth, int8 or not.

    Args:
        points: other ones than those that are shipped. task: what is asked of the model, see `asked`.
    """
    return Seen(
        tuple(
            one
            for one in (shipped() if points is None else points)
            if one.group == group
            and (one.int8, one.task) == (int8, task)
            and (one.samples < SMALL) == (samples < SMALL)
            and max(one.compute, compute) <= MARGIN * min(one.compute, compute)
        )
    )


@cache
def shipped() -> tuple[Point, ...]:
    """The points that come with this package."""
    return tuple(Point(**json.loads(line)) for line in FILE.read_text(encoding="utf-8").splitlines())
