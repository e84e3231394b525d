"""Do the reported numbers follow from what is in the folder? Metrics, shares and gates from the predictions, sizes from
the files, parameters from the plan. The gate judges the numbers computed here, not those that the report claims."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.deployment.gates import judge
from advisor.deployment.rules import RECOMPUTED, finding
from advisor.facts.tasks import problem_of
from advisor.recipe.plan import Plan
from advisor.recipe.recipe import Recipe
from advisor.records.results import CONSTANT_GATES, WITH_CONSTANTS, WITH_DIAGNOSTICS, Measured, RunResult, StepResult
from advisor.records.run_folder import AGAIN, ANSWERS, PREDICTIONS, REPORT, inside, read_json
from advisor.review.findings import Finding

SAME = 1e-6  # reports are computed from the very digits that are recorded
FROM_ROWS = ("relative_accuracy", "above_constant", "kept_beyond_chance", "worst_class_recall")
SINCE_2 = FROM_ROWS[1:]  # a report of version 1 has no such numbers
Scores = Sequence[Sequence[float]]


class Predictions(NamedTuple):
    """labels: (rows). scores: by step name, (rows, numbers). rows_sha256: of texts and labels.

    of_labels: the numbers are a score for each label; else they are what the task records, and labels are all 0.
    ids: of the rows; empty in folders of before.
    """

    labels: Sequence[float]
    scores: Mapping[str, Scores]
    rows_sha256: str = ""
    of_labels: bool = True
    ids: tuple[str, ...] = ()


def read(out: Path, result: RunResult) -> Predictions:
    """The recorded predictions of every step.

    Raises:
        AdviseError: they are missing, of another shape, or of another number of rows than the report says.
    """
    file = out / PREDICTIONS
    value = read_json(file)
    try:
        scores = {name: _table(rows) for name, rows in value["scores"].items()}
        of_labels = "labels" in value
        labels = _floats(value["labels"] if of_labels else [0.0] * result.eval_samples)
        ids = tuple(map(str, value.get("ids", ())))
        found = Predictions(labels, scores, str(value.get("rows_sha256") or ""), of_labels, ids)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise AdviseError(Fault(f"cannot be used: {type(error).__name__} {error}", str(file), hint=AGAIN)) from None
    sizes = {name: len(rows) for name, rows in found.scores.items()}
    wanted = {step.name: result.eval_samples for step in result.steps}
    widths = {len(rows[0]) for rows in found.scores.values() if rows}
    if sizes != wanted or len(found.labels) != result.eval_samples or len(widths) != 1:
        said = f"holds the rows {sizes} and {len(found.labels)} labels, the report says {wanted}"
        raise AdviseError(Fault(said, str(file), hint=AGAIN))
    _refuse_no_class(found, widths.pop(), file)
    return found


def _refuse_no_class(found: Predictions, width: int, file: Path) -> None:
    if width > 1 and not set(found.labels) <= set(map(float, range(width))):
        raise AdviseError(Fault(f"labels: expected numbers from 0 to {width - 1}", str(file), hint=AGAIN))


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


def recomputed(out: Path, result: RunResult, recipe: Recipe, given: Predictions, names: Sequence[str]) -> RunResult:
    """The result with every number that the folder itself shows computed again, its gates judged again.

    Args:
        given: the recorded predictions, or those of the models now. names: of the labels.
    """
    from advisor.compute.structure.checkpoint import size_bytes
    from advisor.compute.tasks.appraisal import Rows, appraise
    from advisor.compute.tasks.diagnostics import by_class, confusion
    from advisor.compute.tasks.registry import task_of

    steps: list[StepResult] = []
    for step in result.steps:
        metrics = (step.metric, *(name for name in step.metrics if name != step.metric))
        task = task_of(result.task, names, problem_of(step.metric))
        rows = Rows(task, given.labels, metrics, recipe.training.seed)  # type: ignore[arg-type]
        found = appraise(rows, given.scores[step.name], given.scores.get("finetune"), step.name == "finetune")
        folder = out / step.path
        size = size_bytes(folder) if inside(step.path) and folder.is_dir() else step.size_bytes
        baseline = next((one.size_bytes for one in steps if one.name == "finetune"), size)
        share = size / baseline if baseline else step.relative_size
        table = given.scores[step.name]
        shown = replace(step.diagnostics, classes=by_class(rows, table), confusion=confusion(rows, table))
        steps.append(replace(step, **found._asdict(), size_bytes=size, relative_size=share, diagnostics=shown))
    return replace(result, steps=tuple(steps), gates=judge(recipe, steps, result.eval_samples))


def differences(out: Path, result: RunResult, again: RunResult, plan: Plan | None) -> Iterator[Finding]:
    """Where the report says something else than the folder shows."""
    said = [
        *(one for pair in zip(result.steps, again.steps, strict=True) for one in _of_step(*pair, result.version)),
        *_parameters(result, plan),
        *_gates(result, again),
    ]
    for one in said:
        yield finding(RECOMPUTED, one, out / REPORT, AGAIN)


def same_answers(out: Path, given: Predictions) -> Iterator[Finding]:
    """The few answers that are kept with their texts are the first of the predictions."""
    value = read_json(out / ANSWERS)
    scores = value.get("scores") if isinstance(value, dict) else None
    for name, rows in given.scores.items():
        some = scores.get(name) if isinstance(scores, dict) else None
        if not isinstance(some, list) or not some or some != [list(row) for row in rows[: len(some)]]:
            yield finding(RECOMPUTED, f"the answers of {name} are not those in {PREDICTIONS}", out / ANSWERS, AGAIN)


def _of_step(step: StepResult, again: StepResult, version: int) -> Iterator[str]:
    yield from _differs(f"{step.words}: {step.metric}", step.accuracy, again.accuracy)
    for name, found in again.metrics.items():
        if name != step.metric:
            yield from _differs(f"{step.words}: {name}", step.metrics.get(name), found)
    for name in FROM_ROWS:
        if version >= WITH_CONSTANTS or name not in SINCE_2:
            yield from _measured(f"{step.words}: {name.replace('_', ' ')}", getattr(step, name), getattr(again, name))
    own, its = step.diagnostics, again.diagnostics
    if version >= WITH_DIAGNOSTICS and (own.classes, own.confusion) != (its.classes, its.confusion):
        yield f"{step.words}: what is reported of its classes does not follow from the recorded predictions"
    if step.size_bytes != again.size_bytes:
        yield f"{step.words}: the size is reported as {step.size_bytes:,} bytes, the files have {again.size_bytes:,}"
    yield from _differs(f"{step.words}: relative size", step.relative_size, again.relative_size)


def _measured(what: str, reported: Measured, again: Measured) -> Iterator[str]:
    yield from _differs(what, reported.value, again.value)
    if reported.value is None or again.value is None:
        return
    ends = zip(("lower", "upper"), reported.interval or (None, None), again.interval or (None, None), strict=True)
    for name, one, other in ends:
        yield from _differs(f"{what}, the {name} end of its interval", one, other)


def _differs(what: str, reported: float | None, again: float | None) -> Iterator[str]:
    if reported == again or (reported is not None and again is not None and abs(reported - again) <= SAME):
        return
    now = "give none" if again is None else f"give {again:.6g}"
    yield f"{what} is reported as {reported}, the recorded predictions and files {now}"


def _parameters(result: RunResult, plan: Plan | None) -> Iterator[str]:
    """Exact parameter counts; a plan that begins after the first step says nothing of it."""
    if plan is None or result.steps[0].name != "finetune" or len(plan.steps) != len(result.steps):
        return
    for step, planned in zip(result.steps, plan.steps, strict=True):
        if step.parameters != planned.parameters:
            yield f"{step.words}: {step.parameters:,} parameters are reported, the recipe makes {planned.parameters:,}"


def _gates(result: RunResult, again: RunResult) -> Iterator[str]:
    """A gate that is missing, more lenient than the recipe's, or judged otherwise."""
    reported = {gate.name: gate for gate in result.gates}
    for gate in again.gates:
        if result.version < WITH_CONSTANTS and gate.name in CONSTANT_GATES:
            continue
        mine = reported.pop(gate.name, None)
        if mine is None:
            yield f"the gate {gate.name} is missing from the report"
        elif (mine.demanded, mine.passed) != (gate.demanded, gate.passed):
            was, now = (f"{one.demanded} {'passed' if one.passed else 'missed'}" for one in (mine, gate))
            yield f"the gate {gate.name} is reported as {was}, and is {now}"
    yield from (f"the report has a gate {name} that the recipe has not" for name in reported)
