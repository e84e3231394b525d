"""Structure: every tensor of one model, what each of its axes follows, and what a smaller model keeps of it.

A plain value without torch: it is inferred from a config by `advisor.compute.structure.inference`, or read from the
file that describes a family.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import prod

from advisor.base.frozen import frozen, made, replace
from advisor.families.described.axes import length, places, units

Kept = Mapping[tuple[str, str], Sequence[int]]  # units that stay, by name and by site ('' for the whole model)
Blocks = Mapping[str, Sequence[int]]  # blocks that stay, by stack
PLACE = re.compile(r"\{(\w+)(?::(\d+)(\+?))?\}")


@frozen
class Row:
    """A tensor, or the same one of every block.

    axes: what each axis follows, in the notation of `axes`. site: the module whose units are chosen by themselves (one
    attention, one block's feed-forward part); empty where the units are the whole model's. counted: a parameter, and
    not a saved buffer.
    """

    axes: tuple[str, ...]
    site: str = ""
    counted: bool = True


@frozen
class Stack:
    """A row of blocks. key: where the config keeps their number. shared: all layers run the same block."""

    depth: int
    key: str = ""
    shared: bool = False


@frozen
class Structure:
    """The tensors of one model.

    sizes: the length of every unit. rows: by name; a name may hold the number of a block as `{encoder}`, as
    `{encoder:0}` where only block 0 has the tensor, or as `{encoder:1+}` where it starts with block 1. tied: names in
    the state that are another tensor's, by name.
    """

    sizes: Mapping[str, int]
    stacks: Mapping[str, Stack]
    rows: Mapping[str, Row]
    tied: Mapping[str, str] = made(default_factory=dict)

    def tensors(self) -> Iterator[tuple[str, Row, str]]:
        """Every tensor by its full name, its row, and the site with the number of its block."""
        for pattern, row in self.rows.items():
            for numbers in self._numbers(pattern):
                yield fill(pattern, numbers), row, fill(row.site, numbers)

    def _numbers(self, pattern: str) -> list[dict[str, int]]:
        found: list[dict[str, int]] = [{}]
        for stack, first, onwards in PLACE.findall(pattern):
            blocks = range(int(first or 0), self._last(stack, first, onwards))
            found = [{**numbers, stack: block} for numbers in found for block in blocks]
        return found

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every tensor."""
        return {name: self.shape(row) for name, row, _ in self.tensors()}

    def shape(self, row: Row) -> tuple[int, ...]:
        return tuple(length(axis, self.sizes) for axis in row.axes)

    def parameters(self) -> int:
        """The exact number of parameters, each tied weight counted once."""
        return sum(prod(self.shape(row)) * self.times(pattern) for pattern, row in self.rows.items() if row.counted)

    def times(self, pattern: str) -> int:
        """In how many blocks a tensor stands: 1 for one outside them."""
        return prod(self._last(*place) - int(place[1] or 0) for place in PLACE.findall(pattern))

    def _last(self, stack: str, first: str, onwards: str) -> int:
        """The number behind that of the last block with a tensor."""
        depth = self.stacks[stack].depth
        return depth if onwards or not first else min(depth, int(first) + 1)

    def fixed(self) -> set[tuple[str, int]]:
        """Blocks that have to stay, by stack and number: ModernBERT's first lacks a norm that the others have."""
        marks = {stack: f"{{{stack}:1+}}" for stack in self.stacks}
        return {(stack, 0) for stack, mark in marks.items() if any(mark in pattern for pattern in self.rows)}

    def sites(self, unit: str) -> list[str]:
        """Where units of this name are chosen by themselves, in the order of the tensors."""
        return list(dict.fromkeys(site if local(unit) else "" for _, row, site in self.tensors() if _has(row, unit)))

    def rows_of(self, unit: str) -> list[str]:
        """The patterns of the tensors with units of this name."""
        return [pattern for pattern, row in self.rows.items() if _has(row, unit)]

    def resized(self, depths: Mapping[str, int], **sizes: int) -> Structure:
        """The structure with other depths and sizes."""
        stacks = {name: replace(stack, depth=depths.get(name, stack.depth)) for name, stack in self.stacks.items()}
        return replace(self, stacks=stacks, sizes={**self.sizes, **sizes})

    def slices(self, kept: Kept, blocks: Blocks | None = None) -> Iterator[Slice]:
        """What every tensor of the smaller model is made of. kept: sites by the old numbers of blocks."""
        blocks = blocks or {}
        smaller = self.resized({stack: len(numbers) for stack, numbers in blocks.items()})
        for pattern, row in smaller.rows.items():
            for numbers in smaller._numbers(pattern):
                old = {stack: blocks[stack][block] if stack in blocks else block for stack, block in numbers.items()}
                # A block that moves to the front takes what only the first one has from the old first.
                source = fill(pattern, old | _fixed(pattern))
                yield Slice(fill(pattern, numbers), source, self._cuts(row, fill(row.site, old), kept))

    def _cuts(self, row: Row, site: str, kept: Kept) -> tuple[list[int] | None, ...]:
        mine = {unit: numbers for (unit, where), numbers in kept.items() if where == (site if local(unit) else "")}
        return tuple(places(axis, self.sizes, mine) for axis in row.axes)


@frozen
class Slice:
    """A tensor of the smaller model: where it comes from, and the places that stay along each axis, None for all."""

    name: str
    source: str
    places: tuple[list[int] | None, ...]


def fill(pattern: str, numbers: Mapping[str, int]) -> str:
    """A name with the numbers of its blocks."""
    return PLACE.sub(lambda mark: str(numbers[mark[1]]), pattern) if pattern else ""


def _fixed(pattern: str) -> dict[str, int]:
    """The block that a tensor belongs to, whichever other blocks are removed."""
    return {stack: int(first) for stack, first, onwards in PLACE.findall(pattern) if first and not onwards}


def _has(row: Row, unit: str) -> bool:
    return any(unit in units(axis) for axis in row.axes)


def removable(unit: str) -> bool:
    """Whether a model can lose units of this name: hidden channels, neurons, heads in their key-value groups."""
    return unit.rpartition("_")[2] in ("hidden", "heads", "kv", "ffn")


def local(unit: str) -> bool:
    """Whether units of this name are chosen site by site; hidden channels are the whole model's."""
    return unit.rpartition("_")[2] in ("heads", "kv", "ffn")
