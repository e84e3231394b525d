"""A described model type as a `Family`, for those that no module of `models/` knows: exact sizes, and layers to remove.

Widths are not narrowed this way, and `advise run` does not take such a model yet.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from advisor.facts.facts import Kind
from advisor.families.described import description
from advisor.families.described.axes import length
from advisor.families.described.description import Description
from advisor.families.described.structure import Structure
from advisor.families.family import Blocks, Config, Family, Stack, Tensors
from advisor.families.tensors import of_kept

TASK = "text-classification"  # whose head is counted, where the model type has one
# Lists that may be as long as the depth by chance and say nothing of layers.
OTHER_LISTS = ("architectures", "suppress_tokens", "begin_suppress_tokens", "eos_token_id", "pos_att_type")
VOCABULARY = {"vocab": "vocabulary"}  # the families' own word


@cache
def find(model_type: str) -> Family | None:
    """The described model type as a family; None where no file describes it, or not as one kind of blocks.

    Raises:
        AdviseError: a file of the user's cannot be read.
    """
    one = description.find(model_type)
    if one is None or one.shared or not {"hidden", "heads"} <= one.sizes.keys() or not one.sizes["heads"].key:
        return None
    return _family(one)


def uncovered(config: Config) -> list[str]:
    """What keeps the sizes of a config from being known: values of its flags that nobody tried, as `key = value`."""
    one = description.find(str(config.get("model_type", "")))
    return one.uncovered(config) if one else []


def _family(one: Description) -> Family:
    usual = {size.key: size.usual for size in (*one.sizes.values(), *one.stacks.values()) if size.key and size.usual}
    keys = {name: size.key for name, size in one.sizes.items()}
    return Family(
        model_type=one.model_type,
        kind=_kind(one),
        title=one.model_type,
        checkpoint="",
        config={"model_type": one.model_type, **usual},
        stacks=tuple(Stack(name, size.key) for name, size in one.stacks.items()),
        tensors=lambda config: _tensors(_structure(one, config)),
        axes=lambda config: _lengths(_structure(one, config)),
        hidden_size=keys["hidden"],
        heads=keys["heads"],
        intermediate_size=keys.get("ffn") or "",
        vocabulary=keys.get("vocab") or "",
        head_size=keys.get("head") or "",
        usual_head_size=0,
        grouped=keys.get("kv") or "",
        generative=_kind(one) != "encoder",
        narrows=False,
        executable=False,
        read=lambda config: {**usual, **config},
        follows=lambda before, after, blocks: _follows(one, before, blocks),
    )


def _kind(one: Description) -> Kind:
    if len(one.stacks) > 1:
        return "encoder-decoder"
    return "decoder" if "decoder" in one.stacks else "encoder"


def _structure(one: Description, config: Config) -> Structure:
    return one.structure(config, TASK if TASK in one.tasks else "", config.get("num_labels") or 2)


def _tensors(structure: Structure) -> Tensors:
    """The rows as a family writes them: a name with the mark of its stack, and a word for each axis."""
    rows = {_name(name): row for name, row in structure.rows.items() if row.counted}
    return {name: " ".join(map(_word, row.axes)) for name, row in rows.items()}


def _name(name: str) -> str:
    return name.replace(":1+}", ":1}").replace("{encoder:0}", "0").replace("{decoder:0}", "0")


def _word(axis: str) -> str:
    return VOCABULARY.get(axis, axis.replace(" ", ""))


def _lengths(structure: Structure) -> Mapping[str, int]:
    axes = {axis for row in structure.rows.values() for axis in row.axes}
    return {_word(axis): length(axis, structure.sizes) for axis in axes if axis != "labels"}


def _follows(one: Description, before: Config, blocks: Blocks) -> dict[str, Any]:
    """What else changes with the blocks that stay.

    Raises:
        ValueError: they cannot be removed, or a list says something of each block that nobody knows.
    """
    depths = {name: before.get(size.key) or size.usual or 0 for name, size in one.stacks.items()}
    cut = [name for name, kept in blocks.items() if len(kept) != depths[name]]
    for name in cut:
        if f"layers.{name}" not in one.cuts["possible"]:
            why = one.cuts["refused"].get(f"layers.{name}", "nobody has proven it")
            raise ValueError(f"{name} layers of {one.model_type} cannot be removed: {why}")
        if unknown := _lists(before, depths[name], (*one.lists, *OTHER_LISTS)):
            raise ValueError(f"{unknown[0]} has an entry for each of {depths[name]} layers, and it is not known which")
    if not cut or len(blocks) > 1:
        return {}
    kept = blocks[cut[0]]
    lists = {key: of_kept(before, key, depths[cut[0]], kept) for key in one.lists if before.get(key)}
    return lists | ({"max_window_layers": len(kept)} if isinstance(before.get("max_window_layers"), int) else {})


def _lists(config: Config, depth: int, known: Collection[str]) -> list[str]:
    """The keys of lists that are as long as the depth, but for these."""
    lists = (key for key, value in config.items() if isinstance(value, list | tuple) and len(value) == depth > 2)
    return [key for key in lists if key not in known]
