"""Beyond chance: what a model knows more than a model that gives one answer to every row, and its weakest class.

A constant answer needs no model. On unbalanced labels its accuracy, or the F1 of the frequent class, is high, and a
share of such a number says little. What is kept beyond chance is (model - constant) / (baseline - constant).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from advisor.compute.tasks.bootstrap import Ends, counted, ends, resampled
from advisor.compute.tasks.metrics import Floats, value
from advisor.facts.tasks import Metric


class Constant(NamedTuple):
    """The label that scores best when every row gets it, what it scores, and its statistics, (rows, numbers)."""

    label: int
    value: float
    statistics: Floats


class Recall(NamedTuple):
    """A class, and the share of its rows that get its label. rows: that the class has."""

    label: int
    value: float
    rows: int


def best_constant(metric: Metric, of: Callable[[Floats], Floats], tables: Iterable[Floats]) -> Constant | None:
    """The best constant answer; None where there is none, as for a correlation.

    Args:
        of: a model's table of answers to its statistics. tables: that of each constant answer.
    """
    best: Constant | None = None
    for label, table in enumerate(tables):
        statistics = of(table)
        found = value(metric, statistics)
        if best is None or found > best.value:
            best = Constant(label, found, statistics)
    return best


def gain_interval(metric: Metric, statistics: Floats, constant: Constant, seed: int = 0) -> Ends:
    """95 % interval of a model's metric minus the constant answer's, by bootstrap over the same rows for both.

    Args:
        statistics: (rows, numbers).
    """
    return ends(_gains(metric, statistics, constant, seed))


def mean_kept_interval(
    metric: Metric, pairs: Sequence[tuple[Floats, Floats]], constant: Constant | None, seed: int = 0
) -> Ends | None:
    """95 % interval of the mean share that models keep of their baselines, by bootstrap over the same rows for all.

    Args:
        pairs: statistics of each model and of its baseline, each (rows, numbers). constant: counts as nothing, so that
            the share is of what lies beyond it; None for shares of the whole metric.

    Returns:
        None where a baseline is not above the constant answer (or 0) in every draw: a share of it means nothing.
    """
    total: Floats | float = 0.0
    for model, baseline in pairs:
        above, below = (_gains(metric, one, constant, seed) for one in (model, baseline))
        if not (below > 0).all():
            return None
        total = total + above / below
    return ends(np.asarray(total) / len(pairs))


def kept_interval(metric: Metric, model: Floats, baseline: Floats, constant: Constant, seed: int = 0) -> Ends | None:
    """The same of one model: (model - constant) / (baseline - constant)."""
    return mean_kept_interval(metric, [(model, baseline)], constant, seed)


def worst_class(truth: Floats, given: Floats) -> Recall:
    """The class with the lowest recall, of those that rows have.

    Args:
        truth, given: (rows), numbers of classes.
    """
    found = [
        Recall(int(label), float((given[truth == label] == label).mean()), int((truth == label).sum()))
        for label in np.unique(truth)
    ]
    return min(found, key=lambda one: one.value)


def worst_class_interval(truth: Floats, given: Floats, seed: int = 0) -> Ends:
    """95 % interval of the lowest recall, by bootstrap; in each draw the class that is the lowest there counts."""
    is_class = truth[:, None] == np.unique(truth)  # (rows, classes)
    right = is_class & (truth == given)[:, None]
    lowest = []
    for counts in counted(len(truth), seed):
        sizes, hits = counts @ is_class, counts @ right  # (draws, classes)
        lowest.append(np.where(sizes > 0, hits / np.maximum(sizes, 1), np.inf).min(axis=1))
    return ends(np.concatenate(lowest))


def _gains(metric: Metric, statistics: Floats, constant: Constant | None, seed: int) -> Floats:
    """The metric of each draw, minus the constant answer's: (draws)."""
    found = resampled(metric, statistics, seed)
    return found - resampled(metric, constant.statistics, seed) if constant else found
