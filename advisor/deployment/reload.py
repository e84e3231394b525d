"""Load what is to be shipped, for real, and ask it again what it was asked when it was measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from advisor.base.errors import AdviseError
from advisor.deployment.rules import LOADS, finding
from advisor.records.results import RunResult, StepResult
from advisor.records.run_folder import AGAIN, ANSWERS, read_json
from advisor.review.findings import Finding
from advisor.runs.predictor import Prediction, load

# Mean difference of class probabilities, or of numbers. int8 kernels differ from CPU to CPU, and its activations are
# scaled by the rows of a batch (see steps.quantization.MOST_DIFFERENCE); fp32 differs by rounding.
MOST = {"checkpoint": 1e-3}
MOST_INT8 = 0.05
Table = Sequence[Sequence[float]]


def loads(out: Path, result: RunResult) -> Iterator[Finding]:
    """The last model of the run gives the recorded answers."""
    last = result.steps[-1]
    try:
        texts, pairs, before = _recorded(out / ANSWERS, last.name)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        yield finding(LOADS, f"{ANSWERS} cannot be used: {type(error).__name__} {error}", out / ANSWERS, AGAIN)
        return
    try:
        now = [said(one) for one in load(out, step=last.name)(texts, pairs)]
    except AdviseError as error:
        why = "; ".join(f"{fault.file} {fault.message}".strip() for fault in error.faults)
        yield finding(LOADS, f"{last.words} cannot be loaded: {why}", out / last.path, AGAIN)
        return
    yield from _compared(out, last, before, now)


def _recorded(file: Path, step: str) -> tuple[list[str], list[str] | None, list[list[float]]]:
    """Texts, pairs if there are any, and the model's answers to them."""
    value = read_json(file)
    rows, scores = value["rows"], value["scores"][step]
    if not rows or len(rows) != len(scores):
        raise ValueError("no answers of this model are recorded")
    pairs = [str(row["pair"]) for row in rows] if rows[0]["pair"] is not None else None
    return [str(row["text"]) for row in rows], pairs, [shares([float(one) for one in row]) for row in scores]


def said(answer: Prediction) -> list[float]:
    """Class probabilities in the order of the labels; of a regression its number."""
    return list(answer.probabilities.values()) if answer.value is None else [answer.value]


def shares(scores: Sequence[float]) -> list[float]:
    """Scores as probabilities; of a regression its number."""
    if len(scores) == 1:
        return list(scores)
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    return [power / sum(powers) for power in powers]


def _compared(out: Path, last: StepResult, before: Table, now: Table) -> Iterator[Finding]:
    if [len(row) for row in before] != [len(row) for row in now]:
        yield finding(LOADS, f"{last.words} answers with another number of labels than recorded", out / ANSWERS, AGAIN)
        return
    difference = mean_difference(before, now)
    most = noise(last.artefact.kind if last.artefact else "checkpoint")
    if not difference <= most:
        what = f"{last.words} does not give the recorded answers: the mean difference is {difference:.2g}"
        yield finding(LOADS, f"{what}, {most:g} is noise", out / ANSWERS, AGAIN)


def noise(kind: str) -> float:
    """The mean difference that an artefact of this kind may show on another machine."""
    return MOST.get(kind, MOST_INT8)


def mean_difference(before: Table, now: Table) -> float:
    """Mean absolute difference of two tables of one shape."""
    values = [abs(one - other) for pair in zip(before, now, strict=True) for one, other in zip(*pair, strict=True)]
    return sum(values) / len(values)
