"""Rows: the table of a model's tensors, each axis labelled, and where units are chosen by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from advisor.base.errors import AdviseError
from advisor.compute.structure.inference.attention import attentions
from advisor.compute.structure.inference.blocks import Blocks, named, pattern
from advisor.compute.structure.inference.inputs import answers
from advisor.compute.structure.inference.labels import Unlabelled, label
from advisor.compute.structure.inference.small import SETTINGS, SmallConfigs
from advisor.compute.structure.inference.special import reason_for, special
from advisor.compute.structure.inference.stock import Tensors
from advisor.families.described.structure import Row

Choice = tuple[str, int]  # a row and one of its axes
Choices = list[dict[Choice, tuple[str, ...]]]  # axes that change their grouping together, with the groupings


def rows(model: Any, settings: list[Tensors], blocks: Blocks, small: SmallConfigs) -> tuple[dict[str, Row], Choices]:
    """The rows of a model by pattern, with the more usual groupings, and the other groupings to try.

    model: of the first setting, to see what runs when. settings: the tensors under the three settings of sizes.

    Raises:
        AdviseError: an axis follows nothing that is known, or blocks differ.
    """
    label_axes = _labeller(model, blocks, small)
    patterns = named(settings[0].shapes, blocks)
    found: dict[str, Row] = {}
    groups: dict[str, dict[Choice, tuple[str, ...]]] = {}
    for name, lengths in _lengths(settings).items():
        attention, labels = label_axes(name, lengths)
        one = patterns[name]
        row = Row(tuple(axis[0] for axis in labels), _site(one, attention, labels, blocks), name in settings[0].counted)
        if one in found and found[one].axes != row.axes:
            raise AdviseError(f"{name}: its shape is not that of the other blocks, which advise cannot cut yet")
        found.setdefault(one, row)
        for axis, groupings in enumerate(labels):
            if len(groupings) > 1:
                groups.setdefault(row.site + groupings[0], {})[one, axis] = groupings
    return _alike(found), list(groups.values())


Labels = list[tuple[str, ...]]


def _labeller(
    model: Any, blocks: Blocks, small: SmallConfigs
) -> Callable[[str, tuple[tuple[int, ...], ...]], tuple[str, Labels]]:
    """What says of a tensor with these lengths which attention it is part of, and what its axes follow."""
    sizes = [small.values(setting) for setting in SETTINGS]
    heads = next((size.name for size in small.sizes if size.name.rpartition("_")[2] == "heads"), "")
    found = attentions(model, lambda name: pattern(name, blocks) != name, answers)
    unusual = special(model)
    marks = {tensor: (one.name, axes) for one in found for tensor, axes in one.heads.items()}

    def labelled(name: str, lengths: tuple[tuple[int, ...], ...]) -> tuple[str, Labels]:
        attention, holds = marks.get(name, ("", (False,) * len(lengths)))
        own = _heads_of(pattern(name, blocks), heads, sizes[0])
        try:
            return attention, [label(one, sizes, own, mark) for one, mark in zip(lengths, holds, strict=True)]
        except Unlabelled as error:
            why = reason_for(name, unusual) or str(error)
            raise AdviseError(f"{name}: what an axis follows is not clear: {why}") from None

    return labelled


def _lengths(settings: list[Tensors]) -> dict[str, tuple[tuple[int, ...], ...]]:
    """The lengths of every tensor's axes in the three settings."""
    names = settings[0].shapes.keys()
    if any(one.shapes.keys() != names for one in settings):
        raise AdviseError("its tensors differ with its sizes, not only their shapes")
    return {name: tuple(zip(*(one.shapes[name] for one in settings), strict=True)) for name in names}


def _heads_of(one: str, heads: str, sizes: Mapping[str, int]) -> str:
    """The heads of the part of the model that a tensor stands in."""
    parts = one.replace("vision_model", "vision").split(".")
    scope = next((scope for scope in ("decoder", "vision") if scope in parts or f"{{{scope}}}" in one), "")
    return f"{scope}_heads" if f"{scope}_heads" in sizes else heads


def _site(one: str, attention: str, labels: Labels, blocks: Blocks) -> str:
    """The module whose units are chosen by themselves: the attention, or the block for neurons."""
    text = " ".join(axis[0] for axis in labels)
    if attention and re.search(r"heads|kv", text):
        return pattern(attention, blocks)
    block = re.match(r".*?\{\w+\}(?:\.\w+\.\{\w+\})?", one)
    return block[0] if block and "ffn" in text else ""


def _alike(found: Mapping[str, Row]) -> dict[str, Row]:
    """Attentions that share a table of their heads have to keep the same ones: T5's and MPNet's position biases."""
    shared = dict(found)
    for one, row in found.items():
        table = next((axis for axis in row.axes if axis.endswith("heads") and ":" not in axis), "")
        if not table or (row.site and not re.search(r"\{\w+:0\}", one)):
            continue
        first = (other.site for other in found.values() if f"{table}:" in " ".join(other.axes))
        site = row.site or next(first, "")
        common = re.sub(r"\{\w+\}", "*", site)
        shared |= {
            name: replace(other, site=common) for name, other in found.items() if name == one or other.site == site
        }
    return shared
