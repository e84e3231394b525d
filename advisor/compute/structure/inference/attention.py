"""Attention: which modules attend, and which of their axes hold heads, found by the order in which they run.

The module that runs last in an attention is its output: heads come in, hidden channels go out. In all other matrices it
is the other way round. No name is needed beside "attention" in a class.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import nn


class Attention(NamedTuple):
    """One attention. heads: which axes hold heads, by tensor."""

    name: str
    heads: dict[str, tuple[bool, ...]]


def attentions(model: Any, blocks: Callable[[str], bool], run: Callable[[Any], object]) -> list[Attention]:
    """The attentions in a model's blocks. blocks: whether a module lies in a block; run: what to run it on."""
    found: list[str] = []
    for name, module in model.named_modules():
        inside = any(name.startswith(other + ".") for other in found)
        if blocks(name) and not inside and _attends(module):
            found.append(name)
    order = _order(model, run)
    return [_attention(model, name, order) for name in found]


def _attends(module: nn.Module) -> bool:
    matrices = sum(one.dim() == 2 for one in module.parameters())
    return "attention" in type(module).__name__.lower() and matrices > 1


def _order(model: Any, run: Callable[[Any], object]) -> dict[str, int]:
    """When each module that has weights of its own ran last."""
    order: dict[str, int] = {}
    clock = itertools.count()
    own = [name for name, module in model.named_modules() if next(module.parameters(recurse=False), None) is not None]
    hooks = [
        model.get_submodule(name).register_forward_hook(lambda *_, name=name: order.update({name: next(clock)}))
        for name in own
    ]
    try:
        with torch.no_grad():
            run(model)
    finally:
        for hook in hooks:
            hook.remove()
    return order


def _attention(model: Any, name: str, order: dict[str, int]) -> Attention:
    modules = dict(model.named_modules())
    inside = {one: module for one, module in modules.items() if one == name or one.startswith(name + ".")}
    matrices = sorted((one for one in inside if is_matrix(inside[one]) and one in order), key=lambda one: order[one])
    first, last = (order[matrices[0]], order[matrices[-1]]) if matrices else (0, 0)
    heads: dict[str, tuple[bool, ...]] = {}
    for one, module in inside.items():
        for tensor, value in module.named_parameters(recurse=False):
            if is_matrix(module):
                into = matrices[-1:] == [one]
                marks = _marks(module, value.dim(), into)
            else:
                # A norm before the first matrix or after the last is over hidden channels; between them, over heads.
                when = order.get(one, first)
                marks = (first <= when < last,) * value.dim()
            heads[f"{one}.{tensor}"] = marks
    return Attention(name, heads)


def is_matrix(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"


def _marks(module: nn.Module, dimensions: int, into: bool) -> tuple[bool, ...]:
    """Which axes of a Linear's (out, in) weight hold heads; GPT-2's Conv1D stores (in, out)."""
    if dimensions == 1:
        return (not into,)
    out_first = isinstance(module, nn.Linear)
    return (into != out_first, into == out_first)
