"""Appraisal: what a model's scores of the report rows say of it: its metric, what it keeps, its weakest class.

`advise run` reports these numbers and `advise gate` computes them again from the recorded scores, by the same code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from advisor.compute.tasks import chance
from advisor.compute.tasks.metrics import by_name, ratio_interval, value
from advisor.facts.tasks import Metric
from advisor.records.results import NO_BASELINE, Measured

NO_CONSTANT = "answers that are all alike have no correlation, so there is no constant answer to compare with"
NO_CLASSES = "a regression has no classes"


class Rows(NamedTuple):
    """The report rows. labels: (rows). metrics: the one that counts first. names: of the labels. seed: of bootstrap."""

    labels: Sequence[float]
    metrics: Sequence[Metric]
    names: Sequence[str]
    seed: int = 0

    @property
    def metric(self) -> Metric:
        return self.metrics[0]


class Appraisal(NamedTuple):
    """The numbers of one model, as a report's step names them."""

    accuracy: float
    metrics: Mapping[str, float]
    relative_accuracy: Measured
    above_constant: Measured
    kept_beyond_chance: Measured
    worst_class_recall: Measured


def appraise(rows: Rows, scores: ArrayLike, baseline: ArrayLike | None, is_baseline: bool = False) -> Appraisal:
    """Appraise a model.

    Args:
        scores: (rows, labels). baseline: the fine-tuned model's; None where the recipe has none.
    """
    found = by_name(rows.metrics, rows.labels, scores)
    constant = chance.best_constant(rows.metric, rows.labels, _width(scores))
    base = None if is_baseline else baseline
    return Appraisal(
        found[rows.metric],
        found,
        Measured(1.0) if is_baseline else _relative(rows, scores, base),
        _above_constant(rows, scores, constant),
        Measured(1.0) if is_baseline and constant else _kept_beyond_chance(rows, scores, base, constant),
        _worst_class(rows, scores),
    )


def _width(scores: ArrayLike) -> int:
    return int(np.asarray(scores).shape[1])


def _relative(rows: Rows, scores: ArrayLike, baseline: ArrayLike | None) -> Measured:
    """The metric as a share of the baseline's on the same rows."""
    if baseline is None:
        return Measured(why_not=NO_BASELINE)
    base = value(rows.metric, rows.labels, baseline)
    interval = ratio_interval(rows.metric, rows.labels, scores, baseline, rows.seed)
    if interval is None:
        why = f"the baseline's {rows.metric}, {base:.3g}, cannot be told apart from 0, so a share means nothing"
        return Measured(why_not=why)
    source = f"{rows.metric}, {_by_bootstrap(rows)}"
    return Measured(value(rows.metric, rows.labels, scores) / base, source=source, interval=interval)


def _above_constant(rows: Rows, scores: ArrayLike, constant: chance.Constant | None) -> Measured:
    if constant is None:
        return Measured(why_not=NO_CONSTANT)
    own = value(rows.metric, rows.labels, scores)
    source = (
        f"{rows.metric} {own:.4g} against {constant.value:.4g} for always answering {_name(rows, constant.label)!r}"
    )
    interval = chance.gain_interval(rows.metric, rows.labels, scores, constant, rows.seed)
    return Measured(own - constant.value, source=source, interval=interval)


def _kept_beyond_chance(
    rows: Rows, scores: ArrayLike, baseline: ArrayLike | None, constant: chance.Constant | None
) -> Measured:
    if constant is None or baseline is None:
        return Measured(why_not=NO_BASELINE if constant else NO_CONSTANT)
    interval = chance.kept_interval(rows.metric, rows.labels, scores, baseline, constant, rows.seed)
    if interval is None:
        return Measured(why_not="the baseline cannot be told apart from a constant answer, so there is nothing to keep")
    own, base = (value(rows.metric, rows.labels, one) for one in (scores, baseline))
    source = f"{rows.metric} beyond always answering {_name(rows, constant.label)!r}, {_by_bootstrap(rows)}"
    return Measured((own - constant.value) / (base - constant.value), source=source, interval=interval)


def _worst_class(rows: Rows, scores: ArrayLike) -> Measured:
    if _width(scores) < 2:
        return Measured(why_not=NO_CLASSES)
    worst = chance.worst_class(rows.labels, scores)
    interval = chance.worst_class_interval(rows.labels, scores, rows.seed)
    return Measured(worst.value, source=f"{_name(rows, worst.label)!r}, {worst.rows:,} report rows", interval=interval)


def _by_bootstrap(rows: Rows) -> str:
    return f"{len(rows.labels):,} report rows, 95 % interval by paired bootstrap"


def _name(rows: Rows, label: int) -> str:
    return rows.names[label] if label < len(rows.names) else str(label)
