"""Rows as a model reads them, and batches of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from advisor.compute.data.dataset import Rows
from advisor.compute.data.media import Medium
from advisor.compute.data.tokenizing import token_ids


@dataclass(frozen=True, slots=True)
class Encoded:
    """Rows as a model reads them, not padded.

    tokens: (rows), each the row's token numbers, or its image or sound. labels: (rows), what the task
    learns. details: (rows), what the task needs to turn scores into answers; empty where that is nothing.
    """

    tokens: tuple[Any, ...]
    labels: tuple[Any, ...]
    details: tuple[Any, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, numbers: Sequence[int]) -> Encoded:
        """The rows of these numbers."""
        return Encoded(*(tuple(part[row] for row in numbers) if part else () for part in self._parts))

    def take(self, count: int) -> Encoded:
        """The first rows."""
        return Encoded(*(part[:count] for part in self._parts))

    def shorter_than(self, tokens: int) -> Encoded:
        """The rows of fewer tokens."""
        return self.at([row for row, ids in enumerate(self.tokens) if len(ids) < tokens])

    @property
    def contents(self) -> list[Any]:
        """The rows' tokens; of an image or a sound a hash of it."""
        return [one.digest if isinstance(one, Medium) else one for one in self.tokens]

    def __add__(self, other: Encoded) -> Encoded:
        return Encoded(*(one + two for one, two in zip(self._parts, other._parts, strict=True)))

    @property
    def _parts(self) -> tuple[tuple[Any, ...], ...]:
        return self.tokens, self.labels, self.details


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows together. inputs: the model's, by name, each (batch, …). labels: (batch, …), what the task learns.

    rows: (batch), their numbers in the data; on the CPU.
    """

    inputs: Mapping[str, Tensor]
    labels: Tensor
    rows: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on a device."""
        inputs = {name: one.to(device) for name, one in self.inputs.items()}
        return replace(self, inputs=inputs, labels=self.labels.to(device))


def encode(rows: Rows, tokenizer: Any, max_tokens: int) -> Encoded:
    """Tokenize texts; longer ones are cut to `max_tokens`. Raises AdviseError: see `token_ids`."""
    if not len(rows):
        return Encoded((), ())
    found = token_ids(tokenizer, rows.texts, rows.pairs or None, max_tokens)
    # A text of nothing but unknown signs may come out empty; a model needs at least one token.
    some = tokenizer.eos_token_id or tokenizer.pad_token_id or 0
    return Encoded(tuple(tuple(ids) or (some,) for ids in found), rows.labels)


def padded(tokens: Sequence[Sequence[int]], pad: int) -> dict[str, Tensor]:
    """Token numbers as `input_ids` and `attention_mask`, both (batch, longest), padded at the right."""
    longest = max(map(len, tokens))
    ids = torch.full((len(tokens), longest), pad, dtype=torch.long)
    mask = torch.zeros((len(tokens), longest), dtype=torch.long)
    for place, row in enumerate(tokens):
        ids[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}
