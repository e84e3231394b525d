"""Text classification: one label of a text or of two, or a number (regression)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

from advisor.compute.data.batches import Batch, Encoded, encode, padded
from advisor.compute.data.classified_texts import read_texts
from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.files import File
from advisor.compute.data.labels import Labelled, Rows
from advisor.compute.tasks import classes
from advisor.compute.tasks.metrics import Floats
from advisor.compute.tasks.scorer import Scorer, TextScorer, WordScorer, label_tokens, label_words
from advisor.compute.tasks.task import Answerer, Apart, Task
from advisor.facts.tasks import Metric
from advisor.families.family import Family
from advisor.records.answers import Answer, Prediction

FAR = 0.5  # by which no kernel's rounding moves a probability


@dataclass(frozen=True, slots=True)
class TextClassification(Task):
    """One score for each label; with one label it is a regression, and the score is the number itself."""

    tag: ClassVar[str] = "text-classification"
    why_no_constant: ClassVar[str] = (
        "answers that are all alike have no correlation, so there is no constant answer to compare with"
    )

    def stock_class(self, text_to_text: bool = False) -> Any:
        return AutoModelForSeq2SeqLM if text_to_text else AutoModelForSequenceClassification

    def scorer(self, model: Any, processor: Any) -> Scorer:
        if model.config.is_encoder_decoder and not hasattr(model, "classification_head"):
            return WordScorer(model, label_tokens(processor, label_words(processor, self.names)))
        return TextScorer(model)

    @classmethod
    def read(cls, source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
        return read_texts(source, files, named)

    def encode(self, rows: Rows, processor: Any, max_tokens: int) -> Encoded:
        return encode(rows, processor, max_tokens)

    def collate(self, rows: Encoded, numbers: Sequence[int], pad: int) -> Batch:
        inputs = padded([rows.tokens[row] for row in numbers], pad)
        return Batch(inputs, torch.tensor([rows.labels[row] for row in numbers]), torch.tensor(numbers))

    def labelled(self, rows: Encoded, scores: Sequence[Tensor]) -> Encoded:
        if not scores:
            return rows
        found = torch.cat(list(scores))
        given = found[:, 0] if found.shape[1] == 1 else found.argmax(dim=1)
        return replace(rows, labels=tuple(given.tolist()))

    def hard_loss(self, scores: Tensor, batch: Batch) -> Tensor:
        if scores.shape[1] == 1:
            return functional.mse_loss(scores[:, 0], batch.labels.to(scores))
        return functional.cross_entropy(scores, batch.labels.to(scores.device).long())

    def loss(self, scorer: Scorer, batch: Batch) -> tuple[Tensor, Tensor]:
        if isinstance(scorer, WordScorer):
            return scorer.taught(**batch.inputs, labels=batch.labels)
        return Task.loss(self, scorer, batch)

    def alone(self, stack: str, family: Family) -> bool:
        return family.text_to_text and stack == "decoder"

    def statistics(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Floats:
        return classes.statistics(metric, labels, table)

    def constants(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Iterator[Floats]:
        return classes.constants(metric, len(labels), np.asarray(table).shape[1])

    def apart(self, before: ArrayLike, now: ArrayLike) -> Apart:
        one, other = (_shares(table) for table in (before, now))
        difference = np.abs(one - other)
        others = int((difference.max(axis=1) > FAR).sum()) if one.shape[1] > 1 else 0
        return Apart(float(difference.mean()), others)

    def answered(self, labels: Sequence[Any], table: ArrayLike) -> tuple[Floats, Floats] | None:
        if self._is_regression(table):
            return None
        return np.asarray(labels, dtype=np.float64), classes.answers(table)

    def row_values(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Floats:
        """1 for a right class, 0 for a wrong one; of a regression the distance from the label, below 0."""
        truth, given = np.asarray(labels, dtype=np.float64), classes.answers(table)
        return -np.abs(truth - given) if self._is_regression(table) else (truth == given).astype(np.float64)

    def in_words(self, table: ArrayLike) -> Sequence[str]:
        given = classes.answers(table)
        if self._is_regression(table):
            return [f"{one:.4g}" for one in given]
        return [self.label_in_words(int(one), None) for one in given]

    def label_in_words(self, label: Any, text: Any) -> str:
        return f"{label:.4g}" if isinstance(label, float) else Task.label_in_words(self, label, text)

    def _is_regression(self, table: ArrayLike) -> bool:
        return bool(np.asarray(table).shape[1] == 1)

    @classmethod
    def asked(cls, texts: Sequence[Any], pairs: Sequence[Any] | None) -> Rows:
        return Rows(tuple(texts), None if pairs is None else tuple(pairs), (0,) * len(texts))

    def answer(self, model: Answerer, batches: Iterable[Batch], rows: Encoded, asked: Sequence[Any]) -> list[Answer]:
        return [self._of_row(row) for row in torch.cat(self.scored(model, batches, rows)).tolist()]

    def _of_row(self, scores: list[float]) -> Answer:
        if len(scores) == 1:
            return Prediction("", {}, scores[0])
        by_label = dict(zip(self.names, _shares([scores])[0].tolist(), strict=True))
        return Prediction(max(by_label, key=lambda label: by_label[label]), by_label)


def _shares(scores: ArrayLike) -> Floats:
    """Scores (rows, labels) as probabilities; of a regression its numbers."""
    found: Floats = np.asarray(scores, dtype=np.float64)
    if found.shape[1] == 1:
        return found
    powers = np.exp(found - found.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


TASK = TextClassification
