"""Metrics as functions of sums over rows, so that one paired bootstrap serves them all (`bootstrap`).

A task turns each row into a few numbers, its statistics; a metric is computed from their sums. Spearman's correlation
is no such function: it ranks the rows that were drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

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


def f1_of_rows(right: Floats, given: Floats, wanted: Floats) -> Floats:
    """F1 of each row, all (rows); 1 where nothing was wanted and nothing given."""
    return np.where(given + wanted > 0, over(2 * right, given + wanted), 1.0)


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
    from scipy.stats import rankdata  # takes a second to import, which most runs do without

    ranks = rankdata(rows, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    one, other = ranks[..., 0], ranks[..., 1]
    return over((one * other).sum(axis=1), np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1)))


def _bits_per_byte(sums: Floats) -> Floats:
    """Of (bits, bytes)."""
    return over(sums[..., 0], sums[..., 1])


def _bits_saved(sums: Floats) -> Floats:
    """Of (bits, bytes): what is saved of the 8 bits of a byte that nobody predicts."""
    return 8 - _bits_per_byte(sums)


def _bleu(sums: Floats) -> Floats:
    """Of (words written, words of the references, agreeing n-grams of 1 to 4 words, all n-grams of 1 to 4 words).

    With sacrebleu's exponential smoothing: the k-th order of which no n-gram agrees counts as 1 / 2^k of one.
    """
    written, wanted, right, all_ = sums[..., 0], sums[..., 1], sums[..., 2:6], sums[..., 6:10]
    none = (right == 0) & (all_ > 0)
    shares = over(np.where(none, 0.5 ** np.cumsum(none, axis=-1), right), all_)
    brevity = np.exp(np.minimum(0.0, 1 - over(wanted, np.maximum(written, 1))))
    agree = (shares > 0).all(axis=-1) & (right > 0).any(axis=-1)
    mean: Floats = np.exp(np.log(np.where(shares > 0, shares, 1.0)).mean(axis=-1))
    return np.where(agree, 100 * brevity * mean, 0.0)


def _chrf(sums: Floats) -> Floats:
    """Of (written, of the references, agreeing) n-grams of 1 to 6 characters: the mean precision and recall as F2."""
    written, wanted, right = np.moveaxis(sums.reshape(*sums.shape[:-1], 6, 3), -1, 0)
    both = (written > 0) & (wanted > 0)
    orders = both.sum(axis=-1)
    precision, recall = (over((over(right, some) * both).sum(axis=-1), orders) for some in (written, wanted))
    return 100 * over(5 * precision * recall, 4 * precision + recall)


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


def _word_accuracy(sums: Floats) -> Floats:
    """Of (errors, words): 1 - WER, below 0 where there are more errors than words."""
    return 1 - over(sums[..., 0], sums[..., 1])


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
    "bits_per_byte": _bits_per_byte,
    "bits_saved_per_byte": _bits_saved,
    **dict.fromkeys(("rouge_1", "rouge_2", "rouge_l", "length_ratio"), _share),
    "bleu": _bleu,
    "word_accuracy": _word_accuracy,
    "chrf": _chrf,
}
OF_ROWS: Mapping[str, OfSums] = {"spearman": _spearman}  # (draws, rows, numbers) to (draws)
