"""Perception: images or sounds with one label each. Their scores say what a text classifier's say."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from advisor.compute.data.batches import Batch, Encoded
from advisor.compute.data.labels import Rows
from advisor.compute.data.media import Medium, Numbers, Shelf
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.task import Task
from advisor.compute.tasks.text_classification import TextClassification


@dataclass(frozen=True, slots=True)
class Perception(TextClassification):
    """input: the name under which the model takes its numbers."""

    joins_texts: ClassVar[bool] = False
    input: ClassVar[str] = ""

    @abstractmethod
    def numbers(self, content: bytes, processor: Any) -> Numbers:
        """What the model reads of a file."""

    @abstractmethod
    def scorer(self, model: Any, processor: Any) -> Scorer: ...

    def encode(self, rows: Rows, processor: Any, max_tokens: int) -> Encoded:
        settings, read = processor.to_json_string(), Shelf(lambda content: self.numbers(content, processor))
        tokens = [Medium(one, max_tokens, settings, read) for one in rows.texts]
        return Encoded(tuple(tokens), rows.labels)

    def collate(self, rows: Encoded, numbers: Sequence[int], pad: int) -> Batch:
        found = np.stack([rows.tokens[row].numbers() for row in numbers])
        labels = torch.tensor([rows.labels[row] for row in numbers])
        return Batch({self.input: torch.from_numpy(found)}, labels, torch.tensor(numbers))

    def loss(self, scorer: Scorer, batch: Batch) -> tuple[Tensor, Tensor]:
        return Task.loss(self, scorer, batch)

    def counted(self, stack: str, batch: Batch) -> Tensor | None:
        return None

    def options(self) -> Mapping[str, Any]:
        return {**Task.options(self), "problem_type": "single_label_classification"}
