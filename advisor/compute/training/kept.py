"""Scores that are kept: those of many rows, each with as many positions as its task gives it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


class Kept:
    """Scores of rows by their numbers. scores: (positions, classes); counts: (rows), positions of each row."""

    def __init__(self, scores: Tensor, counts: Sequence[int]) -> None:
        self.scores = scores
        self.starts = [0, *torch.tensor(counts, dtype=torch.long).cumsum(0).tolist()]

    @classmethod
    def gathered(cls, rows: int, found: Iterable[tuple[Sequence[int], Sequence[Tensor]]]) -> Kept:
        """Of batches in any order: numbers of rows, and the scores of each, (its positions, classes)."""
        by_row: list[Tensor] = [torch.empty(0)] * rows
        for numbers, scores in found:
            for number, own in zip(numbers, scores, strict=True):
                by_row[number] = own
        return cls(torch.cat(by_row), [len(one) for one in by_row])

    def of(self, row: int) -> Tensor:
        """The scores of a row: (its positions, classes)."""
        return self.scores[self.starts[row] : self.starts[row + 1]]

    def batch(self, rows: Tensor) -> Tensor:
        """The scores of a batch, row after row: (positions, classes)."""
        return torch.cat([self.of(row) for row in rows.tolist()])
