"""Reading: how a run's model, and a given student with its own tokenizer, read the job's texts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.base.files import fingerprint
from advisor.compute.data import joined_texts
from advisor.compute.data.batches import Encoded, encode
from advisor.compute.data.dataset import Rows
from advisor.compute.machine import processes
from advisor.compute.machine.device import pick
from advisor.compute.structure.checkpoint import load
from advisor.compute.structure.head import renumber
from advisor.compute.structure.scorer import Scorer
from advisor.compute.training.context import Context
from advisor.compute.training.state import digest
from advisor.execution import memory
from advisor.families.family import Config, Family
from advisor.families.label_head import order
from advisor.inspection.probe import Model
from advisor.recipe.steps.finetune import Finetune

if TYPE_CHECKING:
    from advisor.compute.data.batches import Batch
    from advisor.execution.job import Job


@dataclass(frozen=True, slots=True)
class Reading:
    """The job's texts as one model's tokenizer gives them.

    report: the report rows. beginning, labelled, texts: fingerprints of the model as it came, of the labelled rows, and
    of the further texts to distil on.
    """

    family: Family
    tokenizer: Any = field(repr=False)
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
        AdviseError: weights or tokenizer of one of them cannot be loaded, or the model was to be taken as it is and has
            not been trained.
    """
    loaded = []
    if job.plan.given:
        scorer, tokenizer = given_student(job)
        loaded = [(job.plan.given.family, tokenizer, _beginning(scorer))]
        del scorer  # it is loaded again when its turn comes
    scorer, tokenizer = _own(job)
    loaded = [(job.plan.family, tokenizer, _beginning(scorer)), *loaded]
    training = job.recipe.training
    joined = joined_texts.joined(job.data.train, training.joined_texts, training.seed)
    joined = joined_texts.whole(joined, [tokenizer for _, tokenizer, _ in loaded], training.max_tokens)
    return scorer, tuple(_reading(job, *one, joined) for one in loaded), len(joined)


def given_student(job: Job) -> tuple[Scorer, Any]:
    """The given student as it comes, with its tokenizer. A head that it lacks starts at random, by the seed.

    Raises: see `checkpoint.load`.
    """
    assert job.plan.given is not None and job.model.student is not None
    source, seed = _source(job.model.student), job.recipe.training.seed
    return load(source, job.plan.given.family, job.data.label_names, seed, job.trust_remote_code)


def as_it_is(job: Job) -> bool:
    """Whether the model is taken as it is."""
    step = job.recipe.step("finetune")
    return isinstance(step, Finetune) and not step.trains


def _own(job: Job) -> tuple[Scorer, Any]:
    """The model as it comes, its labels numbered as the data's where it is taken as it is."""
    taken, family, names = as_it_is(job), job.plan.family, job.data.label_names
    source, seed = _source(job.model), job.recipe.training.seed
    scorer, tokenizer = load(source, family, names, seed, job.trust_remote_code, trained=taken)
    if taken:
        renumber(scorer, family, order(job.model.config or {}, names, scorer.text_to_text))
    return scorer, tokenizer


def _source(model: Model) -> Path | str:
    return model.folder or model.source.source


def _reading(job: Job, family: Family, tokenizer: Any, beginning: str, joined: Rows) -> Reading:
    training, data = job.recipe.training, job.data
    train, selection, report, unlabelled, more = (
        encode(rows, tokenizer, training.max_tokens)
        for rows in (data.train, data.selection, data.report, data.unlabelled, joined)
    )
    unlabelled = unlabelled + more
    context = Context(family, pick(job.train_on), training, train, selection, tokenizer.pad_token_id)
    states_bytes = memory.for_states(job.plan) // processes.count()
    context = replace(context, metric=job.metrics[0], unlabelled=unlabelled, states_bytes=states_bytes)
    labelled = [(rows.tokens, rows.labels) for rows in (train, selection, report)]
    found = fingerprint([data.label_names, *labelled])
    return Reading(family, tokenizer, context, report, beginning, found, fingerprint(unlabelled.tokens))


def _beginning(scorer: Scorer) -> str:
    return fingerprint([digest(scorer), _plain(scorer.model.config.to_dict())])


def _plain(config: Config) -> dict[str, str]:
    """What a model's config says of its answers: not where it came from, nor which version wrote it."""
    return {name: str(value) for name, value in config.items() if name not in ("_name_or_path", "transformers_version")}
