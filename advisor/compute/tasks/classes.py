"""What scores of classes say: the answer to each row, and the statistics that metrics of classifiers are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from advisor.compute.tasks.metrics import Floats
from advisor.facts.tasks import Metric

OF_CLASSES = ("accuracy", "f1", "matthews")
CORRELATIONS = ("pearson", "spearman")  # of answers that are all alike there is none


class Counted(NamedTuple):
    """What the F1 of each class, label or kind of entity is made of. names: (kinds).

    numbers: (kinds, 3), how often the answer was right, how many there are, and how many were answered.
    """

    names: Sequence[str]
    numbers: Floats


def answers(scores: ArrayLike) -> Floats:
    """Answers: the label with the highest score, or the number itself if a row has one score.

    Args:
        scores: (rows, labels). Returns: (rows)
    """
    found = np.asarray(scores, dtype=np.float64)
    given: Floats = found[:, 0] if found.shape[1] == 1 else found.argmax(axis=1).astype(np.float64)
    return given


def statistics(metric: Metric, labels: ArrayLike, scores: ArrayLike) -> Floats:
    """What `metrics` needs of each row: (rows, numbers).

    Args:
        labels: (rows). scores: (rows, labels).
    """
    truth, given = np.asarray(labels, dtype=np.float64), answers(scores)
    if metric in CORRELATIONS:
        return _moments(truth, given) if metric == "pearson" else np.stack([truth, given], axis=1)
    right = truth == given
    if metric == "accuracy":
        return np.stack([right, np.ones(len(truth))], axis=1).astype(np.float64)
    classes = np.eye(np.asarray(scores).shape[1])
    labelled, answered = classes[truth.astype(int)], classes[given.astype(int)]
    if metric == "f1":
        return np.concatenate([labelled * right[:, None], labelled, answered], axis=1)
    return np.concatenate([right[:, None], np.ones((len(truth), 1)), labelled, answered], axis=1)


def counted(labels: Floats, given: Floats, count: int) -> Floats:
    """How often each of `count` classes was right, there, and answered: (classes, 3). labels, given: (rows)."""
    matrix = confusion(labels, given, count)
    return np.stack([matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)], axis=1).astype(np.float64)


def confusion(labels: Floats, given: Floats, count: int) -> NDArray[np.int64]:
    """Rows by their class and then by the answer: (classes, classes). labels, given: (rows)."""
    places = labels.astype(np.int64) * count + given.astype(np.int64)
    return np.bincount(places, minlength=count * count).reshape(count, count)


def _moments(truth: Floats, given: Floats) -> Floats:
    """(1, x, y, xx, yy, xy), both about their means: a correlation is the same, and the sums stay small."""
    x, y = truth - truth.mean(), given - given.mean()
    return np.stack([np.ones(len(x)), x, y, x * x, y * y, x * y], axis=1)


def constants(metric: Metric, rows: int, width: int) -> Iterator[Floats]:
    """The scores, (rows, width), of a model that always gives one label, for each label; none for a correlation."""
    if metric not in CORRELATIONS and width > 1:
        for label in range(width):
            yield np.tile(np.eye(width)[label], (rows, 1))
