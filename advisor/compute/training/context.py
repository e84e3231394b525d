"""Context: what training steps work with: encoded rows, batches by length, the teacher's outputs, the device."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from advisor.compute.data.batches import Batch, Encoded
from advisor.compute.structure.scorer import Scorer
from advisor.compute.tasks.metrics import value
from advisor.compute.training.state import Keeper
from advisor.facts.tasks import Metric
from advisor.families.family import Family
from advisor.records.training_settings import Training

WINDOW = 50  # batches that are sorted by length together: little padding, still random order


class Teacher:
    """The fine-tuned model, frozen, and in memory only while it is asked.

    load: gives a copy that is nobody else's. scores: of all texts, (texts, labels); None until it was asked.
    reads: the context with the same texts as the teacher's own tokenizer gives them; None where the student's does.
    """

    def __init__(self, load: Callable[[], Scorer], scores: Tensor | None = None, reads: Context | None = None) -> None:
        self.load, self.scores, self.reads = load, scores, reads
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

    unlabelled: texts to distil on beside the training rows. teacher: None before fine-tuning; it scores the training
    rows, then the unlabelled ones.
    states_bytes: of a file that the teacher's hidden states may take; else they are computed for each batch.
    keeper: keeps the state of training, for runs that are killed and resumed. metric: what selection goes by.
    """

    family: Family
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

    def with_teacher(self, load: Callable[[], Scorer], reads: Context | None = None) -> Context:
        """With a teacher that has not been asked yet; see `Teacher`."""
        return replace(self, teacher=Teacher(load, reads=reads))

    @property
    def taught_by(self) -> Context:
        """The context that the teacher works with."""
        return (self.teacher.reads if self.teacher else None) or self

    @property
    def same_tokens(self) -> bool:
        """Whether the teacher reads all texts as the same tokens."""
        own, other = self, self.taught_by
        return (own.train + own.unlabelled).tokens == (other.train + other.unlabelled).tokens

    def on_all_texts(self) -> Context:
        """With the unlabelled texts among the training rows, labelled as the teacher has scored them."""
        assert self.teacher is not None and self.teacher.scores is not None, "the teacher was not asked"
        own = self.teacher.scores[len(self.train) :]
        answers = own.argmax(dim=1) if own.shape[1] > 1 else own[:, 0]
        labelled = Encoded(self.unlabelled.tokens, tuple(answers.tolist()))
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
        """The rows of these numbers as one batch, padded at the right."""
        longest = max(len(rows.tokens[row]) for row in numbers)
        ids = torch.full((len(numbers), longest), self.pad, dtype=torch.long)
        mask = torch.zeros((len(numbers), longest), dtype=torch.long)
        for place, row in enumerate(numbers):
            length = len(rows.tokens[row])
            ids[place, :length] = torch.tensor(rows.tokens[row])
            mask[place, :length] = 1
        labels = torch.tensor([rows.labels[row] for row in numbers])
        device = self.device
        return Batch(ids.to(device), mask.to(device), labels.to(device), torch.tensor(numbers))


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


@torch.no_grad()
def logits(scorer: Scorer, context: Context, rows: Encoded) -> Tensor:
    """The scores of all rows, on the CPU: (rows, labels)."""
    scorer.to(context.device).eval()
    return gather(context, rows, lambda batch: scorer(batch.input_ids, batch.attention_mask).float().cpu())


def gather(context: Context, rows: Encoded, answer: Callable[[Batch], Tensor]) -> Tensor:
    """What `answer` gives for each row, in the order of the rows: (rows, labels). answer: batch to (batch, labels)."""
    found: Tensor | None = None
    for batch in context.batches(rows, size=max(64, context.training.batch_size)):
        scores = answer(batch)
        found = torch.empty(len(rows), scores.shape[1]) if found is None else found
        found[batch.rows] = scores
    if found is None:
        raise ValueError("there are no rows to score")
    return found


def quality(scores: Tensor, rows: Encoded, metric: Metric) -> float:
    """A metric of scores (rows, labels)."""
    return value(metric, rows.labels, scores.numpy())
