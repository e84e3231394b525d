"""Seen: the tensors of one class of a family under the flags that were tried, labelled where they are understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from advisor.base.errors import AdviseError
from advisor.compute.structure.inference.blocks import Blocks, named
from advisor.compute.structure.inference.flags import Flags, Point
from advisor.compute.structure.inference.infer import infer
from advisor.compute.structure.inference.proof import prove
from advisor.families.described.axes import length
from advisor.families.described.structure import Row

Thing = tuple[str, Row]  # a tensor's name and what its axes follow


@dataclass(slots=True)
class Task:
    """One class of the family: what was seen of it.

    rows: the labels known, by name; sizes: where sizes come from; unclear: points whose models cannot be inferred.
    """

    flags: Flags
    blocks: Blocks
    sizes: dict[str, dict[str, Any]]
    rows: dict[str, list[Row]] = field(default_factory=dict)
    seen: dict[tuple[tuple[str, str], ...], frozenset[Thing] | None] = field(default_factory=dict)
    unclear: set[tuple[tuple[str, str], ...]] = field(default_factory=set)

    def look(self, point: Point) -> frozenset[Thing] | None:
        """The tensors of a small model with these flags, labelled; None where none can be built."""
        key = tuple(sorted({**self.flags.usual, **point}.items()))
        if key not in self.seen:
            self.seen[key] = self._look(point)
            if self.seen[key] is None and self.flags.tensors(point) is not None:
                self.unclear.add(key)
        return self.seen[key]

    def not_covered(self) -> dict[str, set[str]]:
        """Values of single flags with which a model can be built, but not inferred."""
        found: dict[str, set[str]] = {}
        for key, kinds in self.flags.values.items():
            alone = {one: tuple(sorted({**self.flags.usual, key: one}.items())) for one in kinds}
            if barred := {one for one, point in alone.items() if point in self.unclear}:
                found[key] = barred
        return found

    def _look(self, point: Point) -> frozenset[Thing] | None:
        found = self.flags.tensors(point)
        if found is None:
            return None
        tensors, sizes = found
        patterns = named(tensors.shapes, self.blocks)
        rows = {name: self._known(patterns[name], shape, sizes) for name, shape in tensors.shapes.items()}
        if None in rows.values():
            self._label(point)
            rows = {name: self._known(patterns[name], shape, sizes) for name, shape in tensors.shapes.items()}
        things = {(patterns[name], row) for name, row in rows.items() if row is not None}
        return frozenset(things) if None not in rows.values() else None

    def _known(self, pattern: str, shape: tuple[int, ...], sizes: Mapping[str, int]) -> Row | None:
        rows = self.rows.get(pattern, [])
        return next((row for row in rows if tuple(_length(axis, sizes) for axis in row.axes) == shape), None)

    def _label(self, point: Point) -> None:
        """Learn the labels of a config that has a tensor not seen before."""
        try:
            proof = prove(infer(self.flags.config(point), self.flags.class_))
        except AdviseError:
            return
        small = proof.inferred.small
        for size in small.sizes:
            if not size.follows:
                self.sizes.setdefault(size.name, {"key": size.key})
        for key in small.others:
            self.sizes.setdefault(key.replace(".", "_"), {"key": key, "usual": small.given[key]})
        for pattern, row in proof.structure.rows.items():
            known = self.rows.setdefault(pattern, [])
            if row not in known:
                known.append(row)


def _length(axis: str, sizes: Mapping[str, int]) -> int | None:
    try:
        return length(axis, sizes)
    except KeyError:
        return None
