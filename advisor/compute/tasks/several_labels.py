"""Several labels: text classification in which each label is given or not by itself.

A label is given where its score exceeds its threshold. Thresholds are tuned on selection rows after each step, for the
highest micro-F1, and kept in the model's config; its scorer subtracts them, so that answers are scores above 0 wherever
the model is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional

from advisor.compute.data.batches import Batch, Encoded, padded
from advisor.compute.data.classified_texts import SEVERAL
from advisor.compute.tasks.classes import Counted
from advisor.compute.tasks.metrics import Floats, f1_of_rows
from advisor.compute.tasks.scorer import Scorer, TextScorer
from advisor.compute.tasks.task import Apart
from advisor.compute.tasks.text_classification import FAR, TextClassification
from advisor.facts.tasks import Metric
from advisor.records.answers import Answer, Labels

ROUNDS = 3  # over all labels, each by the others' last thresholds


class ThresholdScorer(TextScorer):
    """A model whose score of a label is what its logit exceeds the label's threshold by."""

    thresholds: Tensor  # (labels)

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        kept: Mapping[str, float] = getattr(model.config, "label_thresholds", None) or {}
        found = [kept.get(model.config.id2label[number], 0.0) for number in range(model.config.num_labels)]
        self.register_buffer("thresholds", torch.tensor(found), persistent=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(batch, labels) of input_ids, attention_mask (batch, tokens), int64; the mask is 0 for padding."""
        return super().forward(input_ids, attention_mask) - self.thresholds

    def raise_by(self, found: Sequence[float]) -> None:
        """Raise the thresholds, here and in the model's config."""
        self.thresholds += torch.tensor(found).to(self.thresholds)
        names = self.model.config.id2label
        self.model.config.label_thresholds = {names[i]: float(one) for i, one in enumerate(self.thresholds.tolist())}


@dataclass(frozen=True, slots=True)
class SeveralLabels(TextClassification):
    """A score for each label. Recorded of a row: by what each exceeds its threshold, then 1 for each of its labels."""

    independent: ClassVar[bool] = True

    def options(self) -> Mapping[str, Any]:
        return {**TextClassification.options(self), "problem_type": SEVERAL}

    def scorer(self, model: Any, processor: Any) -> Scorer:
        return ThresholdScorer(model)

    def tune(self, scorer: Scorer, table: Callable[[], ArrayLike]) -> None:
        scores, gold = np.split(np.asarray(table(), dtype=np.float64), 2, axis=1)
        assert isinstance(scorer, ThresholdScorer)
        scorer.raise_by(thresholds(scores, gold))

    def collate(self, rows: Encoded, numbers: Sequence[int], pad: int) -> Batch:
        inputs = padded([rows.tokens[row] for row in numbers], pad)
        none = (0,) * len(self.names)  # of joined texts, until the teacher labels them
        labels = [one if isinstance(one := rows.labels[row], tuple) else none for row in numbers]
        return Batch(inputs, torch.tensor(labels), torch.tensor(numbers))

    def labelled(self, rows: Encoded, scores: Sequence[Tensor]) -> Encoded:
        if not scores:
            return rows
        return replace(rows, labels=tuple(map(tuple, (torch.cat(list(scores)) > 0).int().tolist())))

    def hard_loss(self, scores: Tensor, batch: Batch) -> Tensor:
        return functional.binary_cross_entropy_with_logits(scores, batch.labels.to(scores))

    def divergence(self, scores: Tensor, outputs: Tensor, temperature: float = 1.0) -> Tensor:
        """Mean KL divergence of each label's two softened chances, both (rows, labels)."""
        own, wanted = scores / temperature, outputs / temperature
        yes = torch.sigmoid(wanted) * (functional.logsigmoid(wanted) - functional.logsigmoid(own))
        no = torch.sigmoid(-wanted) * (functional.logsigmoid(-wanted) - functional.logsigmoid(-own))
        return temperature**2 * (yes + no).mean()

    def recorded(self, scores: Tensor, batch: Batch, rows: Encoded) -> Tensor:
        return torch.cat([scores, batch.labels.cpu().to(scores)], dim=1)

    def statistics(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Floats:
        given, gold = _given(table)
        return np.concatenate([given * gold, gold, given], axis=1)

    def constants(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Iterator[Floats]:
        """Of the answers that are alike for all rows those with the most frequent labels are best, one to all."""
        gold = np.split(np.asarray(table, dtype=np.float64), 2, axis=1)[1]
        given = np.full(gold.shape, -1.0)
        for label in np.argsort(-gold.sum(axis=0), kind="stable"):
            given[:, label] = 1.0
            yield np.concatenate([given, gold], axis=1)

    def constant(self, label: int) -> str:
        which = f"{label + 1:,} most frequent labels" if label else "most frequent label"
        return f"always answering the {which}"

    def apart(self, before: ArrayLike, now: ArrayLike) -> Apart:
        one, other = (_chances(np.split(np.asarray(table), 2, axis=1)[0]) for table in (before, now))
        difference = np.abs(one - other)
        return Apart(float(difference.mean()), int((difference.max(axis=1) > FAR).sum()))

    def answered(self, labels: Sequence[Any], table: ArrayLike) -> tuple[Floats, Floats] | None:
        return None

    def counted_by_kind(self, labels: Sequence[Any], table: ArrayLike) -> Counted | None:
        given, gold = _given(table)
        return Counted(self.names, np.stack([(given * gold).sum(0), gold.sum(0), given.sum(0)], axis=1))

    def row_values(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Floats:
        """F1 of the row's labels."""
        given, gold = _given(table)
        return f1_of_rows((given * gold).sum(1), given.sum(1), gold.sum(1))

    def in_words(self, table: ArrayLike) -> Sequence[str]:
        return [self.label_in_words(row, None) for row in _given(table)[0]]

    def label_in_words(self, label: Any, text: Any) -> str:
        return ", ".join(name for name, one in zip(self.names, label, strict=True) if one) or "no label"

    def _of_row(self, scores: list[float]) -> Answer:
        found = dict(zip(self.names, _chances(scores).tolist(), strict=True))
        return Labels(tuple(name for name, score in zip(self.names, scores, strict=True) if score > 0), found)


def _given(table: ArrayLike) -> tuple[Floats, Floats]:
    """1 for each label that is given, and for each that the row has, both (rows, labels)."""
    scores, gold = np.split(np.asarray(table, dtype=np.float64), 2, axis=1)
    return (scores > 0).astype(np.float64), gold


def _chances(scores: ArrayLike) -> Floats:
    """Scores as numbers from 0 to 1, above 0.5 for the labels that are given."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(scores, dtype=np.float64))))


def thresholds(scores: Floats, gold: Floats) -> list[float]:
    """The threshold of each label, in turn chosen for the highest micro-F1 with the others' last ones.

    A label that no row has, and one where nothing is won, keeps 0.

    Args:
        scores, gold: (rows, labels); gold is 1 where a row has the label.
    """
    found = np.zeros(scores.shape[1])
    for _ in range(ROUNDS):
        for label in np.flatnonzero(gold.any(axis=0)):
            given = scores > found
            others = np.delete(given, label, axis=1), np.delete(gold, label, axis=1)
            right, wrong_or_right = (others[0] * others[1]).sum(), others[0].sum() + gold.sum()
            found[label] = _best(scores[:, label], gold[:, label], right, wrong_or_right, found[label])
    return [float(one) for one in found]


def _best(scores: Floats, gold: Floats, right: float, counted: float, now: float) -> float:
    """The threshold of one label. right, counted: the others' part of micro-F1, 2 right / counted."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    hits = np.concatenate([[0.0], np.cumsum(gold[order])])  # of the first 0, 1, 2, … rows
    f1 = 2 * (right + hits) / np.maximum(counted + np.arange(len(hits)), 1)
    ends = np.flatnonzero(np.concatenate([[True], ranked[1:] < ranked[:-1], [True]]))  # never between equal scores
    best = ends[f1[ends].argmax()]
    if f1[best] <= f1[int((scores > now).sum())] + 1e-12:
        return now
    above = ranked[best - 1] if best else ranked[0] + 2.0
    below = ranked[best] if best < len(ranked) else ranked[-1] - 2.0
    return float((above + below) / 2)


TASK = SeveralLabels
