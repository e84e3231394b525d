"""Metrics of answers to labelled rows, and how sure a model's share of the baseline's is: paired bootstrap.

Single values come from scikit-learn and scipy. The bootstrap needs thousands of them and computes many draws at once
with its own formulas, which the tests compare with theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import pearsonr, rankdata, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from advisor.facts.tasks import Metric

Floats = NDArray[np.float64]
RESAMPLES = 2000
AT_ONCE = 2_000_000  # drawn rows in memory


def answers(scores: ArrayLike) -> Floats:
    """Answers: the label with the highest score, or the number itself if a row has one score.

    Args:
        scores: (rows, labels). Returns: (rows)
    """
    found = np.asarray(scores, dtype=np.float64)
    given: Floats = found[:, 0] if found.shape[1] == 1 else found.argmax(axis=1).astype(np.float64)
    return given


def value(metric: Metric, labels: ArrayLike, scores: ArrayLike) -> float:
    """One metric of a model's scores.

    F1 is that of label 1 where there are two, else the mean over all labels. A correlation with answers that are all
    alike is undefined; it counts as 0, as in scikit-learn for Matthews: such answers carry no information.

    Args:
        labels: (rows). scores: (rows, labels).
    """
    truth, given = np.asarray(labels, dtype=np.float64), answers(scores)
    if metric == "accuracy":
        return float(accuracy_score(truth, given))
    if metric == "f1":
        many = np.asarray(scores).shape[1]
        average = "binary" if many == 2 else "macro"
        return float(f1_score(truth, given, labels=range(many), average=average, zero_division=0))
    if min(np.ptp(truth), np.ptp(given)) == 0:
        return 0.0
    if metric == "matthews":
        return float(matthews_corrcoef(truth, given))
    return float((pearsonr if metric == "pearson" else spearmanr)(truth, given).statistic)


def ratio_interval(
    metric: Metric, labels: ArrayLike, scores: ArrayLike, baseline: ArrayLike, seed: int = 0
) -> tuple[float, float] | None:
    """95 % interval of a model's metric as a share of the baseline's, by bootstrap over the same rows for both.

    Rows are drawn with replacement `RESAMPLES` times; the interval reaches from the 2.5th to the 97.5th percentile of
    the ratios. Example: a model that answers every row as the baseline does has the interval (1, 1).

    Args:
        labels: (rows). scores, baseline: (rows, labels).

    Returns:
        None where the baseline's metric is not above 0 in some draw, so that a share of it means nothing.
    """
    many = np.asarray(scores).shape[1]
    truth, given, other = np.asarray(labels, dtype=np.float64), answers(scores), answers(baseline)
    ratios = []
    for rows in draws(len(truth), seed):
        below = drawn(metric, truth[rows], other[rows], many)
        if not (below > 0).all():
            return None
        ratios.append(drawn(metric, truth[rows], given[rows], many) / below)
    low, high = np.percentile(np.concatenate(ratios), (2.5, 97.5))
    return float(low), float(high)


def draws(rows: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Row numbers, (draws, rows), as many draws at once as memory is meant to hold."""
    random = np.random.default_rng(seed)
    left = RESAMPLES
    while left:
        some = min(left, max(1, AT_ONCE // rows))
        yield random.integers(rows, size=(some, rows))
        left -= some


def drawn(metric: Metric, labels: Floats, given: Floats, many: int) -> Floats:
    """The metric of each draw: (draws). labels, given: (draws, rows); many: how many labels there are."""
    if metric == "accuracy":
        shares: Floats = (labels == given).mean(axis=1)
        return shares
    if metric == "pearson":
        return _correlation(labels, given)
    if metric == "spearman":
        return _correlation(rankdata(labels, axis=1), rankdata(given, axis=1))
    table = _confusion(labels, given, many)
    return _f1(table) if metric == "f1" else _matthews(table)


def _correlation(one: Floats, other: Floats) -> Floats:
    one, other = (values - values.mean(axis=1, keepdims=True) for values in (one, other))
    spread = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    return _over((one * other).sum(axis=1), spread)


def _confusion(labels: Floats, given: Floats, many: int) -> Floats:
    """Counts (draws, label, answer)."""
    count = len(labels)
    codes = (labels * many + given).astype(np.int64) + np.arange(count)[:, None] * many**2
    return np.bincount(codes.ravel(), minlength=count * many**2).reshape(count, many, many).astype(np.float64)


def _f1(table: Floats) -> Floats:
    right = np.diagonal(table, axis1=1, axis2=2)  # (draws, labels)
    each = _over(2 * right, table.sum(axis=1) + table.sum(axis=2))
    return each[:, 1] if table.shape[1] == 2 else np.asarray(each.mean(axis=1))


def _matthews(table: Floats) -> Floats:
    """For any number of labels (Gorodkin 2004); for two it is Matthews' own."""
    rows, right = table.sum(axis=(1, 2)), np.trace(table, axis1=1, axis2=2)
    given, true = table.sum(axis=1), table.sum(axis=2)
    covered = right * rows - (given * true).sum(axis=1)
    spread = np.sqrt((rows**2 - (given**2).sum(axis=1)) * (rows**2 - (true**2).sum(axis=1)))
    return _over(covered, spread)


def _over(above: Floats, below: Floats) -> Floats:
    """The quotient; 0 where it is 0 / 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def by_name(metrics: Sequence[Metric], labels: ArrayLike, scores: ArrayLike) -> dict[str, float]:
    """Each metric by its name."""
    return {metric: value(metric, labels, scores) for metric in metrics}
