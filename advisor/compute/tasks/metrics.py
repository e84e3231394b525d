"""Metrics as functions of sums over rows, so that one paired bootstrap serves them all (`bootstrap`).

A task turns each row into a few numbers, its statistics; a metric is computed from their sums. Spearman's correlation
is no such function: it ranks the rows that were drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from advisor.facts.tasks import Metric

Floats = NDArray[np.float64]
OfSums = Callable[[Floats], Floats]  # sums (…, numbers) to values (…)


def value(metric: Metric, statistics: Floats) -> float:
    """The metric of all rows. statistics: (rows, numbers), as the task gives them for this metric."""
    if metric in OF_ROWS:
        return float(OF_ROWS[metric](statistics[None])[0])
    return float(OF_SUMS[metric](statistics.sum(axis=0)))


def over(above: Floats, below: Floats) -> Floats:
    """The quotient; 0 where it is 0 / 0."""
    above, below = np.broadcast_arrays(np.asarray(above, dtype=np.float64), below)
    return np.divide(above, below, out=np.zeros(above.shape), where=below > 0)


def _share(sums: Floats) -> Floats:
    """Of (hits, rows), or of shares of a hit."""
    return over(sums[..., 0], sums[..., 1])


def _f1(sums: Floats) -> Floats:
    """Of (right, labelled, answered) for each class: F1 of class 1 where there are two, else the mean of all."""
    right, labelled, answered = np.moveaxis(sums.reshape(*sums.shape[:-1], 3, -1), -2, 0)
    each = over(2 * right, labelled + answered)
    return each[..., 1] if each.shape[-1] == 2 else each.mean(axis=-1)


def _matthews(sums: Floats) -> Floats:
    """Of (right, rows, labelled by class, answered by class), for any number of classes (Gorodkin 2004)."""
    right, rows = sums[..., 0], sums[..., 1]
    labelled, answered = np.split(sums[..., 2:], 2, axis=-1)
    covered = right * rows - (labelled * answered).sum(axis=-1)
    spread = np.sqrt((rows**2 - (answered**2).sum(axis=-1)) * (rows**2 - (labelled**2).sum(axis=-1)))
    return over(covered, spread)


def _pearson(sums: Floats) -> Floats:
    """Of the moments (1, x, y, xx, yy, xy)."""
    rows, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    spread = np.sqrt(np.maximum(rows * xx - x**2, 0) * np.maximum(rows * yy - y**2, 0))
    return over(np.where(spread > 1e-12, rows * xy - x * y, 0.0), spread)


def _spearman(rows: Floats) -> Floats:
    """Of (draws, rows, (label, answer)): Pearson's correlation of the ranks."""
    ranks = rankdata(rows, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    one, other = ranks[..., 0], ranks[..., 1]
    return over((one * other).sum(axis=1), np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1)))


def _entity_f1(sums: Floats) -> Floats:
    """Of (right, predicted, gold) entities."""
    return over(2 * sums[..., 0], sums[..., 1] + sums[..., 2])


def _of_labels(sums: Floats) -> Floats:
    """Of (right, labelled, given) of each label: F1 of each, (…, labels)."""
    right, labelled, given = np.moveaxis(sums.reshape(*sums.shape[:-1], 3, -1), -2, 0)
    return over(2 * right, labelled + given)


def _micro_f1(sums: Floats) -> Floats:
    """The same, all labels taken together."""
    return _of_labels(sums.reshape(*sums.shape[:-1], 3, -1).sum(axis=-1))[..., 0]


def _macro_f1(sums: Floats) -> Floats:
    """Mean of all labels."""
    return np.asarray(_of_labels(sums).mean(axis=-1))


OF_SUMS: Mapping[str, OfSums] = {
    "accuracy": _share,
    "f1": _f1,
    "matthews": _matthews,
    "micro_f1": _micro_f1,
    "macro_f1": _macro_f1,
    "pearson": _pearson,
    "entity_f1": _entity_f1,
    "token_accuracy": _share,
    "answer_f1": _share,
    "exact_match": _share,
}
OF_ROWS: Mapping[str, OfSums] = {"spearman": _spearman}  # (draws, rows, numbers) to (draws)
