"""Executor: carries a recipe out as a generator of progress and results; it never prints.

fine-tune (the baseline, and the teacher) -> structure -> distillation -> int8 -> the same rows for every model.
Training and selection rows decide everything; the report rows are only scored.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.appraisal import run_result, serve, step_result
from advisor.errors import AdviseError
from advisor.facts import Facts
from advisor.family import Family
from advisor.files import new_folder, write, write_json
from advisor.forecast import Clock, Rows, parts
from advisor.job import Job
from advisor.plan import PlannedStep
from advisor.recipe import as_yaml
from advisor.results import Progress, Remark, RunResult, StepResult
from advisor.runfolder import finish, rounded, write_predictions
from advisor.steps.quantization import MOST_DIFFERENCE, Quantization

if TYPE_CHECKING:
    from advisor.compute.bench import Encoded

Event = Progress | Remark | StepResult | RunResult


def run(job: Job, out: Path, card: Callable[[RunResult], str] | None = None) -> Iterator[Event]:
    """Carry a job out below the folder `out`: yields progress, a result for each step, and at last the run's.

    Args:
        card: gives the text of the run's model card.

    Raises:
        AdviseError: the folder is taken, the weights are missing, or a step did not do what it promises.
    """
    new_folder(out, "give --out a new folder")
    try:
        work = _Run(job, out, card)
    except AdviseError:
        out.rmdir()
        raise
    write(out / "recipe.yaml", as_yaml(job.recipe))
    write(out / "facts.json", json.dumps(_facts(job.reviewed.facts), default=sorted, indent=2))
    write_json(out / "advice.json", _advice(job))
    yield from work.events()


def _facts(facts: Facts) -> dict[str, Any]:
    return {name: value for name, value in facts.values().items() if value != float("inf")}


def _advice(job: Job) -> dict[str, Any]:
    """Why the recipe is as it is, and what the rules remarked."""
    findings = [{"rule": one.rule, "severity": one.severity, "message": one.message} for one in job.reviewed.findings]
    return {"steps": [one._asdict() for one in job.verdicts], "findings": findings}


class _Run:
    """The state of one run: the model so far, what was measured, and where things are."""

    def __init__(self, job: Job, out: Path, card: Callable[[RunResult], str] | None) -> None:
        from advisor.compute.bench import Bench, encode
        from advisor.compute.checkpoint import load
        from advisor.compute.device import pick

        self.job, self.out, self.card, self.started = job, out, card, time.monotonic()
        self.family: Family = job.plan.family
        source = job.model.folder or job.model.source.source
        self.scorer, self.tokenizer = load(source, self.family, job.data.label_names, job.recipe.training.seed)
        tokens = job.recipe.training.max_tokens
        self.report: Encoded = encode(job.data.report, self.tokenizer, tokens)
        train, selection = (encode(rows, self.tokenizer, tokens) for rows in (job.data.train, job.data.selection))
        self.bench = Bench(
            self.family, pick(job.train_on), job.recipe.training, train, selection, self.tokenizer.pad_token_id
        )
        self.bench = replace(self.bench, metric=job.metrics[0])
        self.results: list[StepResult] = []
        self.folders: dict[str, Path] = {}
        self.scores: dict[str, list[list[float]]] = {}  # of the report rows, by step

    def events(self) -> Generator[Event]:
        from advisor.compute.device import present

        (self.out / "steps").mkdir()
        counts = Rows(len(self.bench.train), len(self.bench.selection), len(self.report))
        clock = Clock(parts(self.job.plan, counts, present(self.job.recipe.device)))
        for number, planned in enumerate(self.job.plan.steps):
            begun = time.monotonic()
            folder = self.out / "steps" / f"{number}-{planned.step.name}"
            result = yield from clock.watch(number, self._step(planned, folder))
            self.folders[planned.step.name] = folder
            self.results.append(replace(result, seconds=time.monotonic() - begun))
            yield self.results[-1]
        rows = self.job.data.report
        write_predictions(self.out, rows.contents(), rows.labels, self.scores)
        serving = serve(self.job, self.folders, self.results, self.bench, self.report)
        self.results = yield from clock.watch(len(self.job.plan.steps), serving)
        finished = run_result(self.job, self.out, self.results, str(self.bench.device), time.monotonic() - self.started)
        finish(self.out, finished, self.card(finished) if self.card else "")
        yield finished

    def _step(self, planned: PlannedStep, folder: Path) -> Generator[Progress, None, StepResult]:
        if isinstance(planned.step, Quantization):
            return (yield from self._quantize(planned, planned.step, folder))
        from advisor.compute import checkpoint
        from advisor.compute.bench import logits

        self.scorer = yield from planned.step.apply(self.scorer, planned.after, self.bench)
        checkpoint.save(self.scorer, self.tokenizer, folder)
        batch = next(self.bench.batches(self.bench.selection))
        checkpoint.prove(self.scorer, folder, batch, planned.parameters)
        if planned.step.name == "finetune":
            yield Progress("teacher", 0, 1)
            self.bench = self.bench.with_teacher(self.scorer)
        self.scores[planned.step.name] = rounded(logits(self.scorer, self.bench, self.report))
        parameters = checkpoint.parameters(self.scorer.model)
        return step_result(self.job, planned, folder, parameters, self.scores, self.results)

    def _quantize(
        self, planned: PlannedStep, step: Quantization, folder: Path
    ) -> Generator[Progress, None, StepResult]:
        from advisor.compute.artefact import Wanted, make, score

        yield Progress("quantize", 0, 2, "export and int8")
        wanted = Wanted(step.min_relative_accuracy, MOST_DIFFERENCE)
        made = make(self.scorer, self.tokenizer, self.bench, folder, wanted)
        yield Progress("quantize", 1, 2, "score")
        self.scores[planned.step.name] = rounded(score(folder, self.bench, self.report))
        result = step_result(self.job, planned, folder, planned.parameters, self.scores, self.results)
        return replace(result, notes=made.notes, fp32_difference=made.agreement.mean_probability_difference)
