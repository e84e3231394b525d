"""Proof: on a small random model, whether its axes hold what they are labelled with.

Permuting all hidden channels, the neurons of every block, whole heads or key-value groups must leave the answers the
same. A wrong label changes them by about their own size.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from advisor.compute.structure.inference import stock
from advisor.compute.structure.inference.cutting import taken
from advisor.compute.structure.inference.infer import Inferred
from advisor.compute.structure.inference.inputs import answers, difference
from advisor.compute.structure.inference.small import REFUSED
from advisor.families.described.axes import units
from advisor.families.described.structure import Kept, Row, Structure, removable

SAME = 1e-5  # of the size of the answers: only rounding may differ
SCALE = 0.15  # of the random weights: large enough that attention is far from even


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proven of a structure. structure: with the groupings that hold.

    proven: how far a permutation changed the answers, by unit. refused: why not, by unit, with the axis.
    """

    inferred: Inferred
    structure: Structure
    proven: Mapping[str, float] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


class Probe:
    """A small random model, and how it answers with other weights. In double precision, where its class can."""

    def __init__(self, inferred: Inferred, seed: int = 0) -> None:
        self.model = random_model(inferred.class_, inferred.small.config(), seed).double()
        try:
            answers(self.model)
        except REFUSED:
            self.model.float()
        self.state = {name: tensor.clone() for name, tensor in stock.state(self.model).items()}
        self.answer = answers(self.model)

    def like(self, config: Any) -> Any:
        """A model of the same class and precision with another config."""
        return type(self.model)(config).eval().to(next(self.model.parameters()).dtype)

    def with_state(self, state: Mapping[str, Tensor]) -> Tensor:
        """The answer with these weights."""
        self.model.load_state_dict({**self.model.state_dict(), **state})
        return answers(self.model)

    def back(self) -> None:
        """Give it its own weights again."""
        self.model.load_state_dict({**self.model.state_dict(), **self.state})


@torch.no_grad()
def random_model(class_: Any, config: Any, seed: int = 0) -> Any:
    """A model whose parameters are random, biases and norms too: at zero they would prove nothing.

    Frozen tables stay: Marian's positions are computed anew as it loads.
    """
    random = torch.Generator().manual_seed(seed)
    model = class_(config).eval()
    for parameter in (one for one in model.parameters() if one.requires_grad):
        parameter.copy_(torch.randn(parameter.shape, generator=random) * SCALE + (parameter.dim() == 1))
    return model


def prove(inferred: Inferred, structure: Structure | None = None) -> Proof:
    """Try every unit's labels. structure: the labels to prove instead of those inferred."""
    subject = Probe(inferred)
    found = structure or inferred.structure
    proven: dict[str, float] = {}
    refused: dict[str, str] = dict(inferred.refused)
    for unit in provable(found):
        if unit in refused:
            continue
        apart, found = _best(inferred, subject, found, unit, fixed=structure is not None)
        if apart <= SAME:
            proven[unit] = apart
        else:
            refused[unit] = _why(found, unit, apart)
    return Proof(inferred, found, proven, refused)


def provable(structure: Structure) -> list[str]:
    """The units that a model can lose."""
    every = {unit for row in structure.rows.values() for axis in row.axes for unit in units(axis)}
    return sorted(filter(removable, every))


def _best(inferred: Inferred, subject: Probe, structure: Structure, unit: str, fixed: bool) -> tuple[float, Structure]:
    """How far the answers move under the grouping that moves them least, and the structure with it."""
    found = [
        (_apart(inferred, subject, one, unit), one)
        for one in ([structure] if fixed else _groupings(inferred, structure, unit))
    ]
    return min(found, key=lambda pair: pair[0])


def _groupings(inferred: Inferred, structure: Structure, unit: str) -> Iterator[Structure]:
    """The structure with every grouping of the fused axes of a unit."""
    mine = [group for group in inferred.choices if any(unit in units(one[0]) for one in group.values())]
    for picks in itertools.product(*(range(len(next(iter(group.values())))) for group in mine)):
        rows = dict(structure.rows)
        for group, pick in zip(mine, picks, strict=True):
            for (pattern, axis), texts in group.items():
                rows[pattern] = relabelled(rows[pattern], axis, texts[pick])
        yield replace(structure, rows=rows)


def relabelled(row: Row, axis: int, text: str) -> Row:
    """A row with another label on one axis."""
    return replace(row, axes=tuple(text if place == axis else old for place, old in enumerate(row.axes)))


def _apart(inferred: Inferred, subject: Probe, structure: Structure, unit: str) -> float:
    small = inferred.at(0, structure)
    order = permutation(small, unit)
    if not order:
        return float("inf")
    state = permuted(subject.state, small, order)
    try:
        answer = subject.with_state(state)
    except REFUSED:
        return float("inf")
    finally:
        subject.back()
    return min(difference(wanted, answer) for wanted in _wanted(subject.answer, small, unit, order))


def _wanted(answer: Tensor, structure: Structure, unit: str, order: Kept) -> list[Tensor]:
    """The answers that hold: the same, or hidden states with their channels in the new order."""
    channels = order.get((unit, ""))
    if channels is None or answer.shape[-1] != structure.sizes[unit]:
        return [answer]
    return [answer, answer[..., torch.tensor(channels)]]


def permutation(structure: Structure, unit: str, seed: int = 0) -> dict[tuple[str, str], Sequence[int]]:
    """A random order of a unit, another one at every site; heads move with their key-value group."""
    random = torch.Generator().manual_seed(seed)

    def order(count: int) -> list[int]:
        found: list[int] = torch.randperm(count, generator=random).tolist()
        return found[::-1] if found == sorted(found) else found

    sizes = structure.sizes
    found: dict[tuple[str, str], Sequence[int]] = {}
    for site in structure.sites(unit):
        found[unit, site] = order(sizes[unit])
        if unit in ("heads", "kv") and structure.rows_of("kv"):
            groups = order(sizes["kv"])
            each = sizes["heads"] // sizes["kv"]
            inside = order(each) if unit == "heads" else range(each)
            found["kv", site] = groups
            found["heads", site] = [group * each + head for group in groups for head in inside]
    return found


def permuted(state: Mapping[str, Tensor], structure: Structure, order: Kept) -> dict[str, Tensor]:
    """The tensors with their units in another order."""
    return {one.name: taken(state[one.source], one) for one in structure.slices(order)}


def _why(structure: Structure, unit: str, apart: float) -> str:
    axes = [
        f"{pattern} axis {place} ({axis})"
        for pattern, row in structure.rows.items()
        for place, axis in enumerate(row.axes)
        if unit in units(axis)
    ]
    fused = [one for one in axes if "|" in one or "*" in one] or axes
    shown = ", ".join(fused[:3]) + (f" and {len(fused) - 3} more" if len(fused) > 3 else "")
    return f"permuting {unit} changes the answers by {apart:.2g} of their size, so what {shown} holds is not certain"
