"""The sizes of a model that compression may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Stack(NamedTuple):
    """A row of blocks of equal shape. `key`: where the config keeps their number."""

    name: str
    key: str


class Shape(NamedTuple):
    """The sizes that compression may change.

    layers: blocks by stack. together: heads that share a key and value, so that all of them go or none.
    """

    layers: Mapping[str, int]
    hidden_size: int
    heads: int
    head_size: int
    intermediate_size: int
    together: int = 1

    @property
    def attention(self) -> int:
        """Width of all heads together."""
        return self.heads * self.head_size

    @property
    def depth(self) -> int:
        return max(self.layers.values())


def narrowed(shape: Shape, *, hidden_size: int, heads: int, intermediate_size: int) -> Shape:
    """The same depth and head size at another width."""
    return shape._replace(hidden_size=hidden_size, heads=heads, intermediate_size=intermediate_size)
