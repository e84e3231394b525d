"""Cutting: the config and the weights of a smaller model of the same class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from advisor.base.errors import AdviseError
from advisor.compute.structure.inference.infer import Inferred
from advisor.compute.structure.inference.sizes import BACKBONE, FOLLOWERS, flat, nested
from advisor.families.described import layer_lists
from advisor.families.described.structure import Blocks, Kept, Slice, Structure


@dataclass(frozen=True, slots=True)
class Cut:
    """What stays of a model. blocks: by stack, all where a stack is not named. kept: units by name and site.

    depths: of stacks whose layers all run the same block.
    """

    blocks: Blocks = field(default_factory=dict)
    kept: Kept = field(default_factory=dict)
    depths: Mapping[str, int] = field(default_factory=dict)

    def sizes(self) -> dict[str, int]:
        """The new sizes by name.

        Raises:
            AdviseError: sites of one size keep different numbers of units, which no config can say.
        """
        found: dict[str, int] = {}
        for (unit, site), numbers in self.kept.items():
            if found.setdefault(unit, len(numbers)) != len(numbers):
                raise AdviseError(f"{site} keeps {len(numbers)} {unit}, another place {found[unit]}: a config has one")
        return found

    def apply(self, structure: Structure) -> Structure:
        """The structure of the smaller model."""
        depths = {stack: len(numbers) for stack, numbers in self.blocks.items()} | dict(self.depths)
        return structure.resized(depths, **self.sizes())


def smaller(inferred: Inferred, values: Mapping[str, Any], cut: Cut) -> dict[str, Any]:
    """The values of the smaller model's config. values: of the larger one, as in its config.json.

    Raises:
        AdviseError: a list that says something of each layer and that nobody knows; a size that would fall together
            with another one.
    """
    found = flat(values)
    structure = inferred.structure
    for stack, numbers in cut.blocks.items():
        _refuse_without_first(structure, stack, numbers)
        full = flat(inferred.config.to_dict())
        known = {key: found.get(key, full.get(key)) for key in {*found, *full}}
        found |= layer_lists.cut(known, structure.stacks[stack].depth, numbers)
        found[structure.stacks[stack].key] = len(numbers)
        found = {key: value for key, value in found.items() if key not in BACKBONE}
    found |= {structure.stacks[stack].key: depth for stack, depth in cut.depths.items()}
    for name, size in cut.sizes().items():
        _refuse_meeting(inferred, name, size)
        found |= dict.fromkeys(inferred.small.keys(name), size)
    if cut.kept and (key := next(iter(inferred.small.keys("ffn")), "")) and found.get(key) is None:
        found[key] = cut.apply(structure).sizes["ffn"]  # else GPT-2 would take four times the new hidden size
    if inferred.small.free and not cut.sizes().keys() <= {"ffn"}:
        # Said outright: else transformers would take hidden size / heads, and a Llama with fewer heads would grow.
        found[inferred.small.keys("head")[0]] = structure.sizes["head"]
    aliases = getattr(inferred.config, "attribute_map", {})
    return nested(
        {key: value for key, value in found.items() if aliases.get(key, key) == key or aliases[key] not in found}
    )


def _refuse_without_first(structure: Structure, stack: str, numbers: Sequence[int]) -> None:
    """ModernBERT's first block lacks a norm that the others have, so none of them can come first."""
    lacking = [pattern for pattern in structure.rows if f"{{{stack}:1+}}" in pattern]
    if lacking and numbers[0] != 0:
        raise AdviseError(f"block 0 of the {stack} has to stay: it lacks {lacking[0]}, which all others have")


def _refuse_meeting(inferred: Inferred, name: str, size: int) -> None:
    for own in inferred.small.sizes:
        apart = inferred.small.given.get(own.key)
        if not own.follows and own.key.rpartition(".")[2] in _leaders(name) and apart == size:
            raise AdviseError(
                f"{name} {size} equals {own.key}, so the projections between them would go: choose another {name}"
            )


def _leaders(name: str) -> list[str]:
    return [key for key, leader in FOLLOWERS.items() if leader == name]


def taken(tensor: Tensor, one: Slice) -> Tensor:
    """The part of a tensor that stays."""
    for axis, places in enumerate(one.places):
        if places is not None:
            tensor = tensor.index_select(axis, torch.tensor(places, device=tensor.device))
    return tensor


@torch.no_grad()
def fill(model: Any, old: Mapping[str, Tensor], structure: Structure, cut: Cut) -> None:
    """Give a smaller model the weights that stay. old: the larger model's tensors by name.

    Raises:
        AdviseError: an axis that grows with what is cut, though its places are no units of it.
    """
    state = model.state_dict()
    for one in structure.slices(cut.kept, cut.blocks):
        tensor = taken(old[one.source], one)
        if tensor.shape != state[one.name].shape:
            raise AdviseError(
                f"{one.name}: {tuple(tensor.shape)} stay, the smaller model has {tuple(state[one.name].shape)}"
            )
        state[one.name].copy_(tensor)


@torch.no_grad()
def cut_model(model: Any, inferred: Inferred, cut: Cut) -> Any:
    """A smaller model of the same class, on the same device and in the same precision.

    inferred: with the proven structure of the model's own config.

    Raises:
        AdviseError: as in `smaller` and `fill`.
    """
    structure = untied(inferred.structure, [name for name in inferred.structure.tied if _is_own(model, inferred, name)])
    config = type(model.config)(**smaller(inferred, model.config.to_dict(), cut))
    found = type(model)(config).to(device=model.device, dtype=model.dtype)
    for name in inferred.structure.tied.keys() - structure.tied.keys():
        module, _, last = name.rpartition(".")
        setattr(found.get_submodule(module), last, nn.Parameter(found.get_parameter(name).clone()))
    fill(found, model.state_dict(), structure, cut)
    return found.train(model.training)


def _is_own(model: Any, inferred: Inferred, name: str) -> bool:
    return model.get_parameter(name) is not model.get_parameter(inferred.structure.tied[name])


def untied(structure: Structure, names: Sequence[str]) -> Structure:
    """The structure of a model whose weights of these names are its own, though its class ties them, as in T5 1.1."""
    own = {name: structure.rows[structure.tied[name]] for name in names}
    tied = {name: owner for name, owner in structure.tied.items() if name not in own}
    return replace(structure, rows={**structure.rows, **own}, tied=tied)


@torch.no_grad()
def zeroed(old: Mapping[str, Tensor], structure: Structure, kept: Kept) -> dict[str, Tensor]:
    """The same tensors, with zeros for all units that do not stay."""
    found = {}
    for one in structure.slices(kept):
        tensor = old[one.source].clone()
        for axis, places in enumerate(one.places):
            if places is not None:
                gone = sorted(set(range(tensor.shape[axis])) - set(places))
                tensor.index_fill_(axis, torch.tensor(gone, dtype=torch.long), 0)
        found[one.name] = tensor
    return found
