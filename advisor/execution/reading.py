"""Reading: how a run's model, and a given student with its own processor, read the job's texts, images or sounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.base.files import fingerprint
from advisor.compute.data import joined_texts
from advisor.compute.data.batches import Encoded
from advisor.compute.data.dataset import Rows
from advisor.compute.machine import processes
from advisor.compute.machine.device import pick
from advisor.compute.structure.checkpoint import downloaded, load
from advisor.compute.structure.head import renumber
from advisor.compute.structure.processors import pad_of
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.task import Task
from advisor.compute.training.context import Context
from advisor.compute.training.state import digest
from advisor.execution import memory
from advisor.families.family import Config, Family
from advisor.families.input_sizes import positions
from advisor.families.label_head import order
from advisor.inspection.probe import Model
from advisor.recipe.steps.finetune import Finetune

if TYPE_CHECKING:
    from advisor.compute.data.batches import Batch
    from advisor.execution.job import Job


@dataclass(frozen=True, slots=True)
class Reading:
    """The job's rows as one model's processor gives them.

    report: the report rows. beginning, labelled, texts: fingerprints of the model as it came, of the labelled rows, and
    of the further texts to distil on.
    """

    family: Family
    processor: Any = field(repr=False)
    context: Context = field(repr=False)
    report: Encoded = field(repr=False)
    beginning: str
    labelled: str
    texts: str

    def read(self, batch: Batch) -> Batch:
        """The report rows of a batch that another model reads."""
        return self.context.collate(self.report, batch.rows.tolist())


def first(job: Job) -> tuple[Scorer, tuple[Reading, ...], int]:
    """The model as it came; how it, and the given student, if there is one, read the texts; and the joined texts.

    Raises:
        AdviseError: weights or processor of one of them cannot be loaded, or the model was to be taken as it is and has
            not been trained.
    """
    loaded = []
    if job.plan.given:
        scorer, processor = given_student(job)
        loaded = [(job.plan.given.family, job.plan.given.before, processor, _beginning(scorer))]
        del scorer  # it is loaded again when its turn comes
    scorer, processor = _own(job)
    loaded = [(job.plan.family, job.plan.steps[0].before, processor, _beginning(scorer)), *loaded]
    training = job.recipe.training
    task, most = job.task, training.joined_texts if job.task.joins_texts else 0
    encodings = [_encoding(task, processor, training.max_tokens) for _, _, processor, _ in loaded]
    joined = joined_texts.whole(
        joined_texts.joined(job.data.train, most, training.seed), encodings, training.max_tokens
    )
    return scorer, tuple(_reading(job, *one, joined) for one in loaded), len(joined)


def given_student(job: Job) -> tuple[Scorer, Any]:
    """The given student as it comes, with its processor. A head that it lacks starts at random, by the seed.

    Raises: see `checkpoint.load`.
    """
    assert job.plan.given is not None and job.model.student is not None
    source, seed = _source(job.model.student, job.trust_remote_code), job.recipe.training.seed
    return load(source, job.plan.given.family, job.task, seed, job.trust_remote_code)


def as_it_is(job: Job) -> bool:
    """Whether the model is taken as it is."""
    step = job.recipe.step("finetune")
    return isinstance(step, Finetune) and not step.trains


def _own(job: Job) -> tuple[Scorer, Any]:
    """The model as it comes, its labels numbered as the data's where it is taken as it is."""
    taken, family, names = as_it_is(job), job.plan.family, job.data.label_names
    source, seed = _source(job.model, job.trust_remote_code), job.recipe.training.seed
    scorer, processor = load(source, family, job.task, seed, job.trust_remote_code, trained=taken)
    if taken:
        renumber(scorer, family, order(job.model.config or {}, names, family))
    return scorer, processor


def _source(model: Model, trust_remote_code: bool) -> Path:
    """A folder; a Hub id is fetched in the revision that was judged."""
    return model.folder or downloaded(model.source.source, model.source.revision, trust_remote_code)


def _encoding(task: Task, processor: Any, max_tokens: int) -> Callable[[Rows], Encoded]:
    return lambda rows: task.encode_to_learn(rows, processor, max_tokens)


def _reading(job: Job, family: Family, config: Config, processor: Any, beginning: str, joined: Rows) -> Reading:
    training, data = job.recipe.training, job.data
    task, most = job.task, positions(family, config) or training.max_tokens
    selection, report = (task.encode(rows, processor, most) for rows in (data.selection, data.report))
    train, unlabelled, more = (
        task.encode_to_learn(rows, processor, most) for rows in (data.train, data.unlabelled, joined)
    )
    unlabelled = unlabelled + more
    context = Context(family, task, pick(job.train_on), training, train, selection, pad_of(processor))
    states_bytes = memory.for_states(job.plan) // processes.count()
    context = replace(context, metric=job.metrics[0], unlabelled=unlabelled, states_bytes=states_bytes)
    labelled = [(rows.contents, rows.labels, rows.details) for rows in (train, selection, report)]
    found = fingerprint([data.label_names, *labelled])
    return Reading(family, processor, context, report, beginning, found, fingerprint(unlabelled.contents))


def _beginning(scorer: Scorer) -> str:
    return fingerprint([digest(scorer), _plain(scorer.model.config.to_dict())])


def _plain(config: Config) -> dict[str, str]:
    """What a model's config says of its answers: not where it came from, nor which version wrote it."""
    return {name: str(value) for name, value in config.items() if name not in ("_name_or_path", "transformers_version")}
