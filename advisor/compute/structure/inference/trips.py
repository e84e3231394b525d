"""Trips: what a model has to do after it was cut: come back from a folder the same, and generate."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from advisor.compute.structure.inference.inputs import answers, difference, inputs
from advisor.compute.structure.inference.proof import SAME
from advisor.compute.structure.inference.small import REFUSED
from advisor.families.described.structure import Structure


class Wrong(Exception):
    """A cut that cannot be expressed: why."""


class Limited(Exception):
    """A cut that holds, though something does not work afterwards: what."""


@torch.no_grad()
def passed_by(model: Any, structure: Structure, stack: str, kept: list[int]) -> Tensor:
    """The answers of a model whose other blocks hand on what they are given."""
    gone = [number for number in range(structure.stacks[stack].depth) if number not in kept]
    paths = {pattern.split(f".{{{stack}")[0] for pattern in structure.rows if f"{{{stack}" in pattern}
    blocks = [model.get_submodule(f"{path}.{number}") for path in paths for number in gone]
    hooks = [block.register_forward_hook(_hand_on, with_kwargs=True) for block in blocks]
    try:
        return answers(model)
    finally:
        for hook in hooks:
            hook.remove()


def _hand_on(block: Any, given: tuple[Any, ...], named: Mapping[str, Any], outcome: Any) -> Any:
    came = given[0] if given else named["hidden_states"]
    return (came, *outcome[1:]) if isinstance(outcome, tuple | list) else came


def reload(model: Any, answer: Tensor, predicted: int) -> None:
    """Save a model and load it with its stock class.

    Raises:
        Wrong: tensors are missing or left over, answers or the number of parameters differ, or it cannot generate.
    """
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        kind = next(model.parameters()).dtype
        again, info = type(model).from_pretrained(folder, output_loading_info=True, dtype=kind)
    wrong = [name for kind in ("missing_keys", "unexpected_keys", "mismatched_keys") for name in info[kind]]
    if wrong:
        raise Wrong(f"it does not reload whole: {wrong[0]}")
    if sum(one.numel() for one in again.parameters()) != predicted:
        raise Wrong("it has not the predicted number of parameters")
    try:
        apart = difference(answer, answers(again.eval()))
    except REFUSED as error:
        raise Wrong(f"reloaded, it does not answer: {short(error)}") from None
    if apart > SAME:
        raise Wrong(f"reloaded, it answers otherwise, by {apart:.2g} of the answers' size")
    generate(again)


@torch.no_grad()
def generate(model: Any) -> None:
    """Let a model write a few tokens with its cache and without it.

    Raises:
        Wrong: it cannot at all, or the two differ.
        Limited: it cannot with its cache, as T5 with an encoder of fewer layers than its decoder.
    """
    if not model.can_generate():
        return
    asked = {name: one for name, one in inputs(model).items() if name != "decoder_input_ids"}
    options = {"max_new_tokens": 4, "do_sample": False, "num_beams": 1}
    try:
        plain = model.generate(**asked, **options, use_cache=False)
    except REFUSED as error:
        raise Wrong(f"it cannot generate: {short(error)}") from None
    try:
        cached = model.generate(**asked, **options, use_cache=True)
    except REFUSED as error:
        raise Limited(f"it generates without its cache only ({short(error)})") from None
    if not torch.equal(plain, cached):
        raise Wrong("with its cache it generates other tokens")


def short(error: BaseException) -> str:
    """The last line of an error."""
    return str(error).strip().splitlines()[-1].strip()[:200] if str(error).strip() else type(error).__name__
