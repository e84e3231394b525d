"""Work: a run's model, rows and finished steps, and what runs a step: the same in every process that trains."""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.base.errors import AdviseError, Fault, OutOfMemory, memory_is_out
from advisor.base.files import fingerprint
from advisor.execution import memory
from advisor.execution.job import Job
from advisor.execution.refusals import refuse_failing, refuse_impossible
from advisor.execution.resumption import Inputs, Record
from advisor.families.input_sizes import A_SECOND, IMAGE, SOUND
from advisor.families.label_head import matching
from advisor.recipe.plan import PlannedStep
from advisor.recipe.steps.quantization import Quantization
from advisor.records.output_folder import STATE, STEPS
from advisor.records.results import Progress, StepResult

if TYPE_CHECKING:
    from advisor.compute.tasks.scorer import Scorer
    from advisor.compute.training.kept_answers import AnswersFolder
    from advisor.execution.reading import Reading


class Work:
    """The state of one run: the model so far, what was measured, and where things are.

    answers: a folder in which its teacher's answers are kept for other runs; None where they are not.
    """

    def __init__(self, job: Job, out: Path, answers: Path | None = None) -> None:
        from advisor.compute.machine import processes
        from advisor.compute.machine.device import own_memory, pick
        from advisor.execution import reading

        self.job, self.out, self.answers_in = job, out, answers
        source = job.model.folder or job.model.source.source
        own = own_memory(pick(job.train_on))
        if not processes.number():  # the others would see memory that the first has begun to fill
            free = memory.available() if own is None else own
            shared = processes.count() if own is None else 1
            memory.refuse_too_large(job.plan, str(source), free and free // shared)
            _refuse_large_batches(job, processes.count(), free and free // shared)
        refuse_impossible(job)
        scorer, self.readings, self.joined = reading.first(job)
        self.first: Scorer | None = scorer  # the model as it came, until a step has changed it
        self.reading = self.readings[0]
        self.context = self.reading.context
        refuse_failing(scorer, self.context, str(source))
        self.results: list[StepResult] = []
        self.folders: dict[str, Path] = {}
        self.read_as: dict[str, Reading] = {}  # how the model after each step reads texts
        self.files: dict[str, Mapping[str, str]] = {}  # SHA-256 of each step's files
        self.scores: dict[str, list[list[float]]] = {}  # of the report rows, by step
        self.answers: dict[str, tuple[str, ...]] = {}  # to them in words, where the scores do not tell

    def turn_to(self, planned: PlannedStep) -> None:
        """Go on with the given student where a step distils into it."""
        if planned.given:
            self.reading = self.readings[-1]
            self.context = self.reading.context

    def folder(self, number: int) -> Path:
        """Where the step of this number is kept."""
        return self.out / STEPS / f"{number}-{self.job.plan.steps[number].step.name}"

    def state(self, number: int) -> Path:
        """Where its training keeps its state."""
        return self.out / STATE / self.folder(number).name

    def state_key(self, inputs: Inputs) -> str:
        """What a step's saved state belongs to: its inputs, and the memory that the teacher's states may take."""
        return fingerprint([inputs, self.context.states_bytes])

    def inputs(self, planned: PlannedStep) -> Inputs:
        """All that decides what comes out of a step."""
        from advisor.compute.machine import processes
        from advisor.compute.machine.device import bf16, versions

        training, device = self.job.recipe.training, self.context.device
        made = bool(self.results) and not planned.given
        exports = ("onnx", "onnxruntime", "openvino", "nncf") if isinstance(planned.step, Quantization) else ()
        packages = ("advise", "torch", "transformers", "accelerate", *exports)
        inputs = {
            "step": {planned.step.name: _settings(planned)},
            "training": {
                **{name: value for name, value in asdict(training).items() if name != "joined_texts"},
                "precision": bf16(self.reading.family.precision(training.precision), device),
                "metric": self.context.metric,
                **({"processes": processes.count()} if processes.count() > 1 else {}),
                **({"share": str(self.job.share)} if planned.step.distils and self.job.share != 1 else {}),
            },
            "device": device.type,
            "input": self.files[self.results[-1].name] if made else self.reading.beginning,
            "teacher": self.files.get("finetune"),
            "data": self.reading.labelled,
            "texts": self._texts() if planned.step.distils else None,
            "versions": versions(packages),
        }
        found: Inputs = json.loads(json.dumps(inputs))
        return found

    def add(self, planned: PlannedStep, folder: Path, record: Record) -> None:
        """A step is done."""
        name = planned.step.name
        self.folders[name], self.files[name] = folder, record.files
        self.scores[name], self.answers[name] = record.scores, record.answers
        self.read_as[name] = self.reading
        self.results.append(record.result)

    def applied(self, planned: PlannedStep) -> Generator[Progress, None, Scorer]:
        """Run a step on the model so far; returns the model after it."""
        if planned.step.distils and self.context.teacher is None and "finetune" in self.folders:
            own = self.readings[0]
            reads = None if self.reading is own else own.context
            self.context = self.context.with_teacher(lambda: self.load("finetune"), reads, self._answers_folder())
        if planned.step.distils:
            self.context = replace(self.context, share=self.job.share)
        student = self._given(planned) if planned.given else self.model()
        scorer = yield from planned.step.apply(student, planned.after, self.context)
        if self.context.teacher is not None:
            self.context.teacher.unload()
        return scorer

    def _answers_folder(self) -> AnswersFolder | None:
        """Where the teacher's answers are kept: by its files, all that it reads, and how it computes."""
        from advisor.compute.machine.device import bf16, versions
        from advisor.compute.training.kept_answers import AnswersFolder

        if self.answers_in is None:
            return None
        own, device, training = self.readings[0], self.context.device, self.job.recipe.training
        made_of = {
            "teacher": dict(self.files["finetune"]),
            "task": self.job.task.tag,
            "texts": [own.labelled, own.texts],
            "batch_size": training.batch_size,
            "precision": bf16(own.family.precision(training.precision), device),
            "device": device.type,
            "versions": versions(("advise", "torch", "transformers")),
        }
        return AnswersFolder(self.answers_in, made_of)

    def model(self) -> Scorer:
        """The model so far, as the step before has written it: whether that was now or in a run before."""
        if self.results:
            self.first = None
            return self.load(self.results[-1].name)
        assert self.first is not None
        return self.first

    def _given(self, planned: PlannedStep) -> Scorer:
        """The given student as it comes."""
        from advisor.execution.reading import given_student

        self.first = None
        student: Scorer = given_student(self.job)[0]
        refuse_failing(student, self.context, str(getattr(planned.step, "student", "")))
        return student

    def _texts(self) -> str:
        """All that is distilled on, as student and teacher read it."""
        own, other = self.readings[0], self.reading
        return own.texts if own is other else fingerprint([own.labelled, own.texts, other.texts])

    def notes(self, planned: PlannedStep) -> tuple[str, ...]:
        """Notes on what a step did beside the numbers."""
        from advisor.execution.reading import as_it_is

        names, job = self.job.data.label_names, self.job
        if planned.step.name == "finetune" and as_it_is(job):
            said = matching(job.model.config or {}, names, job.plan.family)
            return (said,) if said else ()
        teacher, student = job.plan.family.shape(job.plan.teacher), planned.family.shape(planned.after)
        return planned.step.notes(teacher, student, not planned.step.distils or self.context.same_tokens)

    def load(self, step: str) -> Scorer:
        """The model after a step."""
        from advisor.compute.structure.checkpoint import load

        family = self.read_as[step].family
        return load(self.folders[step], family, self.job.task, trust_remote_code=self.job.trust_remote_code)[0]


def _settings(planned: PlannedStep) -> dict[str, Any]:
    """A step's settings; a given student counts by its content, wherever it lies."""
    return {name: value for name, value in asdict(planned.step).items() if name != "student"}


@contextmanager
def memory_reported(job: Job) -> Iterator[None]:
    """Report too little memory for a batch in terms of the recipe, in every process."""
    try:
        yield
    except Exception as error:
        if memory_is_out(error):
            raise OutOfMemory(_too_large(job)) from None
        raise


def _refuse_large_batches(job: Job, count: int, free: int | None) -> None:
    """Raise an AdviseError where `free` bytes cannot hold one batch of images or sounds while a model is trained.

    Args:
        count: processes that share each batch.
    """
    rows = min(math.ceil(job.recipe.training.batch_size / count), job.data.samples)
    least = memory.needed(job.plan, rows)
    if free is not None and least > free:
        sizes = f": it takes at least {memory.gigabytes(least)}, {memory.gigabytes(free)} are free"
        raise AdviseError(_too_large(job, sizes))


def _too_large(job: Job, sizes: str = "") -> Fault:
    rows, (words, setting) = job.recipe.training.batch_size, _input(job)
    hint = f"use a machine with more memory and add --resume, or lower batch_size or {setting}, which starts over"
    message = f"not enough memory for batches of {rows:,} {words}{sizes}"
    return job.reviewed.document.fault(message, ("training",), hint)


def _input(job: Job) -> tuple[str, str]:
    """What a row holds, with its size in words, and the setting that makes it smaller."""
    config = job.plan.teacher
    if job.task.modality == "image":
        return f"images of {config[IMAGE]} pixels", "image_size"
    if job.task.modality == "audio":
        return f"sounds of {config[SOUND] / A_SECOND:g} seconds", "max_seconds"
    return f"rows of up to {job.recipe.training.max_tokens:,} tokens", "max_tokens"
