"""Axes: which numbers along an axis of a weight belong to one head, neuron or hidden channel.

An axis is `outer` groups of units, each unit `inner` numbers long. Fused matrices differ in this alone: GPT-2 and
ModernBERT keep query, key and value one after the other (thirds), DeBERTa v1 and GPT-NeoX head by head, and gated
feed-forward matrices of ModernBERT are two halves.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Layout(NamedTuple):
    """How the units of one kind lie along an axis. in_heads: `inner` counts head sizes, not numbers."""

    unit: str
    outer: int = 1
    inner: int = 1
    in_heads: bool = False

    def numbers(self, units: Tensor, length: int, head_size: int) -> Tensor:
        """The places along an axis of this length that these units take, in order: (places)."""
        inner = self._inner(head_size)
        within = (units[:, None] * inner + torch.arange(inner, device=units.device)).flatten()
        return torch.cat([within + group * (length // self.outer) for group in range(self.outer)])

    def per_unit(self, along: Tensor, head_size: int) -> Tensor:
        """The sum of the numbers of each unit: (length) to (units)."""
        return along.view(self.outer, -1, self._inner(head_size)).sum((0, 2))

    def _inner(self, head_size: int) -> int:
        return self.inner * head_size if self.in_heads else self.inner


LAYOUTS = {
    "hidden": Layout("hidden"),
    "attention": Layout("attention", in_heads=True),
    "3attention": Layout("attention", outer=3, in_heads=True),
    "attention3": Layout("attention", inner=3, in_heads=True),
    "heads": Layout("attention"),
    "cross": Layout("cross", in_heads=True),
    "intermediate": Layout("intermediate"),
    "2intermediate": Layout("intermediate", outer=2),
    "decoder_intermediate": Layout("intermediate"),
}
