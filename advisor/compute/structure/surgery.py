"""Make a smaller model of a larger one: whole blocks go, or rows and columns; never masks.

The family's table of tensors says which axis of each weight is the hidden size, the heads, the feed-forward
part. A new model of the stock class is built from the smaller config and filled with slices of the old
weights, so block numbers, caches and position biases are right by construction (T5's relative bias lives in
block 0 of each stack and is always taken from there).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from advisor.base.errors import AdviseError
from advisor.compute.structure.axes import LAYOUTS
from advisor.compute.structure.blocks import Block
from advisor.compute.tasks.scorer import Scorer
from advisor.families.family import Config, Family
from advisor.families.heads import OUTPUT

STACKS = ("encoder", "decoder")


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays: numbers of hidden channels; of heads and feed-forward neurons by stack and block. Empty: all."""

    hidden: Tensor | None = None
    attention: Mapping[Block, Tensor] = field(default_factory=dict)
    cross: Mapping[Block, Tensor] = field(default_factory=dict)
    intermediate: Mapping[Block, Tensor] = field(default_factory=dict)


def keep_layers(student: Scorer, family: Family, config: Config, kept: Mapping[str, tuple[int, ...]]) -> Scorer:
    """A model of the kept blocks, in their order. kept: old block numbers by stack."""
    old = tensors(student.model, family)
    filled = {}
    for name, (_, stack, block) in family.tensor_names(config).items():
        source = name if not stack else name.replace(f".{block}.", f".{kept[stack][block]}.", 1)
        filled[name] = old[source]
    return _filled(student, family, config, filled)


def narrow(student: Scorer, family: Family, config: Config, kept: Kept, head_size: int) -> Scorer:
    """A model of the kept rows and columns."""
    old = tensors(student.model, family)
    filled = {}
    for name, (axes, stack, block) in family.tensor_names(config).items():
        tensor = old[name]
        for dimension, axis in enumerate(axes.split()):
            units = _kept(axis, kept, block_of(name, stack, block))
            if units is not None:
                numbers = LAYOUTS[axis].numbers(units, tensor.shape[dimension], head_size)
                tensor = tensor.index_select(dimension, numbers.to(tensor.device))
        filled[name] = tensor
    scorer = _filled(student, family, config, filled)
    if kept.hidden is not None:
        scorer.channels = student.channels[kept.hidden.to(student.channels.device)]
    return scorer


def block_of(name: str, stack: str, block: int) -> Block:
    """The stack and number of the block whose heads and neurons a tensor belongs to."""
    # A position bias for all blocks (T5's, MPNet's) stands outside the numbered pattern, within its stack.
    return (stack or next((part for part in name.split(".") if part in STACKS), ""), block)


def _kept(axis: str, kept: Kept, block: Block) -> Tensor | None:
    """The numbers of the units along an axis that stay, None for all."""
    unit = LAYOUTS[axis].unit if axis in LAYOUTS else ""
    if unit == "hidden":
        return kept.hidden
    by_block = {"attention": kept.attention, "cross": kept.cross, "intermediate": kept.intermediate}
    return by_block.get(unit, {}).get(block)


def tensors(model: Any, family: Family) -> dict[str, Tensor]:
    """The model's weights by name, tied ones once.

    Raises:
        AdviseError: the weights are not those that the family's table describes.
    """
    found = {name: tensor.detach() for name, tensor in model.named_parameters()}
    config = model.config.to_dict()
    sizes = family.sizes(config, model.config.num_labels)
    wanted = {
        name: tuple(sizes[axis] for axis in axes.split()) for name, (axes, _, _) in family.tensor_names(config).items()
    }
    wrong = [name for name in {*found, *wanted} if name not in found or tuple(found[name].shape) != wanted.get(name)]
    if wrong:
        shown = ", ".join(sorted(wrong)[:5])
        raise AdviseError(
            f"this {family.title} has other weights than its family describes: {shown}",
            hint=f"compare the checkpoint with {family.checkpoint}; adapters and custom heads must be merged first",
        )
    return found


def _untie(model: Any, filled: Mapping[str, Tensor]) -> None:
    """Give a model output embeddings of its own where it has some. T5's config says tied of every model.

    transformers ties them unless the checkpoint has both, with different values.
    """
    output = model.get_output_embeddings() if OUTPUT in filled else None
    if output is not None and output.weight is model.get_input_embeddings().weight:
        output.weight = torch.nn.Parameter(output.weight.detach().clone())


def _filled(student: Scorer, family: Family, config: Config, filled: Mapping[str, Tensor]) -> Scorer:
    model = student.model
    sizes = {key: config[key] for key in family.size_keys if key in config}
    smaller = type(model)(type(model.config).from_dict({**model.config.to_dict(), **sizes}))
    _untie(smaller, filled)
    scorer = student.around(smaller)
    scorer.channels = student.channels
    scorer.to(model.device)
    places = dict(smaller.named_parameters())
    with torch.no_grad():
        for name, tensor in filled.items():
            if name not in places:  # the class ties it to another, and this model does not
                owner, _, own = name.rpartition(".")
                setattr(smaller.get_submodule(owner), own, nn.Parameter(torch.empty_like(tensor)))
                places[name] = smaller.get_parameter(name)
            places[name].copy_(tensor)
    smaller.train(model.training)
    return scorer
