"""Executor: carries a recipe out as a generator of progress and results; it never prints.

fine-tune (the baseline, and the teacher) -> structure -> distillation -> int8 -> the same rows for every model.
Training and selection rows decide everything; the report rows are only scored. A run that was killed is resumed: steps
that are done are taken over, training goes on from its last saved state, and the end is the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from advisor import memory, resumption
from advisor.appraisal import metered, run_result, serve, step_result
from advisor.assignment import is_assigned, write_assignment
from advisor.errors import AdviseError, Fault
from advisor.family import Family
from advisor.files import disk_is_full
from advisor.forecast import Clock, Rows, parts
from advisor.job import Job
from advisor.plan import PlannedStep
from advisor.results import Progress, Remark, RunResult, StepResult
from advisor.resumption import STATE, STEPS, Inputs, Record, fingerprint
from advisor.runfolder import MANIFEST, finish, hashes, read, rounded, write_predictions
from advisor.steps.quantization import MOST_DIFFERENCE, Quantization

if TYPE_CHECKING:
    from advisor.compute.bench import Encoded
    from advisor.compute.scorer import Scorer

Event = Progress | Remark | StepResult | RunResult


def run(
    job: Job,
    out: Path,
    card: Callable[[RunResult], str] | None = None,
    resume: bool = False,
    save_every: float = 60.0,
) -> Iterator[Event]:
    """Carry a job out below the folder `out`: yields progress, a result for each step, and at last the run's.

    Args:
        card: gives the text of the run's model card.
        resume: go on with the run in this folder; what the recipe's changes do not touch is not done again.
        save_every: seconds between two savings of training's state; 0 saves after each batch.

    Raises:
        AdviseError: the folder is taken, the weights are missing, the disk is full, or a step did not do what it
            promises. What was done so far stays for `resume`.
    """
    new = not out.exists()
    resumption.open_folder(out, resume)
    try:
        with resumption.taken(out):
            yield from _Run(job, out, card, save_every).events()
    except Exception as error:
        if new and not any(out.iterdir()):
            out.rmdir()
        if disk_is_full(error):
            hint = "free some space and run the same command with --resume"
            raise AdviseError(Fault(f"the disk is full: {error}", str(out), hint=hint)) from None
        raise


class _Run:
    """The state of one run: the model so far, what was measured, and where things are."""

    def __init__(self, job: Job, out: Path, card: Callable[[RunResult], str] | None, save_every: float) -> None:
        from advisor.compute.bench import Bench, encode
        from advisor.compute.checkpoint import load
        from advisor.compute.device import own_memory, pick
        from advisor.compute.keeper import digest

        self.job, self.out, self.card, self.save_every, self.started = job, out, card, save_every, time.monotonic()
        self.family: Family = job.plan.family
        source = job.model.folder or job.model.source.source
        training = job.recipe.training
        own = own_memory(pick(job.train_on))
        memory.refuse_too_large(job.plan, str(source), memory.available() if own is None else own)
        names, trust = job.data.label_names, job.trust_remote_code
        scorer, self.tokenizer = load(source, self.family, names, training.seed, trust)
        self.first: Scorer | None = scorer  # the model as it came, until a step has changed it
        self.report: Encoded = encode(job.data.report, self.tokenizer, training.max_tokens)
        train, selection, unlabelled = (
            encode(rows, self.tokenizer, training.max_tokens)
            for rows in (job.data.train, job.data.selection, job.data.unlabelled)
        )
        self.bench = Bench(self.family, pick(job.train_on), training, train, selection, self.tokenizer.pad_token_id)
        self.bench = replace(self.bench, metric=job.metrics[0], unlabelled=unlabelled)
        self.beginning = digest(scorer)
        self.begun = False
        self.rows = fingerprint(
            [
                job.data.label_names,
                *((rows.tokens, rows.labels) for rows in (train, selection, unlabelled, self.report)),
            ]
        )
        self.results: list[StepResult] = []
        self.folders: dict[str, Path] = {}
        self.files: dict[str, Mapping[str, str]] = {}  # SHA-256 of each step's files
        self.scores: dict[str, list[list[float]]] = {}  # of the report rows, by step

    def events(self) -> Generator[Event]:
        from advisor.compute.device import present
        from advisor.compute.keeper import DiskKeeper

        counts = Rows(len(self.bench.train), len(self.bench.selection), len(self.report), len(self.bench.unlabelled))
        clock = Clock(parts(self.job.plan, counts, present(self.job.recipe.device)))
        for number, planned in enumerate(self.job.plan.steps):
            folder, inputs = self.out / STEPS / f"{number}-{planned.step.name}", self._inputs(planned)
            record, why = resumption.record_of(folder, inputs)
            if record is None:
                self._begin()
                keeper = DiskKeeper(self.out / STATE / folder.name, fingerprint(inputs), self.save_every)
                remarks = (f"it is done again, as {why}" if why else "", keeper.remark)
                yield from (Remark(f"{planned.step.words()}: {remark}") for remark in remarks if remark)
                self.bench = replace(self.bench, keeper=keeper)
                record = yield from clock.watch(number, self._make(planned, folder, inputs))
                keeper.forget()
            else:
                yield Remark(f"{planned.step.words()}: taken over from the run before")
            self._add(planned, folder, record)
            yield record.result
        if (self.out / MANIFEST).exists() and is_assigned(self.job, self.out):
            yield Remark("nothing changed since this run has finished")
            yield read(self.out)
        else:
            yield from self._end(clock)

    def _begin(self) -> None:
        """Say what the folder is for; from now on it is no finished run."""
        if self.begun:
            return
        self.begun = True
        resumption.unfinish(self.out)
        write_assignment(self.job, self.out)

    def _inputs(self, planned: PlannedStep) -> Inputs:
        """All that decides what comes out of a step."""
        from advisor.compute.device import bf16, versions

        training, device = self.job.recipe.training, self.bench.device
        exports = ("onnx", "onnxruntime", "openvino", "nncf") if isinstance(planned.step, Quantization) else ()
        packages = ("advise", "torch", "transformers", "accelerate", *exports)
        inputs = {
            "step": {planned.step.name: asdict(planned.step)},
            "training": {
                **asdict(training),
                "precision": bf16(training.precision, device),
                "metric": self.bench.metric,
            },
            "device": device.type,
            "input": self.files[self.results[-1].name] if self.results else self.beginning,
            "teacher": self.files.get("finetune"),
            "data": self.rows,
            "versions": versions(packages),
        }
        found: Inputs = json.loads(json.dumps(inputs))
        return found

    def _add(self, planned: PlannedStep, folder: Path, record: Record) -> None:
        name = planned.step.name
        self.folders[name], self.files[name], self.scores[name] = folder, record.files, record.scores
        self.results.append(record.result)

    def _make(self, planned: PlannedStep, folder: Path, inputs: Inputs) -> Generator[Progress, None, Record]:
        if isinstance(planned.step, Quantization):
            work = self._quantize(planned, planned.step, folder)
        else:
            work = self._step(planned, folder)
        result = yield from metered(self.job, work, self.bench.keeper.seconds())
        result = replace(result, seconds=self.bench.keeper.seconds())
        record = Record(inputs, hashes(folder), result, self.scores[planned.step.name])
        resumption.keep(folder, record)
        return record

    def _step(self, planned: PlannedStep, folder: Path) -> Generator[Progress, None, StepResult]:
        from advisor.compute import checkpoint
        from advisor.compute.bench import logits

        if self.bench.teacher is None and "finetune" in self.folders:
            yield Progress("teacher", 0, 1)
            self.bench = self.bench.with_teacher(self._load("finetune"))
        scorer = yield from planned.step.apply(self._model(), planned.after, self.bench)
        resumption.forget(folder)
        checkpoint.save(scorer, self.tokenizer, folder)
        batch = next(self.bench.batches(self.bench.selection))
        checkpoint.prove(scorer, folder, batch, planned.parameters)
        self.scores[planned.step.name] = rounded(logits(scorer, self.bench, self.report))
        parameters = checkpoint.parameters(scorer.model)
        return step_result(self.job, planned, folder, parameters, self.scores, self.results)

    def _model(self) -> Scorer:
        """The model so far, as the step before has written it: whether that was now or in a run before."""
        if self.results:
            self.first = None
            return self._load(self.results[-1].name)
        assert self.first is not None
        return self.first

    def _load(self, step: str) -> Scorer:
        """The model after a step."""
        from advisor.compute.checkpoint import load

        names, trust = self.job.data.label_names, self.job.trust_remote_code
        return load(self.folders[step], self.family, names, trust_remote_code=trust)[0]

    def _quantize(
        self, planned: PlannedStep, step: Quantization, folder: Path
    ) -> Generator[Progress, None, StepResult]:
        from advisor.compute.artefact import Wanted, make, score

        yield Progress("quantize", 0, 2, "export and int8")
        wanted = Wanted(step.min_relative_accuracy, MOST_DIFFERENCE, step.backends())
        resumption.forget(folder)
        made = make(self._model(), self.tokenizer, self.bench, folder, wanted)
        yield Progress("quantize", 1, 2, "score")
        self.scores[planned.step.name] = rounded(score(folder, self.bench, self.report))
        result = step_result(self.job, planned, folder, planned.parameters, self.scores, self.results)
        return replace(result, notes=made.notes, fp32_difference=made.agreement.mean_probability_difference)

    def _end(self, clock: Clock) -> Generator[Event]:
        """All models are there: serve them side by side, and write what a finished run leaves."""
        self._begin()
        for name in resumption.drop_others(self.out, list(self.folders.values())):
            yield Remark(f"removed {name}, which is no longer in the recipe")
        resumption.remove(self.out / STATE)
        rows = self.job.data.report
        write_predictions(self.out, rows.contents(), rows.labels, self.scores)
        serving = serve(self.job, self.folders, self.results, self.bench, self.report)
        self.results = yield from clock.watch(len(self.job.plan.steps), serving)
        finished = run_result(self.job, self.out, self.results, str(self.bench.device), time.monotonic() - self.started)
        finish(self.out, finished, self.card(finished) if self.card else "")
        yield finished
