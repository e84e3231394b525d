"""Smaller config: the keys of a config that change where blocks or widths go, without torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from advisor.families.described import layer_lists
from advisor.families.described.axes import parts, sizes_in
from advisor.families.described.description import Config, Description
from advisor.families.described.structure import Structure


def with_blocks(
    described: Description, config: Config, structure: Structure, kept: Mapping[str, Sequence[int]]
) -> dict[str, Any]:
    """The config of a model of these blocks, all of the stacks that are not named.

    Raises:
        ValueError, AdviseError: they cannot be removed, or a list says something of each block that nobody knows.
    """
    changed: dict[str, Any] = {}
    for name, numbers in kept.items():
        stack = structure.stacks[name]
        if len(numbers) < stack.depth:
            _refuse_unproven(described, f"layers.{name}", f"{name} layers")
            if not stack.shared:
                _refuse_without_first(structure, name, numbers)
                changed |= layer_lists.cut(config, stack.depth, numbers)
        changed[stack.key] = len(numbers)
    return _with(described, config, changed)


def _refuse_without_first(structure: Structure, stack: str, numbers: Sequence[int]) -> None:
    if (stack, 0) in structure.fixed() and numbers[0] != 0:
        raise ValueError(f"block 0 of the {stack} has to stay: it lacks a tensor that all others have")


def with_sizes(
    described: Description, config: Config, structure: Structure, wanted: Mapping[str, int]
) -> dict[str, Any]:
    """The config of a model with other numbers of `hidden` channels, `heads` and `ffn` neurons.

    Heads go in whole key-value groups.

    Raises:
        ValueError: no config of the family can express it.
    """
    fewer = {unit: size for unit, size in wanted.items() if size != structure.sizes[unit]}
    changed: dict[str, Any] = {}
    for unit, size in fewer.items():
        _refuse_unproven(described, unit, unit, together=f"{unit}+heads")
        changed |= dict.fromkeys(_said_by(described, structure, unit), size)
    sizes = {**structure.sizes, **fewer}
    if "heads" in fewer and "kv" in described.sizes:
        sizes["kv"] = _groups(described, structure, fewer["heads"])
        changed[described.sizes["kv"].key] = sizes["kv"]
    if "hidden" in fewer:
        _refuse_no_channels(structure)
        changed |= dict.fromkeys(_following(described, config, structure, sizes["hidden"]), sizes["hidden"])
    if fewer and config.get(described.sizes["ffn"].key) is None:
        # Said outright: else GPT-2 would take four times the new hidden size.
        changed[described.sizes["ffn"].key] = sizes["ffn"]
    if {"hidden", "heads"} & fewer.keys() and described.sizes["head"].key:
        # Said outright: else transformers would take hidden size / heads, and a Llama with fewer heads would grow.
        changed[described.sizes["head"].key] = sizes["head"]
    for name, of in described.cuts["multiples"].items():
        if sizes[name] % sizes[of]:
            keys = described.sizes[name].key, described.sizes[of].key
            raise ValueError(f"{keys[0]} {sizes[name]} cannot be divided by {keys[1]} {sizes[of]}")
    return _with(described, config, changed)


def _refuse_unproven(described: Description, cut: str, what: str, together: str = "") -> None:
    possible = described.cuts["possible"]
    goes_along = cut == "heads" and any(one.endswith("+heads") for one in possible)
    if cut not in possible and together not in possible and not goes_along:
        why = described.cuts["refused"].get(cut, "nobody has proven it")
        raise ValueError(f"{what} cannot be cut: {why}")


def _said_by(described: Description, structure: Structure, unit: str) -> list[str]:
    """The keys that hold a size, of both stacks where the config has one for each.

    Raises:
        ValueError: the stacks differ.
    """
    names = [name for name in described.sizes if name in (unit, f"decoder_{unit}")]
    keys = [described.sizes[name].key for name in names]
    lengths = [structure.sizes[name] for name in names]
    if len(set(lengths)) > 1:
        shown = " and ".join(f"{key} {length}" for key, length in zip(keys, lengths, strict=True))
        raise ValueError(f"{shown} differ: no step can change both")
    return keys


def _groups(described: Description, structure: Structure, heads: int) -> int:
    """The number of key-value heads that as many query heads have."""
    each = structure.sizes["heads"] // structure.sizes["kv"]
    if heads % each:
        near = max(1, round(heads / each)) * each
        key = described.sizes["heads"].key
        raise ValueError(f"{key} {heads}: {each} heads share a key and value, and go together: try {near}")
    return heads // each


def _refuse_no_channels(structure: Structure) -> None:
    """A grouped convolution runs over channels, and its weights have an axis of another arithmetic of them."""
    for pattern, row in structure.rows.items():
        for axis in row.axes:
            if any(not part.unit and "hidden" in sizes_in(part.width) for part in parts(axis)):
                raise ValueError(f"hidden channels cannot be cut: {pattern} has an axis of {axis}")


def _following(described: Description, config: Config, structure: Structure, hidden: int) -> Iterator[str]:
    """The keys of the widths that follow the hidden size.

    Raises:
        ValueError: a width of its own would fall together with the hidden size, and its projections would go.
    """
    leader = described.sizes["hidden"].key
    for key in (key for key, flag in described.flags.items() if flag.follows == leader):
        if described.same_as_leader(key, config):
            if key in config or any(size.key == key and size.usual is not None for size in described.sizes.values()):
                yield key
        elif config.get(key) == hidden:
            raise ValueError(
                f"{leader} {hidden} equals {key}, so the projections between them would go: choose another {leader}, "
                "or other increments to pass it by"
            )
    yield from (key for key in STORED if config.get(key) == structure.sizes["hidden"])


STORED = ("pooler_output_size",)  # of the pooler, which another class of the family has


def _with(described: Description, config: Config, changed: Mapping[str, Any]) -> dict[str, Any]:
    """The config with changes, under whichever names it says them."""
    if nested := [key for key in changed if "." in key]:
        raise ValueError(f"{nested[0]}: no step can change a part of a config yet")
    again = {name: changed[key] for name, key in described.aliases.items() if name in config and key in changed}
    return {**config, **changed, **again}
