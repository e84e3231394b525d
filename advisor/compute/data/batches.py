"""Rows as token numbers, and batches of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from advisor.compute.data.dataset import Rows
from advisor.compute.data.tokenizing import token_ids


@dataclass(frozen=True, slots=True)
class Encoded:
    """Rows as token numbers, not padded: `tokens` (rows, own length), `labels` (rows), floats for a regression."""

    tokens: tuple[tuple[int, ...], ...]
    labels: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, count: int) -> Encoded:
        """The first rows."""
        return Encoded(self.tokens[:count], self.labels[:count])

    def __add__(self, other: Encoded) -> Encoded:
        return Encoded(self.tokens + other.tokens, self.labels + other.labels)


@dataclass(frozen=True, slots=True)
class Batch:
    """input_ids, attention_mask: (batch, longest); labels, rows: (batch). rows: their numbers in the data."""

    input_ids: Tensor
    attention_mask: Tensor
    labels: Tensor
    rows: Tensor


def encode(rows: Rows, tokenizer: Any, max_tokens: int) -> Encoded:
    """Tokenize rows; longer ones are cut to `max_tokens`. Raises AdviseError: see `token_ids`."""
    if not len(rows):
        return Encoded((), ())
    found = token_ids(tokenizer, rows.texts, rows.pairs or None, max_tokens)
    # A text of nothing but unknown signs may come out empty; a model needs at least one token.
    some = tokenizer.eos_token_id or tokenizer.pad_token_id or 0
    return Encoded(tuple(tuple(ids) or (some,) for ids in found), rows.labels)
