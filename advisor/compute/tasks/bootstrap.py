"""The paired bootstrap: rows are drawn with replacement, the same ones for every model that is compared.

A draw is how often each row was drawn, so the sums of all draws are one product of matrices.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from advisor.compute.tasks.metrics import OF_ROWS, OF_SUMS, Floats
from advisor.facts.tasks import Metric

RESAMPLES = 2000
AT_ONCE = 2_000_000  # drawn rows in memory
KEPT = 20_000_000  # counts that are kept in memory, of two bytes
Ends = tuple[float, float]


def draws(rows: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Row numbers, (draws, rows), as many draws at once as memory is meant to hold."""
    random = np.random.default_rng(seed)
    left = RESAMPLES
    while left:
        some = min(left, max(1, AT_ONCE // rows))
        yield random.integers(rows, size=(some, rows))
        left -= some


def resampled(metric: Metric, statistics: Floats, seed: int = 0) -> Floats:
    """The metric in each draw: (draws). The same seed and number of rows give the same draws.

    Args:
        statistics: (rows, numbers), as the task gives them for this metric.
    """
    count = len(statistics)
    if metric in OF_ROWS:
        return np.concatenate([OF_ROWS[metric](statistics[rows]) for rows in draws(count, seed)])
    return np.concatenate([OF_SUMS[metric](counts @ statistics) for counts in counted(count, seed)])


def counted(rows: int, seed: int) -> Iterator[Floats]:
    """How often each row is in each draw: (draws, rows), as many draws at once as `draws` gives."""
    found = _kept(rows, seed) if rows * RESAMPLES <= KEPT else map(_counts, draws(rows, seed))
    return (counts.astype(np.float64) for counts in found)


@lru_cache(maxsize=1)  # every number of every model of a run is resampled by the same draws
def _kept(rows: int, seed: int) -> tuple[NDArray[np.uint16], ...]:
    return tuple(_counts(drawn).astype(np.uint16) for drawn in draws(rows, seed))


def _counts(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    many, count = rows.shape
    places = rows + count * np.arange(many)[:, None]
    return np.bincount(places.ravel(), minlength=many * count).reshape(many, count)


def ends(values: Floats) -> Ends:
    """From the 2.5th to the 97.5th percentile."""
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


def ratio_interval(metric: Metric, statistics: Floats, baseline: Floats, seed: int = 0) -> Ends | None:
    """95 % interval of a model's metric as a share of the baseline's.

    Example: a model that answers every row as the baseline does has the interval (1, 1).

    Args:
        statistics, baseline: (rows, numbers) of both models.

    Returns:
        None where the baseline's metric is not above 0 in some draw, so that a share of it means nothing.
    """
    below = resampled(metric, baseline, seed)
    return ends(resampled(metric, statistics, seed) / below) if (below > 0).all() else None
