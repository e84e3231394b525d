"""Appraisal: what a run's models are worth: scored and served on the same rows, judged by gates, told as one result."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.gates import judge
from advisor.plan import PlannedStep, plan
from advisor.predict import Range, predict
from advisor.results import Measured, Predicted, Progress, RunResult, Served, StepResult
from advisor.runfolder import artefact, sha256

if TYPE_CHECKING:
    from advisor.compute.bench import Bench, Encoded
    from advisor.compute.scorer import Scorer
    from advisor.job import Job

ENOUGH = 400  # report rows below which a relative accuracy is no proof (rule R11 of the evidence register)
NO_BASELINE = "the recipe has no finetune step, so there is no baseline"


def step_result(
    job: Job,
    planned: PlannedStep,
    folder: Path,
    parameters: int,
    scores: Sequence[Sequence[float]],
    earlier: Sequence[StepResult],
) -> StepResult:
    """A model after one step, by its scores of the report rows: (rows, labels). `path` is the folder's own name."""
    from advisor.compute.checkpoint import size_bytes

    labels = job.data.report.labels
    reached, size = _accuracy(scores, labels), size_bytes(folder)
    baseline = next((one for one in earlier if one.name == "finetune"), None)
    is_baseline = planned.step.name == "finetune"
    relative = Measured(1.0) if is_baseline else Measured(why_not=NO_BASELINE)
    if baseline and baseline.accuracy:
        relative = Measured(reached / baseline.accuracy, source=f"{len(labels)} report rows")
    return StepResult(
        planned.step.name,
        planned.step.words(),
        f"steps/{folder.name}",
        parameters,
        planned.parameters,
        size,
        reached,
        relative,
        size / (baseline.size_bytes if baseline else size),
        metrics={"accuracy": reached},
        predicted=predicted(job, planned.step.name),
        artefact=artefact(folder),
    )


def _accuracy(scores: Sequence[Sequence[float]], labels: Sequence[int]) -> float:
    return sum(row.index(max(row)) == label for row, label in zip(scores, labels, strict=True)) / len(labels)


def predicted(job: Job, last: str) -> Predicted:
    """What advice expects of the model after the step `last`."""
    recipe, samples = job.recipe, job.reviewed.facts.data.samples
    steps = recipe.steps[: recipe.step_names.index(last) + 1]
    part = plan(replace(recipe, steps=steps), job.plan.steps[0].before, job.plan.labels)
    int8 = any(step.name == "quantization" for step in steps)
    found = predict(part, job.plan.family, int(samples) if samples else None, int8)
    return Predicted(*map(_ends, (found.accuracy, found.time, found.emissions, found.size)))


def _ends(found: Range | None) -> tuple[float, float] | None:
    return (found.low, found.high) if found else None


def serve(
    job: Job, folders: Mapping[str, Path], results: Sequence[StepResult], bench: Bench, report: Encoded
) -> Generator[Progress, None, list[StepResult]]:
    """Time and emissions of every model, side by side, if this machine is of the kind it will serve on."""
    from advisor.compute import checkpoint
    from advisor.compute.device import present
    from advisor.compute.serving import measure

    device = job.recipe.device
    reason = "" if present(device) else f"this machine has no {device} device"
    if reason or "finetune" not in folders:
        missing = Measured(why_not=reason or NO_BASELINE)
        return [replace(one, served=Served(missing, missing, missing)) for one in results]

    def load(folder: Path) -> Scorer:
        return checkpoint.load(folder, bench.family, job.data.label_names)[0]

    found = yield from measure(folders, bench, report, load, device)
    return [replace(one, served=found[one.name]) for one in results]


def run_result(job: Job, out: Path, results: Sequence[StepResult], train_on: str, seconds: float) -> RunResult:
    """The whole run, its gates judged."""
    report_rows = job.data.eval_samples
    notes: tuple[str, ...] = ()
    if report_rows < ENOUGH:
        notes = (f"{report_rows} report rows cannot verify a relative accuracy: {ENOUGH} or more are needed",)
    return RunResult(
        job.recipe.name,
        job.recipe.model.source,
        job.plan.family.title,
        job.recipe.device,
        train_on,
        report_rows,
        tuple(results),
        judge(job.recipe, results),
        _provenance(job),
        seconds,
        notes,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        recipe_sha256=sha256(out / "recipe.yaml"),
    )


def _provenance(job: Job) -> dict[str, Any]:
    from advisor.compute.device import pick, precision, provenance

    return {
        **provenance(),
        "data": job.data.origin,
        "data_sha256": job.data.fingerprint,
        "dropped_duplicates": job.data.dropped_duplicates,
        "seed": job.recipe.training.seed,
        "precision": precision(job.recipe.training.precision, pick(job.train_on)),
    }
