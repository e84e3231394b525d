"""Rescoring: every model of a run answers all report rows again, and is judged by what it answers now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.base.errors import AdviseError
from advisor.deployment.recomputation import Predictions, Scores
from advisor.deployment.reload import noise
from advisor.deployment.rules import LOADS, RECOMPUTED, finding
from advisor.records.results import RunResult
from advisor.records.run_folder import AGAIN, PREDICTIONS
from advisor.review.findings import Finding
from advisor.runs.predictor import load

if TYPE_CHECKING:
    from advisor.compute.data.labels import Rows


def rescored(out: Path, result: RunResult, given: Predictions, rows: Rows) -> tuple[Predictions, list[Finding]]:
    """What the models answer now, and where that is not what is recorded."""
    now: dict[str, Scores] = {}
    found: list[Finding] = []
    for step in result.steps:
        try:
            model = load(out, step=step.name)
            now[step.name] = model.table(rows)
        except AdviseError as error:
            why = "; ".join(f"{fault.file} {fault.message}".strip() for fault in error.faults)
            found.append(finding(LOADS, f"{step.words} cannot be loaded: {why}", out / step.path, AGAIN))
            return given, found
        kind = step.artefact.kind if step.artefact else "checkpoint"
        found += _compared(out, step.words, model.task, given.scores[step.name], now[step.name], noise(kind))
    return given._replace(scores=now), found


def _compared(out: Path, words: str, task: Any, before: Scores, now: Scores, most: float) -> Iterator[Finding]:
    if [len(row) for row in before] != [len(row) for row in now]:
        yield finding(RECOMPUTED, f"{words} now gives another number of scores than recorded", out / PREDICTIONS, AGAIN)
        return
    apart = task.apart(before, now)
    if not apart.mean <= most or apart.others:
        many = f"{apart.others:,} of {len(now):,} rows have other answers, and " if apart.others else ""
        what = f"{words} does not give the recorded predictions: {many}the mean difference is {apart.mean:.2g}"
        yield finding(RECOMPUTED, f"{what}, {most:g} is noise", out / PREDICTIONS, AGAIN)
