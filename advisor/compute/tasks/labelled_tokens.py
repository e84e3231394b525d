"""Labelled tokens: the positions of tasks that learn a label at some tokens of a row, and ignore the others."""

from __future__ import annotations

from torch import Tensor

from advisor.compute.data.batches import Batch
from advisor.compute.tasks.scorer import IGNORED


def positions(raw: Tensor, batch: Batch) -> Tensor:
    """The scores at the labelled tokens, row after row: (positions, classes). raw: (batch, tokens, classes)."""
    return raw[(batch.labels != IGNORED).to(raw.device)]


def counts(batch: Batch) -> list[int]:
    """How many labelled tokens each row has."""
    found: list[int] = (batch.labels != IGNORED).sum(dim=1).tolist()
    return found
