"""Load what is to be shipped, for real, and ask it again what it was asked when it was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.errors import AdviseError
from advisor.deployment.rules import LOADS, finding
from advisor.records.results import RunResult
from advisor.records.run_folder import AGAIN, ANSWERS, given_text, read_json
from advisor.review.findings import Finding
from advisor.runs.predictor import load

if TYPE_CHECKING:
    from advisor.compute.data.labels import Rows

# Mean difference of class probabilities, or of numbers. int8 kernels differ from CPU to CPU, and its activations are
# scaled by the rows of a batch (see steps.quantization.MOST_DIFFERENCE); fp32 differs by rounding.
MOST = {"checkpoint": 1e-3}
MOST_INT8 = 0.05
Table = Sequence[Sequence[float]]


def loads(out: Path, result: RunResult) -> Iterator[Finding]:
    """The last model of the run gives the recorded answers."""
    last = result.steps[-1]
    try:
        rows, before = _recorded(out / ANSWERS, last.name)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        yield finding(LOADS, f"{ANSWERS} cannot be used: {type(error).__name__} {error}", out / ANSWERS, AGAIN)
        return
    try:
        model = load(out, step=last.name)
        now = model.table(rows)
    except AdviseError as error:
        why = "; ".join(f"{fault.file} {fault.message}".strip() for fault in error.faults)
        yield finding(LOADS, f"{last.words} cannot be loaded: {why}", out / last.path, AGAIN)
        return
    if _shape(before) != _shape(now):
        yield finding(LOADS, f"{last.words} answers with another number of labels than recorded", out / ANSWERS, AGAIN)
        return
    difference = model.task.apart(before, now).mean
    most = noise(last.artefact.kind if last.artefact else "checkpoint")
    if not difference <= most:
        what = f"{last.words} does not give the recorded answers: the mean difference is {difference:.2g}"
        yield finding(LOADS, f"{what}, {most:g} is noise", out / ANSWERS, AGAIN)


def _recorded(file: Path, step: str) -> tuple[Rows, list[list[float]]]:
    """The rows, and what the model did on them."""
    from advisor.compute.data.labels import Rows

    value = read_json(file)
    rows, scores = value["rows"], value["scores"][step]
    if not rows or len(rows) != len(scores):
        raise ValueError("no answers of this model are recorded")
    pairs = tuple(row["pair"] for row in rows) if rows[0]["pair"] is not None else None
    # Older runs keep no labels here, which a score for each label does not need.
    labels = tuple(row.get("label", 0) for row in rows)
    found = [[float(one) for one in row] for row in scores]
    return Rows(tuple(given_text(row["text"]) for row in rows), pairs, labels), found


def _shape(table: Table) -> list[int]:
    return [len(row) for row in table]


def noise(kind: str) -> float:
    """The mean difference that an artefact of this kind may show on another machine."""
    return MOST.get(kind, MOST_INT8)
