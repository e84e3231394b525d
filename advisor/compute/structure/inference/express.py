"""Express: which cuts the config of a family can say, found out by trying each on a small model.

A cut that can be expressed builds a model of the stock class with the predicted shapes. It answers as the larger model
does with zeros for what is gone (heads, neurons) or with its blocks passed by (layers), and `from_pretrained` brings it
back the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from advisor.base.errors import AdviseError
from advisor.compute.structure.inference import stock
from advisor.compute.structure.inference.cutting import Cut, fill, smaller, zeroed
from advisor.compute.structure.inference.infer import Inferred
from advisor.compute.structure.inference.inputs import answers, difference
from advisor.compute.structure.inference.proof import SAME, Probe, Proof
from advisor.compute.structure.inference.sizes import DEPTH
from advisor.compute.structure.inference.small import REFUSED
from advisor.compute.structure.inference.trips import Limited, Wrong, passed_by, reload, short
from advisor.families.described.structure import Structure, local


@dataclass(frozen=True, slots=True)
class Cuts:
    """What can be cut.

    possible: names of cuts; notes: what does not work afterwards, by name; refused: why not, by name; multiples: sizes
    that have to be multiples of others.

    Names: `layers.encoder` for each stack, `ffn`, `heads`, `kv`, `hidden`, and `hidden+heads` where the hidden size
    is heads x head size; sizes of a part as `decoder_ffn`.
    """

    possible: tuple[str, ...]
    notes: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    multiples: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Trial:
    """The larger model of all trials of one family, and its structure."""

    inferred: Inferred
    structure: Structure
    subject: Probe

    @property
    def values(self) -> dict[str, Any]:
        found: dict[str, Any] = self.subject.model.config.to_dict()
        return found

    def make(self, cut: Cut) -> Any:
        """The smaller model.

        Raises:
            Wrong: its config is refused, or makes other shapes.
        """
        class_, config = self.inferred.class_, self.config(cut)
        predicted = cut.apply(self.structure)
        try:
            actual = stock.built(class_, config).shapes
        except REFUSED as error:
            raise Wrong(f"its class refuses the config: {short(error)}") from None
        wrong = sorted(predicted.shapes().items() ^ actual.items())
        if wrong:
            name = wrong[0][0]
            raise Wrong(
                f"its config cannot say it: {name} would be {actual.get(name)}, not {predicted.shapes().get(name)}"
            )
        model = self.subject.like(config)
        try:
            fill(model, self.subject.state, self.structure, cut)
        except AdviseError as error:
            raise Wrong(_said(error)) from None
        return model

    def config(self, cut: Cut) -> Any:
        try:
            values = smaller(self.inferred_small(), self.values, cut)
            return stock.config_of(values)
        except AdviseError as error:
            raise Wrong(_said(error)) from None

    def inferred_small(self) -> Inferred:
        """What was inferred, as of the small model."""
        small = self.inferred.small.around(self.values)
        return replace(self.inferred, config=self.subject.model.config, structure=self.structure, small=small)

    def check(self, cut: Cut, wanted: Tensor | None) -> None:
        """Build, compare, save, reload.

        Raises:
            Wrong: what does not hold.
        """
        model = self.make(cut)
        try:
            answer = answers(model)
        except REFUSED as error:
            raise Wrong(f"the smaller model is built, and fails as it answers: {short(error)}") from None
        apart = difference(wanted, answer) if wanted is not None else 0.0
        if apart > SAME:
            raise Wrong(f"it answers otherwise than with zeros for what is gone, by {apart:.2g} of the answers' size")
        reload(model, answer, cut.apply(self.structure).parameters())


def express(proof: Proof) -> Cuts:
    """Which of the proven units can be cut in a config of their family, and which layers."""
    inferred = proof.inferred
    with stock.quiet():
        return _express(proof, Trial(inferred, inferred.at(0, proof.structure), Probe(inferred)))


def _express(proof: Proof, trial: Trial) -> Cuts:
    possible: list[str] = []
    notes: dict[str, str] = {}
    refused: dict[str, str] = {}
    for name, attempt in _attempts(trial, proof).items():
        try:
            attempt()
        except Limited as error:
            notes[name] = str(error)
        except Wrong as error:
            refused[name] = str(error)
            continue
        possible.append(name)
    if "hidden" in possible:  # a cut that needs no heads to go needs no other way
        possible = [name for name in possible if not name.endswith("hidden+heads")]
    return Cuts(tuple(possible), notes, {**proof.refused, **refused}, _multiples(trial, possible))


def _attempts(trial: Trial, proof: Proof) -> dict[str, Callable[[], None]]:
    structure = trial.structure
    found: dict[str, Callable[[], None]] = {}
    for stack, known in structure.stacks.items():
        if known.key in trial.inferred.small.depths:
            found[f"layers.{stack}"] = lambda stack=stack, shared=known.shared: _layers(trial, stack, shared)  # type: ignore[misc]
    for unit in proof.proven:
        if local(unit):
            found[unit] = lambda unit=unit: trial.check(*_units(trial, unit))  # type: ignore[misc]
        else:
            found[unit] = lambda unit=unit: trial.check(Cut(kept=_hidden(trial, unit)), None)  # type: ignore[misc]
            if not trial.inferred.small.free:
                found[f"{unit}+heads"] = lambda unit=unit: trial.check(Cut(kept=_with_heads(trial, unit)), None)  # type: ignore[misc]
    return found


def _layers(trial: Trial, stack: str, shared: bool) -> None:
    if shared:
        trial.check(Cut(depths={stack: DEPTH - 1}), None)
        return
    kept = [0, DEPTH - 1]
    trial.check(Cut(blocks={stack: kept}), passed_by(trial.subject.model, trial.structure, stack, kept))


def _units(trial: Trial, unit: str) -> tuple[Cut, Tensor]:
    """A cut of half of the heads of every group, of half of the groups, or of a quarter of the neurons."""
    sizes, structure = trial.structure.sizes, trial.structure
    kept: dict[tuple[str, str], list[int]] = {}
    for site in structure.sites(unit):
        if unit in ("heads", "kv") and structure.rows_of("kv"):
            each = sizes["heads"] // sizes["kv"]
            groups = list(range(1, sizes["kv"])) if unit == "kv" else list(range(sizes["kv"]))
            inside = range(each) if unit == "kv" else range(1, each)
            kept["heads", site] = [group * each + head for group in groups for head in inside]
            kept["kv", site] = groups
        else:
            count = sizes[unit] // 2 if unit.endswith("heads") else 3 * sizes[unit] // 4
            kept[unit, site] = list(range(sizes[unit] - count, sizes[unit]))
    answer = trial.subject.with_state(zeroed(trial.subject.state, structure, kept))
    trial.subject.back()
    return Cut(kept=kept), answer


def _hidden(trial: Trial, unit: str, fewer: int = 0) -> dict[tuple[str, str], list[int]]:
    size = trial.structure.sizes[unit]
    fewer = fewer or max(count for name, count in trial.structure.sizes.items() if name.endswith("heads"))
    return {(unit, ""): list(range(size - fewer))}


def _with_heads(trial: Trial, unit: str) -> dict[tuple[str, str], list[int]]:
    """Half of the heads everywhere, and half of the hidden channels."""
    structure, scope = trial.structure, unit.rpartition("_")[0]
    own = structure.sizes[f"{scope}_heads" if scope else "heads"]
    kept = {(unit, ""): list(range(structure.sizes[unit] * (own // 2) // own))}
    for heads in structure.sizes:
        part, _, role = heads.rpartition("_")
        mine = part == scope or (part == "decoder" and not scope)
        if role == "heads" and mine:
            kept |= {(heads, site): list(range(structure.sizes[heads] // 2)) for site in structure.sites(heads)}
            kept |= {("kv", site): list(range(structure.sizes["kv"] // 2)) for site in structure.sites("kv")}
    return kept


def _multiples(trial: Trial, possible: list[str]) -> dict[str, str]:
    """Sizes that the class wants to be multiples of others."""
    found = {"heads": "kv"} if "kv" in trial.structure.sizes else {}
    for name in [one for one in possible if one.endswith("hidden")]:
        try:
            trial.check(Cut(kept=_hidden(trial, name, fewer=2)), None)
        except Limited:
            continue
        except Wrong:
            found[name] = name.removesuffix("hidden") + "heads"
    return found


def _said(error: AdviseError) -> str:
    return " ".join(error.faults[0].message.split())
