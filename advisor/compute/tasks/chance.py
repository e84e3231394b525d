"""Beyond chance: what a model knows more than a model that gives one answer to every row, and its weakest class.

A constant answer needs no model. On unbalanced labels its accuracy, or the F1 of the frequent class, is high, and a
share of such a number says little. What is kept beyond chance is (model - constant) / (baseline - constant).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from advisor.compute.tasks.metrics import answers, drawn, draws, value
from advisor.facts.tasks import Metric

Floats = NDArray[np.float64]
Ends = tuple[float, float]
CORRELATIONS = ("pearson", "spearman")  # of answers that are all alike there is none


class Constant(NamedTuple):
    """The label that scores best when every row gets it, and what it scores."""

    label: int
    value: float


class Recall(NamedTuple):
    """A class, and the share of its rows that get its label. rows: that the class has."""

    label: int
    value: float
    rows: int


def best_constant(metric: Metric, labels: ArrayLike, width: int) -> Constant | None:
    """The best constant answer to rows of `width` classes; None for a correlation, which has no constant answer.

    Args:
        labels: (rows).
    """
    if metric in CORRELATIONS or width < 2:
        return None
    rows = len(np.asarray(labels))
    found = [value(metric, labels, np.tile(np.eye(width)[label], (rows, 1))) for label in range(width)]
    best = int(np.argmax(found))
    return Constant(best, found[best])


def gain_interval(metric: Metric, labels: ArrayLike, scores: ArrayLike, constant: Constant, seed: int = 0) -> Ends:
    """95 % interval of a model's metric minus the constant answer's, by bootstrap over the same rows for both.

    Args:
        labels: (rows). scores: (rows, labels).
    """
    return _ends(_gains(metric, labels, scores, constant, seed))


def mean_kept_interval(
    metric: Metric,
    labels: ArrayLike,
    pairs: Sequence[tuple[ArrayLike, ArrayLike]],
    constant: Constant | None,
    seed: int = 0,
) -> Ends | None:
    """95 % interval of the mean share that models keep of their baselines, by bootstrap over the same rows for all.

    Args:
        labels: (rows). pairs: scores of each model and of its baseline, each (rows, labels). constant: counts as
            nothing, so that the share is of what lies beyond it; None for shares of the whole metric.

    Returns:
        None where a baseline is not above the constant answer (or 0) in every draw: a share of it means nothing.
    """
    total: Floats | float = 0.0
    for scores, baseline in pairs:
        above, below = (_gains(metric, labels, one, constant, seed) for one in (scores, baseline))
        if not (below > 0).all():
            return None
        total = total + above / below
    return _ends(np.asarray(total) / len(pairs))


def kept_interval(
    metric: Metric, labels: ArrayLike, scores: ArrayLike, baseline: ArrayLike, constant: Constant, seed: int = 0
) -> Ends | None:
    """The same of one model: (model - constant) / (baseline - constant)."""
    return mean_kept_interval(metric, labels, [(scores, baseline)], constant, seed)


def worst_class(labels: ArrayLike, scores: ArrayLike) -> Recall:
    """The class with the lowest recall, of those that rows have.

    Args:
        labels: (rows). scores: (rows, labels), two labels or more.
    """
    truth, given = np.asarray(labels, dtype=np.float64), answers(scores)
    found = [
        Recall(int(label), float((given[truth == label] == label).mean()), int((truth == label).sum()))
        for label in np.unique(truth)
    ]
    return min(found, key=lambda one: one.value)


def worst_class_interval(labels: ArrayLike, scores: ArrayLike, seed: int = 0) -> Ends:
    """95 % interval of the lowest recall, by bootstrap; in each draw the class that is the lowest there counts."""
    truth, given = np.asarray(labels, dtype=np.float64), answers(scores)
    classes = np.unique(truth)
    lowest = []
    for rows in draws(len(truth), seed):
        is_class = [truth[rows] == label for label in classes]
        right = (truth == given)[rows]
        sizes = np.stack([one.sum(axis=1) for one in is_class])  # (classes, draws)
        hits = np.stack([(one & right).sum(axis=1) for one in is_class])
        lowest.append(np.where(sizes > 0, hits / np.maximum(sizes, 1), np.inf).min(axis=0))
    return _ends(np.concatenate(lowest))


def _gains(metric: Metric, labels: ArrayLike, scores: ArrayLike, constant: Constant | None, seed: int) -> Floats:
    """The metric of each draw, minus the constant answer's: (draws)."""
    many = np.asarray(scores).shape[1]
    truth, given = np.asarray(labels, dtype=np.float64), answers(scores)
    found: list[Floats] = []
    for rows in draws(len(truth), seed):
        least = drawn(metric, truth[rows], np.full(rows.shape, float(constant.label)), many) if constant else 0.0
        found.append(drawn(metric, truth[rows], given[rows], many) - least)
    return np.concatenate(found)


def _ends(values: Floats) -> Ends:
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)
