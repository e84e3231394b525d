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


def not_comparable(teacher: Shape, student: Shape, same_tokens: bool) -> str:
    """Why hidden states of two models cannot be compared, position by position and channel by channel; else empty."""
    if not same_tokens:
        return "its tokenizer makes other tokens of the texts than the teacher's"
    if student.layers.keys() != teacher.layers.keys():
        return f"it has {_stacks(student)} blocks and the teacher {_stacks(teacher)} blocks"
    if student.hidden_size != teacher.hidden_size:
        return f"its hidden states are {student.hidden_size} wide and the teacher's {teacher.hidden_size}"
    return ""


def _stacks(shape: Shape) -> str:
    return " and ".join(shape.layers)
