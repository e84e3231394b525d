"""Counts: what a structure or a config says, summed up for facts and predictions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from math import prod
from typing import Any

from advisor.families.described.axes import units
from advisor.families.described.structure import PLACE, Row, Structure

LABELLED, WRITTEN = "text-classification", "text2text-generation"
# Keys by which a config says which layers attend to a window of the text.
WINDOWS = {"layer_types", "attention_types", "use_sliding_window", "sliding_window", "global_attn_every_n_layers"}
WRITING = (WRITTEN, "text-generation", "automatic-speech-recognition")  # tasks whose models have output embeddings


def multiplications(structure: Structure) -> int:
    """Of one token with the weight matrices of all blocks, a shared block once for each layer."""
    return sum(
        prod(structure.shape(row)) * _runs(structure, pattern)
        for pattern, row in structure.rows.items()
        if len(row.axes) == 2 and _in_every_block(pattern)
    )


def _in_every_block(pattern: str) -> bool:
    """Whether a tensor is part of a block, and not a table that the first block holds for all."""
    marks = PLACE.findall(pattern)
    return bool(marks) and all(onwards or not first for _, first, onwards in marks)


def _runs(structure: Structure, pattern: str) -> int:
    """How often a text passes a tensor: once in each block, or in each layer that shares one."""
    shared = [stack.depth for stack in structure.stacks.values() if stack.shared]
    groups = next((name for name, _, _ in PLACE.findall(pattern) if structure.stacks[name].key == name), "")
    times = structure.times(pattern)
    return times * shared[0] // structure.stacks[groups].depth if shared and groups else times


def learns_positions(structure: Structure) -> bool:
    """Whether there is a vector for each position."""
    return any(row.axes[0].partition(" + ")[0] == "positions" for row in structure.rows.values() if row.axes)


def vocabularies(structure: Structure) -> list[int]:
    """The parameters of every matrix with a row for each word: of the words that come in, and of those that go out."""
    rows = [row for row in structure.rows.values() if _is_vocabulary(row)]
    return [prod(structure.shape(row)) for row in rows]


def _is_vocabulary(row: Row) -> bool:
    return row.counted and len(row.axes) == 2 and row.axes[0] == "vocab"


def is_fused(structure: Structure) -> bool:
    """Whether query, key and value share a matrix."""
    axes = {axis for row in structure.rows.values() for axis in row.axes if units(axis) & {"heads", "kv"}}
    return any("|" in axis or "*" in axis or "//" in axis for axis in axes)


def slides(config: Mapping[str, Any], lists: Collection[str] = ()) -> bool | None:
    """Whether some layers attend to a window only: as the config lists them, or else by what it says of all.

    Args:
        lists: by layer that the family has. Of one that lists kinds of layers, a config without a word of them says
            nothing: its class decides, as Gemma's does.
    """
    if "layer_types" in lists and not WINDOWS & config.keys():
        return None
    if listed := config.get("layer_types") or config.get("attention_types"):
        return "sliding" in str(listed) or "local" in str(listed)
    if config.get("use_sliding_window") is False:
        return False
    every = config.get("global_attn_every_n_layers") or 1  # ModernBERT: the other layers look nearby
    return bool(config.get("sliding_window")) or every > 1


def ties(tasks: Collection[str], structure: Callable[[str], Structure]) -> bool:
    """Whether words come in and go out by the same matrix; so they do in an encoder's pre-training.

    Args:
        tasks: that the family has classes for. structure: the tensors of the model of one of them.
    """
    writing = next((task for task in WRITING if task in tasks), "")
    return len(vocabularies(structure(writing))) == 1 if writing else LABELLED in tasks
