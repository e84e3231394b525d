"""Rescoring: every model of a run answers all report rows again, and is judged by what it answers now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.errors import AdviseError
from advisor.deployment.recomputation import Predictions, Scores
from advisor.deployment.reload import mean_difference, noise, said, shares
from advisor.deployment.rules import LOADS, RECOMPUTED, finding
from advisor.records.results import RunResult
from advisor.records.run_folder import AGAIN, PREDICTIONS
from advisor.review.findings import Finding
from advisor.runs.predictor import load

if TYPE_CHECKING:
    from advisor.compute.data.labels import Rows

FAR = 0.5  # by which no kernel's rounding moves a probability


def rescored(out: Path, result: RunResult, given: Predictions, rows: Rows) -> tuple[Predictions, list[Finding]]:
    """What the models answer now, and where that is not what is recorded."""
    now: dict[str, Scores] = {}
    found: list[Finding] = []
    for step in result.steps:
        try:
            answers = load(out, step=step.name)(rows.texts, rows.pairs)
        except AdviseError as error:
            why = "; ".join(f"{fault.file} {fault.message}".strip() for fault in error.faults)
            found.append(finding(LOADS, f"{step.words} cannot be loaded: {why}", out / step.path, AGAIN))
            return given, found
        now[step.name] = [said(one) for one in answers]
        before = [shares(row) for row in given.scores[step.name]]
        kind = step.artefact.kind if step.artefact else "checkpoint"
        found += _compared(out, step.words, before, now[step.name], noise(kind))
    return Predictions(given.labels, now, given.rows_sha256), found


def _compared(out: Path, words: str, before: Scores, now: Scores, most: float) -> Iterator[Finding]:
    if [len(row) for row in before] != [len(row) for row in now]:
        yield finding(RECOMPUTED, f"{words} now gives another number of scores than recorded", out / PREDICTIONS, AGAIN)
        return
    difference, other = mean_difference(before, now), _others(before, now)
    if not difference <= most or other:
        many = f"{other:,} of {len(now):,} rows have other answers, and " if other else ""
        what = f"{words} does not give the recorded predictions: {many}the mean difference is {difference:.2g}"
        yield finding(RECOMPUTED, f"{what}, {most:g} is noise", out / PREDICTIONS, AGAIN)


def _others(before: Scores, now: Scores) -> int:
    """Rows in which a probability is far from the recorded one."""
    return sum(len(one) > 1 and _farthest(one, other) > FAR for one, other in zip(before, now, strict=True))


def _farthest(one: Sequence[float], other: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))
