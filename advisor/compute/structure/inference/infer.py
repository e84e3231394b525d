"""Infer: the structure of any model that transformers can build, from its config alone.

The stock class is built on the meta device under three settings of small sizes; which lengths grow with which size says
what every axis follows, and which names come with one block more says what the blocks are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from advisor.base.errors import AdviseError
from advisor.compute.structure.inference import blocks as block_lists
from advisor.compute.structure.inference import stock
from advisor.compute.structure.inference.blocks import Blocks
from advisor.compute.structure.inference.inputs import answers
from advisor.compute.structure.inference.rows import Choice, rows
from advisor.compute.structure.inference.sizes import DEPTH
from advisor.compute.structure.inference.small import REFUSED, SETTINGS, SmallConfigs, with_heads
from advisor.compute.structure.inference.special import refused, special
from advisor.families.described.structure import Stack, Structure


@dataclass(frozen=True, slots=True)
class Inferred:
    """What a config says of its model.

    structure: with the more usual groupings. small: the configs it was inferred from. blocks: where names hold the
    number of a block. choices: other groupings, which the proof has to try, by the axes that change together. refused:
    units that are not cut whatever a proof would say, with the reason.
    """

    class_: Any
    config: Any
    structure: Structure
    small: SmallConfigs = field(repr=False)
    blocks: Blocks = field(default_factory=dict, repr=False)
    choices: tuple[Mapping[Choice, tuple[str, ...]], ...] = field(default=(), repr=False)
    refused: Mapping[str, str] = field(default_factory=dict)

    def at(self, setting: int, structure: Structure | None = None) -> Structure:
        """The structure of a small model."""
        known = structure or self.structure
        deep = [name for name, stack in known.stacks.items() if stack.key in self.small.depths]
        return known.resized(dict.fromkeys(deep, DEPTH), **self.small.values(setting))


def infer(config: Any, class_: Any = None) -> Inferred:
    """The structure of the stock class (default: of the family's first task) with this config.

    Raises:
        AdviseError: the class refuses small sizes, an axis follows nothing that is known, or blocks differ.
    """
    class_ = class_ or stock.class_of(config)
    try:
        with stock.quiet():
            return _infer(config, class_)
    except AdviseError:
        raise
    except REFUSED as error:
        why = _unusual(config, class_) or stock.in_words(error, config.to_dict())
        raise AdviseError(f"{class_.__name__}: its structure cannot be inferred: {why}") from error


def _unusual(config: Any, class_: Any) -> str:
    """The first part of a model that advise does not cut, in words; empty where there is none, or no model."""
    try:
        found = special(class_(SmallConfigs(config, False, class_).config()))
    except REFUSED:
        return ""
    return next((one.reason for one in found.values()), "")


def _infer(config: Any, class_: Any) -> Inferred:
    small = SmallConfigs(config, _has_free_heads(config, class_), class_)
    blocks = block_lists.find(class_, small, stock.built(class_, small.config()))
    settings = [stock.built(class_, small.config(setting)) for setting in SETTINGS]
    model = class_(small.config()).eval()
    table, choices = rows(model, settings, blocks, small)
    stacks = {
        name: Stack(small.given[key], key, shared=not paths)
        for name, (key, paths) in blocks.items()
        if paths or block_lists.runs(class_, small, model, key)
    }
    tied = {name: owner for name, owner in settings[0].tied.items() if block_lists.pattern(name, blocks) == name}
    structure = Structure(_sizes(config, small), stacks, table, tied)
    _compare(structure, class_, config)
    return Inferred(class_, config, structure, small, blocks, tuple(choices), refused(special(model)))


def _has_free_heads(config: Any, class_: Any) -> bool:
    """Whether heads x head size may differ from the hidden size: the config has a key for it that the class follows."""
    fixed, free = SmallConfigs(config, False, class_), SmallConfigs(config, True, class_)
    key = next((size.key for size in free.sizes if size.name == "head"), "")
    if not any(size.name == "heads" for size in free.sizes):
        return False
    with stock.reading() as names:
        before = stock.built(class_, fixed.config())
    if key not in names and key not in fixed.given:
        return False
    try:
        after = class_(free.config()).eval()
        answers(after)
        longer = stock.built(class_, free.config(**{key: 2 * free.values(0)["head"]}))
    except REFUSED:
        return False
    shapes = stock.tensors_of(after).shapes
    # BERT and others take a head size, and ignore it.
    return shapes.keys() == before.shapes.keys() and shapes != longer.shapes


def _sizes(config: Any, small: SmallConfigs) -> dict[str, int]:
    """The real sizes by name."""
    given = small.given
    found = {size.name: given[size.key] for size in small.sizes if given.get(size.key) and not size.follows}
    found |= {key.replace(".", "_"): given[key] for key in small.others}
    if "ffn" not in found and any(size.name == "ffn" for size in small.sizes):
        found["ffn"] = 4 * found["hidden"]  # GPT-2 and GPT-Neo leave it out; compared with a real model below
    return with_heads({**found, "labels": small.labels[0] if len(set(small.labels)) == 1 else config.num_labels})


def _compare(structure: Structure, class_: Any, config: Any) -> None:
    """The structure is that of the given config too, not only of small ones."""
    real = stock.built(class_, config)
    wrong = sorted(structure.shapes().items() ^ real.shapes.items())
    if wrong:
        raise AdviseError(f"{class_.__name__}: {wrong[0][0]} has not the shape that small models of it suggest")
