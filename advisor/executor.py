"""Executor: carries a recipe out as a generator of progress and results; it never prints.

fine-tune (the baseline, and the teacher) -> structure -> distillation -> int8 -> the same rows for every model.
Training and selection rows decide everything; the report rows are only scored.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor import families, probe
from advisor.errors import AdviseError
from advisor.facts import DataFacts, Facts
from advisor.family import Family
from advisor.files import new_folder, write
from advisor.gates import judge
from advisor.plan import Plan, PlannedStep
from advisor.policy.pack import Policy
from advisor.recipe import Recipe, as_yaml, to_goal
from advisor.results import Measured, Progress, RunResult, Served, StepResult
from advisor.review import Reviewed, review
from advisor.steps.quantization import MOST_DIFFERENCE, Quantization
from advisor.yamlfile import Document

if TYPE_CHECKING:
    from advisor.compute.bench import Encoded
    from advisor.compute.data import TaskData
    from advisor.compute.scorer import Scorer

Event = Progress | StepResult | RunResult
ENOUGH = 400  # report rows below which a relative accuracy is no proof (rule R11 of the evidence register)
NO_BASELINE = "the recipe has no finetune step, so there is no baseline"


@dataclass(frozen=True, slots=True)
class Job:
    """A recipe with the real model and data that it is to be run on."""

    recipe: Recipe
    model: probe.Model
    data: TaskData = field(repr=False)
    reviewed: Reviewed
    train_on: str

    @property
    def plan(self) -> Plan:
        assert self.reviewed.plan is not None
        return self.reviewed.plan


def prepare(policy: Policy, recipe: Recipe, document: Document, data: TaskData, base: Path, train_on: str) -> Job:
    """Derive the facts from the real model and data and judge the recipe by them. No weights are loaded.

    Raises:
        AdviseError: the model is not here, or its family cannot be executed.
    """
    model = probe.model(recipe.model.source, len(data.label_names), base)
    _refuse_unexecutable(model.facts.family or "")
    facts = Facts(
        model.facts,
        DataFacts(
            data.samples,
            data.eval_samples,
            data.unlabelled_samples,
            None,
            "classification",
            len(data.label_names),
        ),
        probe.device(recipe.device),
        to_goal(recipe.goal),
    )
    return Job(recipe, model, data, review(policy, recipe, document, facts, model), train_on)


def _refuse_unexecutable(family: str) -> None:
    known = families.executable()
    if family not in known:
        raise AdviseError(
            f"models of the kind {family} can be advised on but not be executed yet",
            hint=f"{', '.join(known[:-1])} and {known[-1]} can",
        )


def run(job: Job, out: Path) -> Iterator[Event]:
    """Carry a job out below the folder `out`: yields progress, a result for each step, and at last the run's.

    Raises:
        AdviseError: the folder is taken, the weights are missing, or a step did not do what it promises.
    """
    new_folder(out, "give --out a new folder")
    try:
        work = _Run(job, out)
    except AdviseError:
        out.rmdir()
        raise
    write(out / "recipe.yaml", as_yaml(job.recipe))
    write(out / "facts.json", json.dumps(_facts(job.reviewed.facts), default=sorted, indent=2))
    yield from work.events()


def _facts(facts: Facts) -> dict[str, Any]:
    return {name: value for name, value in facts.values().items() if value != float("inf")}


class _Run:
    """The state of one run: the model so far, what was measured, and where things are."""

    def __init__(self, job: Job, out: Path) -> None:
        from advisor.compute.bench import Bench, encode
        from advisor.compute.checkpoint import load
        from advisor.compute.device import pick

        self.job, self.out, self.started = job, out, time.monotonic()
        self.family: Family = job.plan.family
        source = job.model.folder or job.model.source.source
        self.scorer, self.tokenizer = load(source, self.family, job.data.label_names, job.recipe.training.seed)
        tokens = job.recipe.training.max_tokens
        self.report: Encoded = encode(job.data.report, self.tokenizer, tokens)
        train, selection = (encode(rows, self.tokenizer, tokens) for rows in (job.data.train, job.data.selection))
        self.bench = Bench(
            self.family, pick(job.train_on), job.recipe.training, train, selection, self.tokenizer.pad_token_id
        )
        self.results: list[StepResult] = []
        self.folders: dict[str, Path] = {}

    def events(self) -> Generator[Event]:
        (self.out / "steps").mkdir()
        for number, planned in enumerate(self.job.plan.steps):
            begun = time.monotonic()
            folder = self.out / "steps" / f"{number}-{planned.step.name}"
            result = yield from self._step(planned, folder)
            self.folders[planned.step.name] = folder
            self.results.append(replace(result, seconds=time.monotonic() - begun))
            yield self.results[-1]
        yield from self._measure()
        finished = self._finish()
        write(self.out / "report.json", json.dumps(asdict(finished), indent=2))
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
            self.bench = self.bench.with_teacher(logits(self.scorer, self.bench, self.bench.train))
        scores = logits(self.scorer, self.bench, self.report)
        return self._result(planned, folder, checkpoint.parameters(self.scorer.model), scores)

    def _quantize(
        self, planned: PlannedStep, step: Quantization, folder: Path
    ) -> Generator[Progress, None, StepResult]:
        from advisor.compute.artefact import Wanted, make, score

        yield Progress("quantize", 0, 2, "export and int8")
        wanted = Wanted(step.min_relative_accuracy, MOST_DIFFERENCE)
        made = make(self.scorer, self.tokenizer, self.bench, folder, wanted)
        yield Progress("quantize", 1, 2, "score")
        scores = score(folder, self.bench, self.report)
        result = self._result(planned, folder, planned.parameters, scores)
        return replace(result, notes=made.notes, fp32_difference=made.agreement.mean_probability_difference)

    def _result(self, planned: PlannedStep, folder: Path, parameters: int, scores: Any) -> StepResult:
        from advisor.compute.bench import accuracy
        from advisor.compute.checkpoint import size_bytes

        reached, size = accuracy(scores, self.report), size_bytes(folder)
        baseline = next((one for one in self.results if one.name == "finetune"), None)
        is_baseline = planned.step.name == "finetune"
        relative = Measured(1.0) if is_baseline else Measured(why_not=NO_BASELINE)
        if baseline and baseline.accuracy:
            relative = Measured(reached / baseline.accuracy, source=f"{len(self.report)} report rows")
        return StepResult(
            planned.step.name,
            planned.step.words(),
            str(folder.relative_to(self.out)),
            parameters,
            planned.parameters,
            size,
            reached,
            relative,
            size / (baseline.size_bytes if baseline else size),
        )

    def _measure(self) -> Generator[Progress]:
        """Time and emissions of every model, side by side, if this machine is of the kind it will serve on."""
        from advisor.compute import checkpoint
        from advisor.compute.device import present
        from advisor.compute.serving import measure

        device = self.job.recipe.device
        reason = "" if present(device) else f"this machine has no {device} device"
        if reason or "finetune" not in self.folders:
            missing = Measured(why_not=reason or NO_BASELINE)
            self.results = [replace(one, served=Served(missing, missing, missing)) for one in self.results]
            return

        def load(folder: Path) -> Scorer:
            return checkpoint.load(folder, self.family, self.job.data.label_names)[0]

        found = yield from measure(self.folders, self.bench, self.report, load, device)
        self.results = [replace(one, served=found[one.name]) for one in self.results]

    def _finish(self) -> RunResult:
        job = self.job
        notes: tuple[str, ...] = ()
        if len(self.report) < ENOUGH:
            notes = (f"{len(self.report)} report rows cannot verify a relative accuracy: {ENOUGH} or more are needed",)
        return RunResult(
            job.recipe.name,
            job.recipe.model.source,
            self.family.title,
            job.recipe.device,
            str(self.bench.device),
            len(self.report),
            tuple(self.results),
            judge(job.recipe, self.results),
            _provenance(job),
            time.monotonic() - self.started,
            notes,
        )


def _provenance(job: Job) -> dict[str, Any]:
    from advisor.compute.device import provenance

    return {
        **provenance(),
        "data": job.data.origin,
        "data_sha256": job.data.fingerprint,
        "dropped_duplicates": job.data.dropped_duplicates,
        "seed": job.recipe.training.seed,
    }
