"""Context: what training steps work with: encoded rows, batches by length, the teacher's outputs, the device."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import torch
from torch import Tensor

from advisor.base.generators import result_of
from advisor.compute.data.batches import Batch, Encoded
from advisor.compute.tasks.metrics import value
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.task import Answerer, Judged, Task
from advisor.compute.training.kept import Kept
from advisor.compute.training.kept_answers import AnswersFolder
from advisor.compute.training.state import Keeper
from advisor.facts.tasks import Metric
from advisor.families.family import Family
from advisor.records.results import SCORE, Progress
from advisor.records.training_settings import Training

WINDOW = 50  # batches that are sorted by length together: little padding, still random order


class Teacher:
    """The fine-tuned model, frozen, and in memory only while it is asked.

    load: gives a copy that is nobody else's. scores: of all rows, where the task keeps them; None until it was asked.
    reads: the context with the same rows as the teacher's own tokenizer gives them; None where the student's does.
    answers: where its answers are kept for other trials; None where there are none.
    """

    def __init__(
        self, load: Callable[[], Scorer], reads: Context | None = None, answers: AnswersFolder | None = None
    ) -> None:
        self.load, self.reads, self.answers = load, reads, answers
        self.scores: Kept | None = None
        self._scorer: Scorer | None = None

    @property
    def scorer(self) -> Scorer:
        """The model, loaded where it is not in memory."""
        if self._scorer is None:
            self._scorer = self.load().requires_grad_(False)
        return self._scorer

    def unload(self) -> None:
        """Free the model's memory for the student."""
        self._scorer = None


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a step needs beside the model.

    task: what the model is to do. pad: the token number that fills rows up.
    unlabelled: texts to distil on beside the training rows. teacher: None before fine-tuning; it scores the training
    rows, then the unlabelled ones.
    share: of the training steps that are taken, for a first look at a recipe; 0: nothing is trained.
    states_bytes: of a file that the teacher's hidden states may take; else they are computed for each batch.
    keeper: keeps the state of training, for runs that are killed and resumed. metric: what selection goes by.
    """

    family: Family
    task: Task
    device: torch.device
    training: Training
    train: Encoded = field(repr=False)
    selection: Encoded = field(repr=False)
    pad: int = 0
    teacher: Teacher | None = field(default=None, repr=False)
    keeper: Keeper = field(default_factory=Keeper, repr=False)
    metric: Metric = "accuracy"
    unlabelled: Encoded = field(default=Encoded((), ()), repr=False)
    states_bytes: int = 0
    share: Fraction = Fraction(1)

    def with_teacher(
        self, load: Callable[[], Scorer], reads: Context | None = None, answers: AnswersFolder | None = None
    ) -> Context:
        """With a teacher that has not been asked yet; see `Teacher`."""
        return replace(self, teacher=Teacher(load, reads, answers))

    @property
    def taught_by(self) -> Context:
        """The context that the teacher works with."""
        return (self.teacher.reads if self.teacher else None) or self

    @property
    def same_tokens(self) -> bool:
        """Whether the teacher reads all texts as the same tokens."""
        own, other = self, self.taught_by
        return (own.train + own.unlabelled).tokens == (other.train + other.unlabelled).tokens

    def steps(self, epochs: int) -> int:
        """Optimizer steps of so many epochs, as far as they are taken."""
        return max(1, round(self.per_epoch * epochs * self.share))

    @property
    def per_epoch(self) -> int:
        """Batches of one epoch."""
        return math.ceil(len(self.train) / self.training.batch_size)

    def on_all_texts(self) -> Context:
        """With the unlabelled texts among the training rows, labelled as the teacher has scored them."""
        assert self.teacher is not None, "there is no teacher"
        kept, first = self.teacher.scores, len(self.train)
        own = [kept.of(first + row) for row in range(len(self.unlabelled))] if kept else []
        labelled = self.task.labelled(self.unlabelled, own)
        return replace(self, train=self.train + labelled, unlabelled=Encoded((), ()))

    def batches(self, rows: Encoded, seed: int | None = None, size: int | None = None) -> Iterator[Batch]:
        """Batches of rows of like length; in random order with a seed, the largest first, else as they come."""
        return (self.collate(rows, group) for group in self.groups(rows, seed, size))

    def groups(self, rows: Encoded, seed: int | None = None, size: int | None = None) -> list[list[int]]:
        """The row numbers of each batch."""
        size = size or self.training.batch_size
        order = list(range(len(rows)))
        if seed is None:
            order.sort(key=lambda row: len(rows.tokens[row]))
            return [order[start : start + size] for start in range(0, len(order), size)]
        return _grouped(order, rows, size, random.Random(seed))

    def collate(self, rows: Encoded, numbers: Sequence[int]) -> Batch:
        """The rows of these numbers as one batch on the device."""
        return self.task.collate(rows, numbers, self.pad).to(self.device)

    def many(self, rows: Encoded) -> Iterator[Batch]:
        """Batches of all rows for a model that does not learn; they are large."""
        return self.batches(rows, size=max(self.task.at_once, self.training.batch_size))


def _grouped(order: list[int], rows: Encoded, size: int, random_: random.Random) -> list[list[int]]:
    """Batches in random order, but the largest first, as in transformers' `LengthGroupedSampler`.

    Memory that does not suffice shows at once, and later batches find room in what this one has left.
    """
    random_.shuffle(order)
    groups: list[list[int]] = []
    for start in range(0, len(order), size * WINDOW):
        window = sorted(order[start : start + size * WINDOW], key=lambda row: len(rows.tokens[row]))
        groups += [window[place : place + size] for place in range(0, len(window), size)]
    random_.shuffle(groups)
    padded = [len(group) * len(rows.tokens[group[-1]]) for group in groups]
    largest = padded.index(max(padded))
    groups[0], groups[largest] = groups[largest], groups[0]
    return groups


def counted(context: Context, stack: str, batch: Batch) -> Tensor | None:
    """Which positions of a stack of blocks count, (batch, positions): the first alone, or as the task says."""
    if context.task.alone(stack, context.family):
        return torch.ones(len(batch.rows), 1, dtype=torch.bool)
    return context.task.counted(stack, batch)


@torch.no_grad()
def loss_of(scorer: Scorer, context: Context, rows: Encoded) -> float:
    """The mean loss of a model over all positions of the rows."""
    return context.task.loss_of(scorer.to(context.device).eval(), context.many(rows))


@torch.no_grad()
def judge(scorer: Scorer, context: Context, rows: Encoded) -> Judged:
    """What a model does on all rows."""
    return judge_by(scorer.to(context.device).eval(), context, rows)


def judge_by(model: Answerer, context: Context, rows: Encoded) -> Judged:
    """The same of any model that answers the inputs of a batch."""
    return result_of(context.task.judging(model, context.many(rows), rows))


def judging(scorer: Scorer, context: Context, rows: Encoded) -> Generator[Progress, None, Judged]:
    """What a model does on all rows, with progress."""
    return judging_by(scorer.to(context.device).eval(), context, rows)


def judging_by(model: Answerer, context: Context, rows: Encoded) -> Generator[Progress, None, Judged]:
    """The same of any model that answers the inputs of a batch."""
    work, done = context.task.judging(model, context.many(rows), rows), 0
    while True:
        try:
            with torch.no_grad():
                done += next(work)
        except StopIteration as end:
            found: Judged = end.value
            return found
        yield Progress(SCORE, done, len(rows), "report rows")


def quality(table: Tensor, rows: Encoded, context: Context) -> float:
    """The metric that selection goes by. table: (rows, numbers), as the task records answers."""
    return value(context.metric, context.task.statistics(context.metric, rows.labels, table.numpy()))
