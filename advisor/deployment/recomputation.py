"""Do the reported numbers follow from the recorded predictions? Score, share of the baseline and interval again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.deployment.integrity import AGAIN
from advisor.deployment.rules import RECOMPUTED, finding
from advisor.records.results import RunResult
from advisor.records.run_folder import PREDICTIONS
from advisor.review.findings import Finding

SAME = 1e-6  # reports are computed from the very digits that are recorded
Rows = Sequence[Sequence[float]]


class Predictions(NamedTuple):
    """labels: (rows). scores: by step name, (rows, labels)."""

    labels: Sequence[float]
    scores: Mapping[str, Rows]


def read(out: Path, result: RunResult) -> Predictions:
    """The recorded predictions of every step.

    Raises:
        AdviseError: they are missing, of another shape, or of another number of rows than the report says.
    """
    file = out / PREDICTIONS
    try:
        value: Any = json.loads(file.read_bytes())
        found = Predictions(_floats(value["labels"]), {name: _table(rows) for name, rows in value["scores"].items()})
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise AdviseError(Fault(f"cannot be used: {type(error).__name__} {error}", str(file), hint=AGAIN)) from None
    sizes = {name: len(rows) for name, rows in found.scores.items()}
    wanted = {step.name: result.eval_samples for step in result.steps}
    if sizes != wanted or len(found.labels) != result.eval_samples:
        told = f"holds the rows {sizes} and {len(found.labels)} labels, the report tells of {wanted}"
        raise AdviseError(Fault(told, str(file), hint=AGAIN))
    return found


def _floats(values: Any) -> list[float]:
    found = [float(value) for value in values]
    if not all(map(math.isfinite, found)):
        raise ValueError("a number is not finite")
    return found


def _table(rows: Any) -> list[list[float]]:
    found = [_floats(row) for row in rows]
    if len({len(row) for row in found}) > 1 or not all(found):
        raise ValueError("rows have different numbers of scores")
    return found


def follows(out: Path, result: RunResult) -> Iterator[Finding]:
    """Every step's score, and the last model's share of the baseline with its interval.

    Raises:
        AdviseError: as `read`.
    """
    from advisor.compute.tasks.metrics import ratio_interval, value

    found = read(out, result)
    told = []
    for step in result.steps:
        score = value(step.metric, found.labels, found.scores[step.name])  # type: ignore[arg-type]
        told += _differs(f"{step.words}: {step.metric}", step.accuracy, score)
    first, last = result.steps[0], result.steps[-1]
    if first.name == "finetune" and first.accuracy:
        told += _differs("relative accuracy", last.relative_accuracy.value, last.accuracy / first.accuracy)
    if last.relative_accuracy.interval and last is not first:
        scores = found.scores
        seed = int(result.provenance.get("seed", 0))
        pair = scores[last.name], scores[first.name]
        ends = ratio_interval(last.metric, found.labels, *pair, seed)  # type: ignore[arg-type]
        for name, reported, again in zip(("lower", "upper"), last.relative_accuracy.interval, ends or (), strict=False):
            told += _differs(f"the {name} end of its interval", reported, again)
    for one in told:
        yield finding(RECOMPUTED, one, out / PREDICTIONS, AGAIN)


def _differs(what: str, reported: float | None, again: float) -> list[str]:
    if reported is not None and abs(reported - again) <= SAME:
        return []
    return [f"{what} is reported as {reported}, the recorded predictions give {again:.6g}"]
