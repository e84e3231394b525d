"""Executor: runs a recipe as a generator of progress and results; it never prints.

fine-tune (the baseline, and the teacher) -> structure -> distillation -> int8 -> the same rows for every model.
Training and selection rows decide everything; the report rows are only scored. A run that was killed is resumed: steps
that are done are reused, training continues from its last saved state, and the result is the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.execution import resumption
from advisor.execution.eta import Clock, Rows, parts
from advisor.execution.evaluation import diagnostics, metered, run_result, serve, step_result, useless_baseline
from advisor.execution.job import Job
from advisor.execution.resumption import Inputs, Record
from advisor.execution.run_inputs import changed_since, write_assignment
from advisor.execution.store import Store
from advisor.execution.work import Work, memory_reported
from advisor.facts.tasks import int8_backends
from advisor.recipe.plan import PlannedStep
from advisor.recipe.steps.quantization import MOST_DIFFERENCE, Quantization
from advisor.records.break_even import with_discarded
from advisor.records.output_folder import TRACKING, attempt, clear_states, open_folder
from advisor.records.results import Progress, Remark, RunResult, StepResult
from advisor.records.run_folder import MANIFEST, changed, finish, hashes, read, rounded, write_predictions

if TYPE_CHECKING:
    from advisor.compute.tasks.task import Judged

Event = Progress | Remark | StepResult | RunResult


def run(
    job: Job,
    out: Path,
    card: Callable[[RunResult], str] | None = None,
    resume: bool = False,
    save_every: float = 60.0,
    store: Store | None = None,
) -> Iterator[Event]:
    """Run a job in the folder `out`: yields progress, a result for each step, and finally the run's result.

    Args:
        card: gives the text of the run's model card.
        resume: continue the run in this folder; steps that the recipe's changes do not affect are not repeated.
        save_every: seconds between two savings of training's state; 0 saves after each batch.
        store: of steps that other runs have made, and where this one's are kept for them.

    Raises:
        AdviseError: the folder is taken, the weights are missing, the disk is full, memory is not
            enough, or a step did not do what it promises. What was done so far stays for `resume`.
    """
    with attempt(out):
        open_folder(out, resume)
        with memory_reported(job), resumption.taken(out):
            yield from _tracked(Run(job, out, card, save_every, store).events(), job, out)


def _tracked(events: Generator[Event], job: Job, out: Path) -> Generator[Event]:
    """The same events, kept by the tracker that the job names."""
    if job.track is None:
        return events
    from advisor.compute.training.tracking import Log

    recipe = job.recipe
    parts = {"training": asdict(recipe.training), **{step.name: asdict(step) for step in recipe.steps}}
    settings = {f"{name}.{key}": value for name, part in parts.items() for key, value in part.items()}
    settings |= {"model": recipe.model.source, "data": recipe.data.source, "device": recipe.device}
    return Log(job.track, out / TRACKING, recipe.name, settings, job.train_on).followed(events)


class Run(Work):
    """A run in the process that writes: the only one, or the first of several.

    made: results of the steps that were made now, not taken over. inputs_of: of each step by name.
    """

    def __init__(
        self,
        job: Job,
        out: Path,
        card: Callable[[RunResult], str] | None,
        save_every: float,
        store: Store | None = None,
        answers: Path | None = None,
    ) -> None:
        super().__init__(job, out, answers)
        self.card, self.save_every, self.store, self.started = card, save_every, store, time.monotonic()
        self.begun = False
        self.made: list[StepResult] = []
        self.inputs_of: dict[str, Inputs] = {}

    def events(self) -> Generator[Event]:
        """Make every step, measure all models, and write what a finished run leaves."""
        clock = Clock(parts(self.job.plan, self._rows(), self._measuring()))
        yield from self.steps(clock)
        why = self._otherwise() if (self.out / MANIFEST).exists() else None
        if why == "":
            yield Remark("nothing has changed since this run finished")
            yield read(self.out)
            return
        if why:
            yield Remark(f"the models are measured again because {why}")
        yield from self._end(clock)

    def _otherwise(self) -> str:
        """How a finished run here differs from what was asked for, in words; empty where it does not."""
        if damaged := changed(self.out):
            return f"{', '.join(damaged)} changed on disk"
        since = changed_since(self.job, self.out)
        return f"{' and '.join(since)} changed" if since else ""

    def steps(self, clock: Clock | None = None) -> Generator[Progress | Remark | StepResult]:
        """Make every step, or take it over from an earlier run here or from the store."""
        folders = [self.folder(number) for number in range(len(self.job.plan.steps))]
        resumption.refuse_to_remove_foreign(self.out, folders)
        clock = clock or Clock(parts(self.job.plan, self._rows(), 0.0))
        yield from self._remarks()
        for number, planned in enumerate(self.job.plan.steps):
            self.turn_to(planned)
            yield from self._one_step(number, planned, clock)

    def _remarks(self) -> Iterator[Remark]:
        """What the user should know before the first step."""
        if self.joined and any(planned.step.distils for planned in self.job.plan.steps):
            yield Remark(f"{self.joined:,} texts of two training texts each are made to distil on")
        revision, model = self.job.recipe.model.revision, self.job.model
        if revision and model.folder and not model.revision:
            yield Remark(f"model.revision {revision} is ignored: {model.folder} is a folder, not a model on the Hub")

    def _one_step(self, number: int, planned: PlannedStep, clock: Clock) -> Generator[Progress | Remark | StepResult]:
        """Make a step, or take it over."""
        from advisor.compute.machine.processes import agreed
        from advisor.compute.training.state import DiskKeeper

        folder, inputs = self.folder(number), self.inputs(planned)
        record, why = resumption.record_of(folder, inputs)
        source = "the earlier run"
        if record is not None and self.store is not None:
            self.store.keep(record, folder)  # a process that was killed may not have come to it
        elif self.store is not None:
            self._begin()
            record, source = self.store.fetch(inputs, folder), "the store"
        if record is None:
            self._begin()
            keeper = DiskKeeper(self.state(number), self.state_key(inputs), self.save_every)
            remarks = (f"it is repeated because {why}" if why else "", keeper.remark)
            yield from (Remark(f"{planned.step.words()}: {remark}") for remark in remarks if remark)
            self.context = replace(self.context, keeper=keeper)
            agreed(True, self.context.device)  # further processes take part from here
            record = yield from clock.watch(number, self._make(planned, folder, inputs))
            agreed(True, self.context.device)
            keeper.forget()
            self.made.append(record.result)
            if self.store is not None:
                self.store.keep(record, folder)
        else:
            agreed(False, self.context.device)
            yield Remark(f"{planned.step.words()}: reused from {source}")
        self.inputs_of[planned.step.name] = inputs
        self.add(planned, folder, record)
        yield record.result
        if len(self.job.plan.steps) > 1:
            yield from map(Remark, useless_baseline(record.result))

    def _measuring(self) -> float:
        """Seconds that each model is measured for; 0 where the device is not here."""
        from advisor.compute.machine.device import present

        return self.job.measuring.seconds if present(self.job.recipe.device) else 0.0

    def _rows(self) -> Rows:
        """What the remaining time is forecast from."""
        context = self.context
        tokens = sum(map(len, (context.train + context.unlabelled).tokens))
        counts = len(context.train), len(context.selection), len(self.reading.report), len(context.unlabelled)
        family, task = self.job.plan.family, context.task
        alone = frozenset(stack for stack in family.shape(self.job.plan.teacher).layers if task.alone(stack, family))
        return Rows(*counts, tokens, context.states_bytes, alone)

    def _begin(self) -> None:
        """Write what the folder is for; from now on it is not a finished run."""
        if self.begun:
            return
        self.begun = True
        resumption.unfinish(self.out)
        write_assignment(self.job, self.out)

    def _make(self, planned: PlannedStep, folder: Path, inputs: Inputs) -> Generator[Progress, None, Record]:
        cut = self.job.recipe.training.max_tokens
        if self.job.task.modality == "text":
            # Goes with the tokenizer's files wherever they are copied, and stock transformers cuts texts to it.
            self.reading.processor.model_max_length = min(cut, planned.family.longest(planned.after) or cut)
        if isinstance(planned.step, Quantization):
            work = self._quantize(planned, planned.step, folder)
        else:
            work = self._step(planned, folder)
        discarded = resumption.cost_of(folder)
        result = yield from metered(self.job, work, self.context.keeper.seconds())
        cost = with_discarded(result.cost, discarded)
        found = diagnostics(self.job, planned.step.name, self.scores, self.answers, self.context)
        result = replace(result, seconds=self.context.keeper.seconds(), cost=cost, diagnostics=found)
        name = planned.step.name
        record = Record(inputs, hashes(folder), result, self.scores[name], self.answers[name])
        resumption.keep(folder, record)
        return record

    def _step(self, planned: PlannedStep, folder: Path) -> Generator[Progress, None, StepResult]:
        from advisor.compute.structure import checkpoint
        from advisor.compute.training.context import judge, judging

        scorer = yield from self.applied(planned)
        self.context.task.tune(scorer, lambda: judge(scorer, self.context, self.context.selection).table)
        resumption.forget(folder)
        checkpoint.save(scorer, self.reading.processor, folder)
        batch = next(self.context.batches(self.context.selection))
        checkpoint.prove(scorer, folder, batch, planned.parameters)
        yield from self._judged(planned, judging(scorer, self.context, self.reading.report))
        parameters = checkpoint.parameters(scorer.model)
        result = step_result(self.job, planned, folder, parameters, self.scores, self.results)
        return replace(result, notes=(*result.notes, *self.notes(planned)))

    def _quantize(
        self, planned: PlannedStep, step: Quantization, folder: Path
    ) -> Generator[Progress, None, StepResult]:
        from advisor.compute.int8.artefact import Wanted, judging, make

        yield Progress("quantize", 0, 2, "export and int8")
        backends = int8_backends(self.context.task.tag, step.backends())
        wanted = Wanted(step.min_relative_accuracy, MOST_DIFFERENCE, backends)
        resumption.forget(folder)
        made = yield from make(self.model(), self.reading.processor, self.context, folder, wanted)
        own = self.reading
        yield from self._judged(planned, judging(folder, self.context, own.report, own.processor))
        result = step_result(self.job, planned, folder, planned.parameters, self.scores, self.results)
        return replace(result, notes=made.notes, fp32_difference=made.agreement.mean_probability_difference)

    def _judged(self, planned: PlannedStep, work: Generator[Progress, None, Judged]) -> Generator[Progress, None, None]:
        """Keep what the model did on the report rows."""
        judged = yield from work
        name = planned.step.name
        self.scores[name], self.answers[name] = rounded(judged.table), judged.answers

    def _end(self, clock: Clock) -> Generator[Event]:
        """All models are done: measure them side by side, and write what a finished run leaves.

        A finished run that is only measured again stays one until then.
        """
        serving = serve(self.job, self.folders, self.results, self.read_as)
        served = yield from clock.watch(len(self.job.plan.steps), serving)
        self._begin()
        for name in resumption.remove_others(self.out, list(self.folders.values())):
            yield Remark(f"removed {name}, which is no longer in the recipe")
        clear_states(self.out)
        write_predictions(self.out, self.job.data.report, self.scores)
        finished = run_result(self.job, self.out, served, str(self.context.device), time.monotonic() - self.started)
        finish(self.out, finished, self.card(finished) if self.card else "")
        yield finished
