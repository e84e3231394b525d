"""Blocks: the modules that a model's layers are, found by the family's description, and what passes through them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from typing import Any, NamedTuple

from torch import Tensor

from advisor.families.described.structure import Structure
from advisor.families.family import Family

Block = tuple[str, int]  # stack and number


class Passed(NamedTuple):
    """What went into a block and what came out: both (batch, positions, hidden).

    beside: what it returns beside them, T5's position bias; None where it returns them alone.
    """

    before: Tensor
    after: Tensor
    beside: tuple[Any, ...] | None

    def output(self, states: Tensor) -> Any:
        """What the block returns where these states come out of it."""
        return states if self.beside is None else (states, *self.beside)


def blocks(model: Any, family: Family) -> dict[Block, Any]:
    """The modules of all blocks, in their order; one of them several times where layers share it."""
    structure = family.structure(model.config.to_dict())
    found: dict[Block, Any] = {}
    for name, stack in sorted(structure.stacks.items()):
        if name in (one.name for one in family.stacks):
            modules = model.get_submodule(_path(structure, name))
            # ALBERT's groups of layers: each is one block that so many layers in a row run.
            found |= {(name, number): modules[number * len(modules) // stack.depth] for number in range(stack.depth)}
    return found


def _path(structure: Structure, stack: str) -> str:
    """The list of modules that a stack's blocks are in."""
    marks = [mark for mark in ("{" + stack + "}", "{" + stack + ":1+}") if not structure.stacks[stack].shared]
    marks = marks or ["{" + name + "}" for name, one in structure.stacks.items() if one.key == name]
    return next(pattern.split("." + mark)[0] for pattern in structure.rows for mark in marks if mark in pattern)


@contextmanager
def watched(model: Any, family: Family) -> Iterator[dict[Block, Passed]]:
    """Yields a mapping that is filled with what passes through each block, in order.

    A later pass replaces earlier ones.
    """
    passed: dict[Block, Passed] = {}
    runs: dict[Any, list[Block]] = {}
    for block, module in blocks(model, family).items():
        runs.setdefault(module, []).append(block)

    def note(turns: Iterator[Block]) -> Any:
        def hook(_: Any, arguments: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> None:
            beside = tuple(output[1:]) if isinstance(output, tuple | list) else None
            before = arguments[0] if arguments else named["hidden_states"]
            passed[next(turns)] = Passed(before, hidden(output), beside)

        return hook

    handles = [module.register_forward_hook(note(cycle(turns)), with_kwargs=True) for module, turns in runs.items()]
    try:
        yield passed
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def replaced(model: Any, family: Family, answers: Mapping[Block, Callable[..., Any]]) -> Iterator[None]:
    """Inside the context, these blocks call the given functions in place of their `forward`."""
    modules = blocks(model, family)
    for block, answer in answers.items():
        modules[block].forward = answer
    try:
        yield
    finally:
        for block in answers:
            del modules[block].forward


def hidden(output: Any) -> Tensor:
    """The hidden states in what a block returns: themselves, or first of several."""
    found: Tensor = output[0] if isinstance(output, tuple | list) else output
    return found


def flat(states: Tensor, mask: Tensor | None) -> Tensor:
    """The positions that count, one after the other: (positions, hidden). The mask may be shorter than the states.

    mask: (batch, positions); None where all count.
    """
    return states.flatten(0, 1) if mask is None else states[:, : mask.shape[1]][mask.to(states.device)]
