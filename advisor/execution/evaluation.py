"""Appraisal: what a run's models are worth: scored and served on the same rows, judged by gates, told as one result."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from advisor.advice.prediction import of_recipe
from advisor.advice.ranges import Range
from advisor.base.errors import AdviseError
from advisor.deployment.gates import ENOUGH, judge
from advisor.recipe.plan import PlannedStep, plan
from advisor.records.break_even import break_even, net_saving
from advisor.records.carbon import sci
from advisor.records.diagnostics import Curve, Diagnostics
from advisor.records.results import (
    NO_BASELINE,
    Cost,
    Measured,
    Predicted,
    Progress,
    RunResult,
    RuntimeResult,
    StepResult,
    not_served,
)
from advisor.records.run_folder import Scores, artefact, model_sha256, sha256
from advisor.runs.comparison import compared
from advisor.runs.summary import summary

if TYPE_CHECKING:
    from advisor.compute.data.batches import Batch
    from advisor.compute.tasks.scorer import Scorer
    from advisor.compute.training.context import Context
    from advisor.execution.job import Job
    from advisor.execution.reading import Reading


def step_result(
    job: Job,
    planned: PlannedStep,
    folder: Path,
    parameters: int,
    scores: Mapping[str, Scores],
    earlier: Sequence[StepResult],
) -> StepResult:
    """A model after one step, by its scores of the report rows.

    Args:
        scores: of this and the earlier steps by name, (rows, labels).

    Raises:
        AdviseError: a score is not finite.
    """
    from advisor.compute.structure.checkpoint import size_bytes
    from advisor.compute.tasks.appraisal import Rows, appraise

    name, size = planned.step.name, size_bytes(folder)
    _refuse_endless(scores[name], name)
    rows = Rows(job.task, job.data.report.labels, job.metrics, job.recipe.training.seed)
    found = appraise(rows, scores[name], scores.get("finetune"), name == "finetune")
    baseline = next((one for one in earlier if one.name == "finetune"), None)
    return StepResult(
        name,
        planned.step.words(),
        f"steps/{folder.name}",
        parameters,
        planned.parameters,
        size,
        found.accuracy,
        found.relative_accuracy,
        size / (baseline.size_bytes if baseline else size),
        metric=rows.metric,
        metrics=found.metrics,
        predicted=predicted(job, name),
        artefact=artefact(folder),
        above_constant=found.above_constant,
        kept_beyond_chance=found.kept_beyond_chance,
        worst_class_recall=found.worst_class_recall,
        relative_compute=job.plan.compute_share(planned),
    )


def useless_baseline(result: StepResult) -> Iterator[str]:
    """What a user should know before hours go into a student of a teacher that has learned nothing."""
    above = result.above_constant
    if result.name == "finetune" and above.value is not None and above.value <= 0:
        yield (
            f"{result.words}: no better than a constant answer: {above.source}; nothing that is made of this model can "
            "be judged by it. Stop here, and give finetune more epochs, another learning_rate or more rows"
        )


def diagnostics(
    job: Job, name: str, scores: Mapping[str, Scores], answers: Mapping[str, Sequence[str]], context: Context
) -> Diagnostics:
    """What people want to see of the model after the step `name`, beside its numbers.

    Args:
        scores, answers: to the report rows, of this and the earlier steps by name. context: in which it was trained.
    """
    from advisor.compute.tasks.appraisal import Rows
    from advisor.compute.tasks.diagnostics import Given, Texts, diagnose

    rows = Rows(job.task, job.data.report.labels, job.metrics)
    report = job.data.report
    texts = Texts(report.texts, report.pairs, report.names)
    given = {one: Given(scores[one], answers[one]) for one in (name, "finetune") if one in scores}
    found = diagnose(rows, texts, given[name], None if name == "finetune" else given.get("finetune"))
    by = "loss" if job.task.chosen_by_loss else context.metric
    return replace(found, curve=Curve(by, context.keeper.curve) if context.keeper.curve else None)


def metered(
    job: Job, work: Generator[Progress, None, StepResult], earlier: float
) -> Generator[Progress, None, StepResult]:
    """Run a step with a meter around it: its result, with the energy and CO2e of making it.

    Args:
        earlier: seconds that the step has taken before a run was interrupted.
    """
    from advisor.compute.machine import processes
    from advisor.compute.machine.device import pick
    from advisor.compute.measure.making import Meter, cost

    meter = Meter(job.assumed.country, pick(job.train_on).type == "cuda")
    try:
        result = yield from work
    finally:
        found = meter.stop()
    if processes.count() > 1:
        unknown = Measured(why_not=f"made by {processes.count()} processes, of which only one was watched")
        return replace(result, cost=Cost(unknown, unknown))
    return replace(result, cost=cost(found, job.assumed, earlier, meter.span))


def _refuse_endless(scores: Scores, name: str) -> None:
    if not all(math.isfinite(score) for row in scores for score in row):
        raise AdviseError(
            f"{name}: the model answers with numbers that are not finite: its training went astray",
            hint="lower this step's learning_rate",
        )


def predicted(job: Job, last: str) -> Predicted:
    """What advice expects of the model after the step `last`."""
    recipe = job.recipe
    steps = recipe.steps[: recipe.step_names.index(last) + 1]
    before, student = job.plan.steps[0].before, job.model.student_config
    part = plan(replace(recipe, steps=steps), before, job.plan.labels, student)
    int8 = any(step.name == "quantization" for step in steps)
    found = of_recipe(part, job.plan.family, job.reviewed.facts.data, int8)
    return Predicted(*map(_ends, (found.accuracy, found.time, found.emissions, found.size)))


def _ends(found: Range | None) -> tuple[float, float] | None:
    return (found.low, found.high) if found else None


class Serving(NamedTuple):
    """Results with how their models serve; fp32 models in the runtime that serves int8."""

    results: list[StepResult]
    fp32_in_runtime: tuple[RuntimeResult, ...] = ()


def serve(
    job: Job, folders: Mapping[str, Path], results: Sequence[StepResult], read_as: Mapping[str, Reading]
) -> Generator[Progress, None, Serving]:
    """Time and emissions of every model, side by side, if this machine is of the kind it will serve on.

    What speaks against the measurement becomes a note of the baseline.

    Args:
        read_as: how the model after each step reads texts.
    """
    from advisor.compute.machine.device import present
    from advisor.compute.measure.models import Place
    from advisor.compute.measure.serving import measure
    from advisor.compute.structure import checkpoint

    device = job.recipe.device
    reason = "" if present(device) else f"this machine has no {device} device"
    if reason or "finetune" not in folders:
        return Serving([replace(one, served=not_served(reason or NO_BASELINE)) for one in results])

    own, families = read_as["finetune"], {folders[name]: one.family for name, one in read_as.items()}

    def load(folder: Path) -> Scorer:
        return checkpoint.load(folder, families[folder], job.task, trust_remote_code=job.trust_remote_code)[0]

    def read(step: str, batch: Batch) -> Batch:
        return batch if read_as[step] is own else read_as[step].read(batch)

    processors = {folders[name]: one.processor for name, one in read_as.items()}
    place = Place(load, device, job.assumed, job.measuring, job.task.alike_by_shape, read, processors.get)
    found = yield from measure(folders, own.context, own.report, place)
    notes = {"finetune": found.notes}
    measured = [
        replace(one, served=found.served[one.name], notes=(*one.notes, *notes.get(one.name, ()))) for one in results
    ]
    return Serving(measured, found.fp32_in_runtime)


def run_result(job: Job, out: Path, served: Serving, train_on: str, seconds: float) -> RunResult:
    """The whole run, its gates judged."""
    results = list(_by_log(job, served.results))
    report_rows = job.data.eval_samples
    gates, last = judge(job.recipe, results, report_rows), results[-1]
    results = [replace(one, as_predicted=_as_predicted(one)) for one in results]
    result = RunResult(
        job.recipe.name,
        job.recipe.model.source,
        job.plan.family.title,
        job.recipe.device,
        train_on,
        report_rows,
        tuple(results),
        gates,
        _provenance(job),
        seconds,
        (*_notes(job, results, report_rows), *job.data.notes),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        recipe_sha256=sha256(out / "recipe.yaml"),
        payback=break_even(results),
        net_saving=net_saving(results, job.requests),
        task=job.task.tag,
        sci=sci(last.served, job.assumed),
        fp32_in_runtime=served.fp32_in_runtime,
    )
    return replace(result, summary=summary(result))


def _by_log(job: Job, results: Sequence[StepResult]) -> Iterator[StepResult]:
    """What making the models took, by an external meter where there is one."""
    from advisor.compute.measure.energy import ExternalMeter
    from advisor.compute.measure.making import by_log

    log = job.measuring.power_log
    meter = ExternalMeter(log) if log else None
    yield from (by_log(one, meter, job.assumed) if meter else one for one in results)


def _notes(job: Job, results: Sequence[StepResult], rows: int) -> Iterator[str]:
    """How rows were judged, and what limits everything that the run says."""
    if protocol := job.task.protocol(job.recipe.training.max_tokens):
        yield protocol
    if rows < ENOUGH:
        yield f"{rows} report rows cannot verify a relative accuracy: {ENOUGH} or more are needed"
    if results[0].above_constant.value is None:
        yield results[0].above_constant.why_not


def _as_predicted(step: StepResult) -> dict[str, bool]:
    return {one.name: one.where == "inside" for one in compared(step) if one.where}


def _provenance(job: Job) -> dict[str, Any]:
    from advisor.compute.machine.device import pick, precision, provenance

    student = job.model.student
    given = {"student_sha256": model_sha256(student.folder)} if student and student.folder else {}
    return {
        **provenance(),
        **given,
        "model_sha256": model_sha256(job.model.folder) if job.model.folder else "",
        "data": job.data.origin,
        "data_sha256": job.data.fingerprint,
        "split_seed": job.data.seed,
        "dropped_duplicates": job.data.dropped_duplicates,
        "seed": job.recipe.training.seed,
        "trust_remote_code": job.trust_remote_code,
        "assumed": asdict(job.assumed),
        "measuring": {**job.measuring.stated(), "requests": job.requests},
        "precision": precision(job.plan.family.precision(job.recipe.training.precision), pick(job.train_on)),
    }
