"""Load what is to be shipped, for real, and ask it again what it was asked when it was measured."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from advisor.base.errors import AdviseError
from advisor.deployment.integrity import AGAIN
from advisor.deployment.rules import LOADS, finding
from advisor.records.results import RunResult, StepResult
from advisor.records.run_folder import ANSWERS
from advisor.review.findings import Finding
from advisor.runs.predictor import Prediction, load

# Mean difference of class probabilities, or of numbers. int8 kernels differ from CPU to CPU, and its activations are
# scaled by the rows of a batch (see steps.quantization.MOST_DIFFERENCE); fp32 differs by rounding.
MOST = {"checkpoint": 1e-3}
MOST_INT8 = 0.05


def loads(out: Path, result: RunResult) -> Iterator[Finding]:
    """The last model of the run answers the recorded rows as it did."""
    last = result.steps[-1]
    try:
        texts, pairs, before = _recorded(out / ANSWERS, last.name)
    except (OSError, ValueError, LookupError, TypeError) as error:
        yield finding(LOADS, f"{ANSWERS} cannot be used: {type(error).__name__} {error}", out / ANSWERS, AGAIN)
        return
    try:
        now = [_said(one) for one in load(out, step=last.name)(texts, pairs)]
    except AdviseError as error:
        told = "; ".join(f"{fault.file} {fault.message}".strip() for fault in error.faults)
        yield finding(LOADS, f"{last.words} cannot be loaded: {told}", out / last.path, AGAIN)
        return
    yield from _compared(out, last, before, now)


def _recorded(file: Path, step: str) -> tuple[list[str], list[str] | None, list[list[float]]]:
    """Texts, pairs if there are any, and what the model said of them."""
    value = json.loads(file.read_bytes())
    rows, scores = value["rows"], value["scores"][step]
    if not rows or len(rows) != len(scores):
        raise ValueError("no answers of this model are recorded")
    pairs = [str(row["pair"]) for row in rows] if rows[0]["pair"] is not None else None
    said = [[float(one) for one in row] for row in scores]
    return [str(row["text"]) for row in rows], pairs, [row if len(row) == 1 else _softmax(row) for row in said]


def _said(answer: Prediction) -> list[float]:
    """Class probabilities in the order of the labels; of a regression its number."""
    return list(answer.probabilities.values()) if answer.value is None else [answer.value]


def _compared(
    out: Path, last: StepResult, before: Sequence[Sequence[float]], now: Sequence[Sequence[float]]
) -> Iterator[Finding]:
    if [len(row) for row in before] != [len(row) for row in now]:
        yield finding(LOADS, f"{last.words} answers with another number of labels than recorded", out / ANSWERS, AGAIN)
        return
    values = [(one, other) for pair in zip(before, now, strict=True) for one, other in zip(*pair, strict=True)]
    difference = sum(abs(one - other) for one, other in values) / len(values)
    most = MOST.get(last.artefact.kind if last.artefact else "checkpoint", MOST_INT8)
    if not difference <= most:
        told = f"{last.words} answers otherwise than recorded: by {difference:.2g} on average, {most:g} is noise"
        yield finding(LOADS, told, out / ANSWERS, AGAIN)


def _softmax(scores: Sequence[float]) -> list[float]:
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    return [power / sum(powers) for power in powers]
