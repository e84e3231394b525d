"""Balance: do the labels make a constant answer look good, and which metric sees through it?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from advisor.compute.tasks import classes
from advisor.compute.tasks.chance import best_constant
from advisor.facts.tasks import Metric

GOOD = 0.75  # a constant answer that scores so high leaves a gate on relative accuracy little to verify
UNBIASED = "matthews"  # 0 for every constant answer, whatever the labels


def imbalance(metric: Metric, labels: Sequence[float], names: Sequence[str]) -> str:
    """A warning where always giving one answer scores high; empty where it does not.

    Args:
        labels: (rows), of the report rows. names: of the labels.
    """
    if metric not in classes.OF_CLASSES:
        return ""
    tables = classes.constants(metric, len(labels), len(names))
    constant = best_constant(metric, partial(classes.statistics, metric, labels), tables)
    if constant is None or constant.value < GOOD:
        return ""
    share = sum(label == constant.label for label in labels) / len(labels)
    return (
        f"the labels are imbalanced: {names[constant.label]!r} has {share:.1%} of the report rows, so that always "
        f"answering it scores {metric} {constant.value:.3f}; judge by Matthews correlation, "
        f'`data: {{metric: {UNBIASED}}}`, or add `gates: {{kept_beyond_chance: ">= 0.9"}}`'
    )
