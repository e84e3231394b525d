"""Work: a run's model, rows and finished steps, and what runs a step: the same in every process that trains."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.errors import Fault, OutOfMemory, memory_is_out
from advisor.base.files import fingerprint
from advisor.execution import memory
from advisor.execution.job import Job
from advisor.execution.resumption import Inputs, Record
from advisor.families.family import Config, Family
from advisor.recipe.plan import PlannedStep
from advisor.recipe.steps.quantization import Quantization
from advisor.records.output_folder import STATE, STEPS
from advisor.records.results import Progress, StepResult

if TYPE_CHECKING:
    from advisor.compute.data.batches import Encoded
    from advisor.compute.structure.scorer import Scorer


class Work:
    """The state of one run: the model so far, what was measured, and where things are."""

    def __init__(self, job: Job, out: Path) -> None:
        from advisor.compute.data import joined_texts
        from advisor.compute.data.batches import encode
        from advisor.compute.machine import processes
        from advisor.compute.machine.device import own_memory, pick
        from advisor.compute.structure.checkpoint import load
        from advisor.compute.structure.proven import refuse_other_shapes, refuse_unproven
        from advisor.compute.training.context import Context
        from advisor.compute.training.state import digest

        self.job, self.out = job, out
        self.family: Family = job.plan.family
        source = job.model.folder or job.model.source.source
        training = job.recipe.training
        own = own_memory(pick(job.train_on))
        if not processes.number():  # the others would see memory that the first has begun to fill
            free = memory.available() if own is None else own
            shared = processes.count() if own is None else 1
            memory.refuse_too_large(job.plan, str(source), free and free // shared)
        if cuts := job.plan.cuts:
            refuse_unproven(job.model.config or {}, self.family.task, cuts, str(source))
            last = job.plan.steps[-1].after
            shapes = lambda labels: self.family.structure(last, labels).shapes()  # noqa: E731
            refuse_other_shapes(last, self.family.task, shapes, str(source))
        names, trust = job.data.label_names, job.trust_remote_code
        scorer, self.tokenizer = load(source, self.family, names, training.seed, trust)
        self.first: Scorer | None = scorer  # the model as it came, until a step has changed it
        self.report: Encoded = encode(job.data.report, self.tokenizer, training.max_tokens)
        train, selection, unlabelled, joined = (
            encode(rows, self.tokenizer, training.max_tokens)
            for rows in (
                *(job.data.train, job.data.selection, job.data.unlabelled),
                joined_texts.joined(job.data.train, training.joined_texts, training.seed),
            )
        )
        joined = joined.shorter_than(training.max_tokens)  # one that is cut has lost its second text
        self.joined, unlabelled = len(joined), unlabelled + joined
        self.context = Context(self.family, pick(job.train_on), training, train, selection, self.tokenizer.pad_token_id)
        states_bytes = memory.for_states(job.plan) // processes.count()
        self.context = replace(self.context, metric=job.metrics[0], unlabelled=unlabelled, states_bytes=states_bytes)
        self.beginning = fingerprint([digest(scorer), _plain(scorer.model.config.to_dict())])
        labelled = [(rows.tokens, rows.labels) for rows in (train, selection, self.report)]
        self.labelled = fingerprint([job.data.label_names, *labelled])
        self.texts = fingerprint(unlabelled.tokens)
        self.results: list[StepResult] = []
        self.folders: dict[str, Path] = {}
        self.files: dict[str, Mapping[str, str]] = {}  # SHA-256 of each step's files
        self.scores: dict[str, list[list[float]]] = {}  # of the report rows, by step

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
        exports = ("onnx", "onnxruntime", "openvino", "nncf") if isinstance(planned.step, Quantization) else ()
        packages = ("advise", "torch", "transformers", "accelerate", *exports)
        inputs = {
            "step": {planned.step.name: asdict(planned.step)},
            "training": {
                **{name: value for name, value in asdict(training).items() if name != "joined_texts"},
                "precision": bf16(self.family.precision(training.precision), device),
                "metric": self.context.metric,
                **({"processes": processes.count()} if processes.count() > 1 else {}),
            },
            "device": device.type,
            "input": self.files[self.results[-1].name] if self.results else self.beginning,
            "teacher": self.files.get("finetune"),
            "data": self.labelled,
            "texts": self.texts if planned.step.distils else None,
            "versions": versions(packages),
        }
        found: Inputs = json.loads(json.dumps(inputs))
        return found

    def add(self, planned: PlannedStep, folder: Path, record: Record) -> None:
        """A step is done."""
        name = planned.step.name
        self.folders[name], self.files[name], self.scores[name] = folder, record.files, record.scores
        self.results.append(record.result)

    def applied(self, planned: PlannedStep) -> Generator[Progress, None, Scorer]:
        """Run a step on the model so far; returns the model after it."""
        if planned.step.distils and self.context.teacher is None and "finetune" in self.folders:
            self.context = self.context.with_teacher(lambda: self.load("finetune"))
        scorer = yield from planned.step.apply(self.model(), planned.after, self.context)
        if self.context.teacher is not None:
            self.context.teacher.unload()
        return scorer

    def model(self) -> Scorer:
        """The model so far, as the step before has written it: whether that was now or in a run before."""
        if self.results:
            self.first = None
            return self.load(self.results[-1].name)
        assert self.first is not None
        return self.first

    def load(self, step: str) -> Scorer:
        """The model after a step."""
        from advisor.compute.structure.checkpoint import load

        names, trust = self.job.data.label_names, self.job.trust_remote_code
        return load(self.folders[step], self.family, names, trust_remote_code=trust)[0]


@contextmanager
def memory_reported(job: Job) -> Iterator[None]:
    """Report too little memory for a batch in terms of the recipe, in every process."""
    try:
        yield
    except Exception as error:
        if memory_is_out(error):
            raise OutOfMemory(_too_large(job)) from None
        raise


def _too_large(job: Job) -> Fault:
    rows, tokens = job.recipe.training.batch_size, job.recipe.training.max_tokens
    message = f"not enough memory for batches of {rows:,} rows of up to {tokens:,} tokens"
    hint = "use a machine with more memory and add --resume, or lower batch_size or max_tokens, which starts over"
    return job.reviewed.document.fault(message, ("training",), hint)


def _plain(config: Config) -> dict[str, str]:
    """What a model's config says of its answers: not where it came from, nor which version wrote it."""
    return {name: str(value) for name, value in config.items() if name not in ("_name_or_path", "transformers_version")}
