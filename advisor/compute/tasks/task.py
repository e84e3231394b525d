"""Task: what a model is to do, and all that depends on it. Everything else knows tasks only through this interface.

A model gives raw outputs for a batch. The task picks the positions that carry an answer, one distribution each: one a
row for a classifier, one for each labelled token, two for a span of text. Loss, distillation and the choice of layers
work on positions. For the report each row becomes a few numbers, from which the task's metrics are computed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional

from advisor.compute.data.batches import Batch, Encoded
from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.files import File
from advisor.compute.data.labels import Labelled, Rows
from advisor.compute.tasks import classes, metrics
from advisor.compute.tasks.metrics import Floats
from advisor.compute.tasks.scorer import Scorer
from advisor.facts.tasks import Metric
from advisor.families.family import Family
from advisor.records.answers import Answer

Answerer = Callable[..., Any]  # the batch's inputs by name to raw outputs: a scorer, or a runtime's reader


class Judged(NamedTuple):
    """What a model did on some rows. table: (rows, numbers), what is recorded of each. loss: mean over positions.

    scores: at all positions, batch after batch, (positions, classes); None where the task does not keep them.
    answers: (rows) in words, where `table` does not tell them.
    """

    table: Tensor
    loss: float
    scores: Tensor | None = None
    answers: tuple[str, ...] = ()


class Apart(NamedTuple):
    """How far two tables of recorded numbers are apart. mean: 0 for equal ones; others: rows with another answer."""

    mean: float
    others: int


@dataclass(frozen=True, slots=True)
class Task(ABC):
    """One task on one data set. names: of the labels.

    tag: the Hub's pipeline tag. modality: what rows hold. keeps_scores: all scores fit into memory, so a teacher
    answers once. takes_words: texts may be lists of words. in_windows: a text beyond `max_tokens` is read in parts, not
    cut. why_no_constant: to the metrics for which there is none. at_once: rows answered together, where training's
    batches are smaller. joins_texts: two texts in one are one text. learns_from_texts_alone: without labels.
    chosen_by_loss: epochs are. alike_by_shape: models of one shape take the same time. libraries: modules beside those
    of `advise run`; extra: of this package, with them. independent: each class is given or not by itself. example: what
    any model can be asked; None: a text. compared_by, same_answers: what tells int8 from fp32, and how much is alike.
    """

    tag: ClassVar[str]
    modality: ClassVar[Literal["text", "image", "audio"]] = "text"
    keeps_scores: ClassVar[bool] = True
    takes_words: ClassVar[bool] = False
    in_windows: ClassVar[bool] = False
    independent: ClassVar[bool] = False
    why_no_constant: ClassVar[str] = "the task has no constant answer to compare with"
    at_once: ClassVar[int] = 64
    joins_texts: ClassVar[bool] = True
    learns_from_texts_alone: ClassVar[bool] = False
    chosen_by_loss: ClassVar[bool] = False
    alike_by_shape: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str] = "generation"
    example: ClassVar[bytes | None] = None
    compared_by: ClassVar[str] = "class probabilities"
    same_answers: ClassVar[str] = "same answers as fp32 on {:.1%} of the selection rows"
    names: tuple[str, ...] = ()

    # The model

    @abstractmethod
    def stock_class(self, text_to_text: bool = False) -> Any:
        """transformers' own class, with `from_pretrained` and `from_config`.

        Args:
            text_to_text: the family classifies by the word that it writes.
        """

    def options(self) -> Mapping[str, Any]:
        """What `from_pretrained` is given for the task's head."""
        return {"id2label": dict(enumerate(self.names)), "label2id": {name: at for at, name in enumerate(self.names)}}

    def prepare(self, processor: Any) -> None:
        """Set up a tokenizer for the task. Raises AdviseError where it lacks something for it."""
        return

    def scorer(self, model: Any, processor: Any) -> Scorer:
        """The model as the task sees it. processor: tokenizer, or what prepares images or audio."""
        return Scorer(model)

    # Rows

    @classmethod
    @abstractmethod
    def read(cls, source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
        """The columns of the data, found where they are not named, and the rows of each part.

        Raises:
            AdviseError: every row that makes no sense, with its file, row and column.
        """

    @abstractmethod
    def encode(self, rows: Rows, processor: Any, max_tokens: int) -> Encoded:
        """Rows as the model reads them; what the model could not read is cut to `max_tokens`."""

    def encode_to_learn(self, rows: Rows, processor: Any, max_tokens: int) -> Encoded:
        """Rows as the model learns from them; by default as it is judged by them."""
        return self.encode(rows, processor, max_tokens)

    @abstractmethod
    def collate(self, rows: Encoded, numbers: Sequence[int], pad: int) -> Batch:
        """The rows of these numbers as one batch on the CPU, padded at the right."""

    def labelled(self, rows: Encoded, scores: Sequence[Tensor]) -> Encoded:
        """Rows without labels, with the teacher's answers as labels. scores: of each row, (positions, classes)."""
        return rows

    # Learning

    def positions(self, raw: Tensor, batch: Batch) -> Tensor:
        """The scores at the positions that carry an answer, row after row: (positions, classes)."""
        return raw

    def counts(self, batch: Batch) -> list[int]:
        """How many positions each row has."""
        return [1] * len(batch.rows)

    @abstractmethod
    def hard_loss(self, scores: Tensor, batch: Batch) -> Tensor:
        """The task's own loss with the labels, (). scores: (positions, classes)."""

    def loss(self, scorer: Scorer, batch: Batch) -> tuple[Tensor, Tensor]:
        """The loss with the labels, (), and the scores, (positions, classes), in one pass."""
        scores = self.positions(scorer(**batch.inputs), batch).float()  # under autocast they are bf16, too coarse
        return self.hard_loss(scores, batch), scores

    def divergence(self, scores: Tensor, outputs: Tensor, temperature: float = 1.0) -> Tensor:
        """How far scores are from other outputs, both (positions, classes): mean KL divergence of softened classes.

        Times temperature squared (Hinton et al. 1503.02531). One class is a number, which has no distribution to
        soften: its mean squared difference.
        """
        if outputs.shape[1] == 1:
            return functional.mse_loss(scores, outputs)
        own, wanted = (functional.log_softmax(one / temperature, dim=1) for one in (scores, outputs))
        return temperature**2 * functional.kl_div(own, wanted, reduction="batchmean", log_target=True)

    def alone(self, stack: str, family: Family) -> bool:
        """Whether only the first position of a stack of blocks counts."""
        return False

    def counted(self, stack: str, batch: Batch) -> Tensor | None:
        """Which positions of a stack of blocks count, (batch, positions) of bool; None for all."""
        return batch.inputs["attention_mask"].bool()

    def tune(self, scorer: Scorer, table: Callable[[], ArrayLike]) -> None:
        """Set what the selection rows decide once a model has learned, in its config.

        Args:
            table: asks the model for all selection rows: (rows, numbers), as recorded.
        """
        return

    # Judging

    def protocol(self, max_tokens: int) -> str:
        """What somebody has to know of how rows are judged to get the same numbers; empty where the metric says all."""
        return ""

    def loss_of(self, scorer: Scorer, batches: Iterable[Batch]) -> float:
        """The mean loss over all positions of some batches."""
        loss, positions = 0.0, 0
        for batch in batches:
            scores = self.positions(scorer(**batch.inputs), batch).float()
            loss += float(self.hard_loss(scores, batch)) * len(scores)
            positions += len(scores)
        return loss / max(1, positions)

    def judging(self, model: Answerer, batches: Iterable[Batch], rows: Encoded) -> Generator[int, None, Judged]:
        """What a model does on all rows, given as batches that have each of them once; yields the rows of each."""
        table: Tensor | None = None
        own: list[Tensor] = []
        words = [""] * len(rows)
        loss, positions = 0.0, 0
        for batch in batches:
            scores = self.positions(torch.as_tensor(model(**batch.inputs)), batch).float()
            loss += float(self.hard_loss(scores, batch)) * len(scores)
            positions += len(scores)
            found = self.recorded(scores.cpu(), batch, rows)
            own += [scores.cpu()] if self.keeps_scores else []
            table = torch.empty(len(rows), found.shape[1]) if table is None else table
            table[batch.rows] = found
            for row, said in zip(batch.rows.tolist(), self.told(scores.cpu(), batch, rows), strict=False):
                words[row] = said
            yield len(batch.rows)
        if table is None:
            raise ValueError("there are no rows to score")
        answers = tuple(words) if any(words) else ()
        return Judged(table, loss / max(1, positions), torch.cat(own) if own else None, answers)

    def likeness(self, model: Answerer, batches: Iterable[Batch]) -> Tensor:
        """What shows how far two models' answers to the same batches are apart: (positions, classes)."""
        found = [self.positions(torch.as_tensor(model(**batch.inputs)), batch).float().cpu() for batch in batches]
        return torch.cat(found)

    def recorded(self, scores: Tensor, batch: Batch, rows: Encoded) -> Tensor:
        """What is recorded of each row of a batch: (batch, numbers). scores: (positions, classes)."""
        return scores

    def told(self, scores: Tensor, batch: Batch, rows: Encoded) -> Sequence[str]:
        """The answers to the rows of a batch in words, where what is recorded does not tell them."""
        return ()

    @abstractmethod
    def statistics(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Floats:
        """What `metrics` needs of each row: (rows, numbers).

        Args:
            labels: (rows), of the data. table: (rows, numbers), as recorded.
        """

    def constants(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Iterator[Floats]:
        """The table of each model that always gives one answer; none where there is no such answer.

        Args:
            table: (rows, numbers), as recorded of any model; the constant answers' tables have this shape.
        """
        return iter(())

    def constant(self, label: int) -> str:
        """A constant answer in words. label: its number."""
        return f"always answering {self.names[label] if label < len(self.names) else str(label)!r}"

    def apart(self, before: ArrayLike, now: ArrayLike) -> Apart:
        """How far two tables of the same rows are apart, both (rows, numbers)."""
        one, other = (np.asarray(table, dtype=np.float64) for table in (before, now))
        return Apart(float(np.abs(one - other).sum() / max(1.0, np.abs(one).sum())), 0)

    def answered(self, labels: Sequence[Any], table: ArrayLike) -> tuple[Floats, Floats] | None:
        """The class that each row has and the one that it was given, both (rows); None for a task without classes."""
        return None

    def counted_by_kind(self, labels: Sequence[Any], table: ArrayLike) -> classes.Counted | None:
        """How often each class, label or kind of entity was right, there, and answered; None where there are none."""
        found = self.answered(labels, table)
        return None if found is None else classes.Counted(self.names, classes.counted(*found, len(self.names)))

    def row_values(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Floats:
        """How well each row alone was answered, (rows), more is better: by default its own metric."""
        return metrics.OF_SUMS[metric](self.statistics(metric, labels, table))

    def in_words(self, table: ArrayLike) -> Sequence[str]:
        """The answer to each row, (rows), as far as recorded numbers tell it; empty where they do not."""
        return ()

    def label_in_words(self, label: Any, text: Any) -> str:
        """What is right of a row. text: its own, as the data has it."""
        return self.names[label] if isinstance(label, int) and label < len(self.names) else str(label)

    # Answers to people

    @classmethod
    @abstractmethod
    def asked(cls, texts: Sequence[Any], pairs: Sequence[Any] | None) -> Rows:
        """What people ask a loaded model, as rows. pairs: second texts, or contexts.

        Raises:
            AdviseError: the task does not take such texts or pairs.
        """

    @abstractmethod
    def answer(self, model: Answerer, batches: Iterable[Batch], rows: Encoded, asked: Sequence[Any]) -> list[Answer]:
        """The answers to what was asked, in its order. rows: what was asked, encoded; in batches once."""

    def scored(self, model: Answerer, batches: Iterable[Batch], rows: Encoded) -> list[Tensor]:
        """The scores of each encoded row, (its positions, classes), of a model that scores what it reads."""
        found: list[Tensor] = [torch.empty(0)] * len(rows)
        for batch in batches:
            scores = self.positions(torch.as_tensor(model(**batch.inputs)), batch).split(self.counts(batch))
            for row, own in zip(batch.rows.tolist(), scores, strict=True):
                found[row] = own
        return found
