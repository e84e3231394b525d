"""Prefix: the first steps of a recipe made or taken from the store, its last model judged on the selection rows.

Nothing is measured and no report is written: what a search needs of a recipe before it knows whether it is worth more.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from advisor.execution import resumption
from advisor.execution.executor import Run
from advisor.execution.job import Job
from advisor.execution.store import OnSelection, Store
from advisor.execution.work import memory_reported
from advisor.records.output_folder import attempt, open_folder
from advisor.records.results import Measured, Progress, Remark, StepResult
from advisor.records.run_folder import rounded


class Made(NamedTuple):
    """What came of a prefix. kept: of the baseline's metric on the selection rows. loss: the mean there, if computed.

    key: of the last step in the store. steps: that were made now, without those that were taken over.
    """

    key: str
    kept: Measured
    loss: float | None
    last: StepResult
    steps: tuple[StepResult, ...]


def make(
    job: Job, out: Path, store: Store, save_every: float = 60.0, answers: Path | None = None
) -> Generator[Progress | Remark | StepResult, None, Made]:
    """Make every step of a job in the folder `out`, where a killed attempt goes on.

    answers: a folder in which a teacher's answers are kept for other prefixes. Raises: see `executor.run`.
    """
    with attempt(out):
        open_folder(out, resume=out.exists())
        with memory_reported(job), resumption.taken(out):
            run = Run(job, out, None, save_every, store, answers)
            yield from run.steps()
            last = run.results[-1]
            found = yield from _on_selection(run, store, last)
            first = run.results[0]
            baseline = (yield from _on_selection(run, store, first)) if first.name == "finetune" else None
            kept = _kept(job, found, baseline, last.name == "finetune")
            return Made(store.key(run.inputs_of[last.name]), kept, found.loss, last, tuple(run.made))


def _on_selection(run: Run, store: Store, step: StepResult) -> Generator[Progress, None, OnSelection]:
    """What the model after a step does on the selection rows."""
    from advisor.compute.int8.artefact import judging
    from advisor.compute.training.context import judge

    key, context, folder = store.key(run.inputs_of[step.name]), run.read_as[step.name].context, run.folders[step.name]
    files = run.files[step.name]
    if (known := store.on_selection(key, files)) is not None:
        return known
    if step.name == "quantization":
        judged = yield from judging(folder, context, context.selection, run.read_as[step.name].processor)
        found = OnSelection(rounded(judged.table), None)
    else:
        judged = judge(run.load(step.name), context, context.selection)
        found = OnSelection(rounded(judged.table), judged.loss)
    store.keep_on_selection(key, files, found)
    return found


def _kept(job: Job, found: OnSelection, baseline: OnSelection | None, is_baseline: bool) -> Measured:
    from advisor.compute.tasks.appraisal import Rows, appraise

    rows = Rows(job.task, job.data.selection.labels, job.metrics, job.recipe.training.seed, "selection")
    return appraise(rows, found.scores, baseline.scores if baseline else None, is_baseline).relative_accuracy
