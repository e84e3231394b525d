"""Axes: what the places along one axis of a tensor stand for, written as text.

An axis is a row of parts, divided by ` | `. A part `heads:head` is one run of `head` places for each of `heads` units,
and a part `hidden` is one place a unit; any other arithmetic of sizes (`positions + 2`) has a length and no units. So
`heads:head | kv:head | kv:head` is Phi-3's fused query, key and value, `heads:3*head` GPT-NeoX's, `ffn | ffn` a gated
feed-forward part in halves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ast

Sizes = Mapping[str, int]
LARGEST_POWER = 4
Units = Mapping[str, Sequence[int]]  # the numbers of the units that stay, in their new order, by name


class Part(NamedTuple):
    """A run of places. unit: the name of what they belong to, empty for none; width: places a unit, or all of them."""

    unit: str
    width: str


@cache
def parts(axis: str) -> tuple[Part, ...]:
    """The parts of an axis."""
    return tuple(_part(text.strip()) for text in axis.split("|"))


def _part(text: str) -> Part:
    unit, colon, width = text.partition(":")
    if colon:
        return Part(unit, width)
    return Part(text, "1") if text.isidentifier() else Part("", text)


def units(axis: str) -> frozenset[str]:
    """The names of the units that an axis is made of."""
    return frozenset(part.unit for part in parts(axis)) - {""}


def sizes_in(axis: str) -> frozenset[str]:
    """The names of the sizes that the length of an axis needs."""
    return frozenset(re.findall(r"[A-Za-z_]\w*", axis))


def length(axis: str, sizes: Sizes) -> int:
    """How many places an axis has.

    Raises:
        KeyError: a size that is not known.
    """
    return sum(_extent(part, sizes) for part in parts(axis))


def _extent(part: Part, sizes: Sizes) -> int:
    return (sizes[part.unit] if part.unit else 1) * value(part.width, sizes)


def places(axis: str, sizes: Sizes, kept: Units) -> list[int] | None:
    """The places along an axis that the kept units hold, in their new order; None where all stay as they are."""
    if not units(axis) & kept.keys():
        return None
    found: list[int] = []
    start = 0
    for part in parts(axis):
        end = start + _extent(part, sizes)
        if part.unit in kept:
            width = value(part.width, sizes)
            found += [start + unit * width + place for unit in kept[part.unit] for place in range(width)]
        else:
            found += range(start, end)
        start = end
    return found


def value(expression: str, sizes: Sizes) -> int:
    """The number that an arithmetic of sizes comes to."""
    if expression.isdigit():
        return int(expression)
    return sizes[expression] if expression.isidentifier() else _value(_tree(expression), sizes)


@cache
def _tree(expression: str) -> ast.expr:
    import ast  # most axes are plain sizes, and start-up is short without it

    return ast.parse(expression.strip(), mode="eval").body


def _value(node: ast.expr, sizes: Sizes) -> int:
    import ast

    match node:
        case ast.Constant(value=int() as number):
            return number
        case ast.Name(id=name):
            return sizes[name]
        case ast.BinOp(left=left, op=operation, right=right):
            return _result(operation, _value(left, sizes), _value(right, sizes), ast.unparse(node))
    raise ValueError(f"no arithmetic of sizes: {ast.unparse(node)}")


def _result(operation: ast.operator, left: int, right: int, text: str) -> int:
    match type(operation).__name__:
        case "Add":
            return left + right
        case "Sub":
            return left - right
        case "Mult":
            return left * right
        case "FloorDiv":
            return left // right
        case "Pow" if right <= LARGEST_POWER:
            return int(left**right)
    raise ValueError(f"no arithmetic of sizes: {text}")
