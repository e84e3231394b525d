"""Appraisal: what a model's answers to the report rows say of it: its metric, what it keeps, its weakest class.

`advise run` reports these numbers and `advise gate` computes them again from the recorded answers, by the same code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from numpy.typing import ArrayLike

from advisor.compute.tasks import chance
from advisor.compute.tasks.bootstrap import ratio_interval
from advisor.compute.tasks.metrics import Floats, value
from advisor.compute.tasks.task import Task
from advisor.facts.tasks import Metric
from advisor.records.results import NO_BASELINE, Measured

NO_CLASSES = "the task has no classes"


class Rows(NamedTuple):
    """The rows that models are judged on. labels: (rows). metrics: the one that counts first. seed: of the bootstrap.

    kind: `report`, or `selection` while a search lasts.
    """

    task: Task
    labels: Sequence[Any]
    metrics: Sequence[Metric]
    seed: int = 0
    kind: str = "report"

    @property
    def metric(self) -> Metric:
        return self.metrics[0]

    def statistics(self, table: ArrayLike) -> Floats:
        """(rows, numbers) of the metric that counts."""
        return self.task.statistics(self.metric, self.labels, table)

    def constant(self, table: ArrayLike) -> chance.Constant | None:
        """The best constant answer. table: (rows, numbers), as recorded of any model."""
        tables = self.task.constants(self.metric, self.labels, table)
        return chance.best_constant(self.metric, self.statistics, tables)


class Appraisal(NamedTuple):
    """The numbers of one model, as a report's step names them."""

    accuracy: float
    metrics: Mapping[str, float]
    relative_accuracy: Measured
    above_constant: Measured
    kept_beyond_chance: Measured
    worst_class_recall: Measured


def appraise(rows: Rows, table: ArrayLike, baseline: ArrayLike | None, is_baseline: bool = False) -> Appraisal:
    """Appraise a model.

    Args:
        table: (rows, numbers), as its task records answers. baseline: the fine-tuned model's; None where the recipe has
            none.
    """
    found: dict[str, float] = {one: value(one, rows.task.statistics(one, rows.labels, table)) for one in rows.metrics}
    own = rows.statistics(table)
    base = None if is_baseline or baseline is None else rows.statistics(baseline)
    constant = rows.constant(table)
    return Appraisal(
        found[rows.metric],
        found,
        Measured(1.0) if is_baseline else _relative(rows, own, base),
        _above_constant(rows, own, constant),
        Measured(1.0) if is_baseline and constant else _kept_beyond_chance(rows, own, base, constant),
        _worst_class(rows, table),
    )


def _relative(rows: Rows, own: Floats, base: Floats | None) -> Measured:
    """The metric as a share of the baseline's on the same rows."""
    if base is None:
        return Measured(why_not=NO_BASELINE)
    below = value(rows.metric, base)
    interval = ratio_interval(rows.metric, own, base, rows.seed)
    if interval is None:
        why = f"the baseline's {rows.metric}, {below:.3g}, cannot be told apart from 0, so a share means nothing"
        return Measured(why_not=why)
    source = f"{rows.metric}, {_by_bootstrap(rows)}"
    return Measured(value(rows.metric, own) / below, source=source, interval=interval)


def _above_constant(rows: Rows, own: Floats, constant: chance.Constant | None) -> Measured:
    if constant is None:
        return Measured(why_not=rows.task.why_no_constant)
    reached = value(rows.metric, own)
    source = f"{rows.metric} {reached:.4g} against {constant.value:.4g} for {rows.task.constant(constant.label)}"
    interval = chance.gain_interval(rows.metric, own, constant, rows.seed)
    return Measured(reached - constant.value, source=source, interval=interval)


def _kept_beyond_chance(rows: Rows, own: Floats, base: Floats | None, constant: chance.Constant | None) -> Measured:
    if constant is None or base is None:
        return Measured(why_not=NO_BASELINE if constant else rows.task.why_no_constant)
    interval = chance.kept_interval(rows.metric, own, base, constant, rows.seed)
    if interval is None:
        return Measured(why_not="the baseline cannot be told apart from a constant answer, so there is nothing to keep")
    above, below = (value(rows.metric, one) - constant.value for one in (own, base))
    source = f"{rows.metric} beyond {rows.task.constant(constant.label)}, {_by_bootstrap(rows)}"
    return Measured(above / below, source=source, interval=interval)


def _worst_class(rows: Rows, table: ArrayLike) -> Measured:
    found = rows.task.answered(rows.labels, table)
    if found is None:
        return Measured(why_not=NO_CLASSES)
    worst = chance.worst_class(*found)
    interval = chance.worst_class_interval(*found, rows.seed)
    source = f"{_name(rows, worst.label)!r}, {worst.rows:,} {rows.kind} rows"
    return Measured(worst.value, source=source, interval=interval)


def _by_bootstrap(rows: Rows) -> str:
    return f"{len(rows.labels):,} {rows.kind} rows, 95 % interval by paired bootstrap"


def _name(rows: Rows, label: int) -> str:
    return rows.task.names[label] if label < len(rows.task.names) else str(label)
