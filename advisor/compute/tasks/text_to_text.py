"""Text to text: one text is read and another one written, as in summaries and translations.

Training and distillation work on the target's tokens, each given the ones before it. Epochs are chosen by the loss on
the selection rows, as writing a text for each of them takes too long; the report writes them all.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForSeq2SeqLM

from advisor.compute.data.batches import Batch, Encoded, encode, padded
from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.files import File
from advisor.compute.data.labels import Labelled, Rows
from advisor.compute.data.tokenizing import target_ids
from advisor.compute.data.written import read_with_targets
from advisor.compute.tasks import labelled_tokens
from advisor.compute.tasks.languages import set_languages
from advisor.compute.tasks.metrics import Floats
from advisor.compute.tasks.scorer import IGNORED, Scorer
from advisor.compute.tasks.task import Answerer, Judged, Task
from advisor.compute.tasks.writing import COMPARED_BY, SAME, Seq2SeqScorer, alone, chances, keep_settings
from advisor.facts.tasks import Metric
from advisor.records.answers import Answer, Written


@dataclass(frozen=True, slots=True)
class TextToText(Task):
    """`Encoded` has the target's tokens as labels, and the target in details.

    prefix: before each text that is read, as T5's "summarize: ". beams: that are followed while a text is written, 1
    for the most likely token each time. max_new_tokens: targets, and what is written, are cut to so many. source_lang,
    target_lang: of models for many languages, by the codes of their tokenizers.
    """

    keeps_scores: ClassVar[bool] = False
    at_once: ClassVar[int] = 1
    joins_texts: ClassVar[bool] = False
    chosen_by_loss: ClassVar[bool] = True
    alike_by_shape: ClassVar[bool] = False
    why_no_constant: ClassVar[str] = "no single text is an answer to every row, so there is none to compare with"
    compared_by: ClassVar[str] = COMPARED_BY
    same_answers: ClassVar[str] = SAME
    prefix: str = ""
    beams: int = 1
    max_new_tokens: int = 64
    source_lang: str = ""
    target_lang: str = ""

    def stock_class(self, text_to_text: bool = False) -> Any:
        return AutoModelForSeq2SeqLM

    def options(self) -> dict[str, Any]:
        return {}

    def prepare(self, processor: Any) -> None:
        set_languages(processor, self.source_lang, self.target_lang)

    def scorer(self, model: Any, processor: Any) -> Scorer:
        names = ("prefix", "beams", "max_new_tokens", *(("source_lang", "target_lang") if self.source_lang else ()))
        keep_settings(model, self.tag, **{name: getattr(self, name) for name in names})
        return Seq2SeqScorer(model, processor, self.beams, self.max_new_tokens)

    @classmethod
    def read(cls, source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
        return read_with_targets(source, files, named)

    def encode(self, rows: Rows, processor: Any, max_tokens: int) -> Encoded:
        texts = tuple(self.prefix + text for text in rows.texts)
        read = encode(Rows(texts, None, rows.labels), processor, max_tokens)
        written = target_ids(processor, rows.labels, self.max_new_tokens)
        return Encoded(read.tokens, tuple(map(tuple, written)), tuple(rows.labels))

    def collate(self, rows: Encoded, numbers: Sequence[int], pad: int) -> Batch:
        """labels: (batch, target), -100 for padding; the model shifts them to what its decoder reads."""
        labels = self.targets(rows, numbers, pad)
        inputs = {**padded([rows.tokens[row] for row in numbers], pad), "labels": labels}
        return Batch(inputs, labels, torch.tensor(numbers))

    def targets(self, rows: Encoded, numbers: Sequence[int], pad: int) -> Tensor:
        """The tokens of what is to be written, -100 for padding: (batch, target)."""
        wanted = padded([rows.labels[row] for row in numbers], pad)
        return wanted["input_ids"].masked_fill(wanted["attention_mask"] == 0, IGNORED)

    def positions(self, raw: Tensor, batch: Batch) -> Tensor:
        return labelled_tokens.positions(raw, batch)

    def counts(self, batch: Batch) -> list[int]:
        return labelled_tokens.counts(batch)

    def hard_loss(self, scores: Tensor, batch: Batch) -> Tensor:
        return functional.cross_entropy(scores, _targets(batch).to(scores.device))

    def counted(self, stack: str, batch: Batch) -> Tensor | None:
        return batch.labels != IGNORED if stack == "decoder" else Task.counted(self, stack, batch)

    def judging(self, model: Answerer, batches: Iterable[Batch], rows: Encoded) -> Generator[int, None, Judged]:
        """What is written for every row, against its target. The loss is not computed: see `loss_of`."""
        texts = [""] * len(rows)
        for batch in batches:
            for row, text in self._written(model, batch):
                texts[row] = text
            yield len(batch.rows)
        table = [self.compared(text, target) for text, target in zip(texts, rows.details, strict=True)]
        return Judged(torch.tensor(table, dtype=torch.float64), float("nan"), answers=tuple(texts))

    def likeness(self, model: Answerer, batches: Iterable[Batch]) -> Tensor:
        raw = ((torch.as_tensor(model(**batch.inputs)), batch) for batch in batches)
        return torch.cat([chances(self.positions(scores, batch), _targets(batch)) for scores, batch in raw])

    def _written(self, model: Answerer, batch: Batch) -> Iterator[tuple[int, str]]:
        """The number of each row of a batch, and what is written for it."""
        if not isinstance(model, Seq2SeqScorer):
            raise TypeError(f"{self.tag} needs a model that writes, got {type(model).__name__}")
        return zip(batch.rows.tolist(), model.written(**batch.inputs), strict=True)

    @classmethod
    def asked(cls, texts: Sequence[Any], pairs: Sequence[Any] | None) -> Rows:
        return alone(cls.tag, texts, pairs)

    def answer(self, model: Answerer, batches: Iterable[Batch], rows: Encoded, asked: Sequence[Any]) -> list[Answer]:
        texts = dict(one for batch in batches for one in self._written(model, batch))
        return [Written(texts[row]) for row in range(len(rows))]

    @abstractmethod
    def compared(self, text: str, target: str) -> Sequence[float]:
        """What is recorded of a row: numbers that the metrics are made of."""

    def statistics(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Floats:
        return np.asarray(table, dtype=np.float64)[:, self.numbers(metric)]

    @abstractmethod
    def numbers(self, metric: Metric) -> Any:
        """The columns of the recorded table that a metric is made of."""

    def protocol(self, max_tokens: int) -> str:
        how = f"{self.beams} beams" if self.beams > 1 else "the most likely token each time"
        prefix = f", texts begin with {self.prefix!r}" if self.prefix else ""
        languages = f", from {self.source_lang} to {self.target_lang}" if self.target_lang else ""
        return (
            f"texts are written with {how}, up to {self.max_new_tokens:,} tokens, of at most {max_tokens:,} read"
            f"{languages}{prefix}; time is that of writing; epochs are chosen by the loss"
        )


def _targets(batch: Batch) -> Tensor:
    return batch.labels[batch.labels != IGNORED]
