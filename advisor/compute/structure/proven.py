"""Proven: the structure of a model in memory, inferred from its class and config and proven before it is cut."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from advisor.base.errors import AdviseError, Fault
from advisor.compute.structure.inference import stock
from advisor.compute.structure.inference.express import Cuts, express
from advisor.compute.structure.inference.infer import infer
from advisor.compute.structure.inference.proof import Proof, prove, random_model
from advisor.compute.structure.inference.small import REFUSED
from advisor.compute.structure.inference.trips import short
from advisor.families.described.structure import Structure

Shapes = Mapping[str, tuple[int, ...]]
MOST_REMEMBERED = 64
COMPARED = "compare it with the config.json of a published model"
_proofs: dict[tuple[Any, str], Proof] = {}
_cuts: dict[tuple[Any, str], Cuts] = {}


def proven(class_: Any, config: Any) -> Proof:
    """What was proven of a stock class with this config, once in a process.

    Raises:
        AdviseError: its structure cannot be inferred.
    """
    key = _key(class_, config)
    if key not in _proofs:
        _forget(_proofs)
        with torch.random.fork_rng(devices=[]):  # what is random in a run is the same whether this is known already
            _proofs[key] = prove(infer(config, class_))
    return _proofs[key]


def possible(class_: Any, config: Any) -> Cuts:
    """What can be cut of a stock class with this config, tried once in a process; errors as in `proven`."""
    key = _key(class_, config)
    if key not in _cuts:
        _forget(_cuts)
        with torch.random.fork_rng(devices=[]):
            _cuts[key] = express(proven(class_, config))
    return _cuts[key]


def small(values: Mapping[str, Any], task: str, file: str) -> Any:
    """A small random model of the class and flags of a config.

    values: of the config. task: the Hub's name.

    Raises:
        AdviseError: its structure cannot be inferred.
    """
    config = _read(values, file)
    inferred = proven(stock.class_of(config, task), config).inferred
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        return random_model(inferred.class_, inferred.small.config())


def refuse_unproven(values: Mapping[str, Any], task: str, cuts: Sequence[str], file: str) -> None:
    """Raise an AdviseError for cuts that do not hold under the flags of a config, before any weights are read.

    values: of the config. task: the Hub's name. cuts: names as in `express.Cuts`.
    """
    config = _read(values, file)
    known = possible(stock.class_of(config, task), config)
    together = any(one.endswith("+heads") for one in known.possible)
    faults = [
        Fault(f"{cut} cannot be cut: {known.refused.get(cut, 'nobody has proven it')}", file)
        for cut in cuts
        if not ({cut, f"{cut}+heads"} & {*known.possible} or (cut.endswith("heads") and together))
    ]
    if faults:
        raise AdviseError(*faults)


def refuse_unbuildable(values: Mapping[str, Any], task: str, file: str) -> None:
    """Raise an AdviseError where transformers makes no model of a config, before any weights are read.

    values: of the config. task: the Hub's name.
    """
    config = _read(values, file)
    try:
        stock.on_meta(stock.class_of(config, task), config)
    except REFUSED as error:
        message = f"its class refuses the config: {stock.in_words(error, values)}"
        raise AdviseError(Fault(message, file, hint=COMPARED)) from None


def _read(values: Mapping[str, Any], file: str) -> Any:
    try:
        return stock.config_of(values)
    except AdviseError as error:
        wrong = error.faults[0]
        raise AdviseError(Fault(" ".join(wrong.message.split()), file, hint=wrong.hint)) from None


def refuse_other_shapes(values: Mapping[str, Any], task: str, shapes: Callable[[int], Shapes], file: str) -> None:
    """Raise an AdviseError if a smaller config gives other tensors than predicted, before any weights are read.

    values: of the smaller config. task: the Hub's name. shapes: what was predicted for so many labels, by name.
    """
    try:
        config = stock.config_of(values)
        built = stock.built(stock.class_of(config, task), config).shapes
    except AdviseError as error:
        raise AdviseError(
            Fault(f"its class refuses the smaller config: {' '.join(error.faults[0].message.split())}", file)
        ) from None
    except REFUSED as error:
        raise AdviseError(Fault(f"its class refuses the smaller config: {short(error)}", file)) from None
    predicted = shapes(config.num_labels)
    wrong = [f"{name} would be {shape}, not {predicted.get(name)}" for name, shape in built.items()
             if shape != predicted.get(name)]  # fmt: skip
    if wrong:
        raise AdviseError(Fault(f"its config cannot express the cut: {wrong[0]}", file))


def _key(class_: Any, config: Any) -> tuple[Any, str]:
    """The folder that a config was read from says nothing of the model."""
    values = {**config.to_dict(), "_name_or_path": None}
    return class_, json.dumps(values, sort_keys=True, default=str)


def _forget(known: dict[tuple[Any, str], Any]) -> None:
    if len(known) >= MOST_REMEMBERED:
        known.clear()


def structure_of(model: Any) -> Structure:
    """The proven structure of a model.

    Raises:
        AdviseError: it has other weights than its class makes for its config, as an adapter.
    """
    structure = proven(type(model), model.config).structure
    wanted, found = structure.shapes(), stock.tensors_of(model).shapes
    own = {name: wanted[owner] for name, owner in structure.tied.items() if name in found}
    wrong = sorted({name for name, _ in (wanted | own).items() ^ found.items()})
    if wrong:
        raise AdviseError(
            f"this {type(model).__name__} has other weights than its config describes: {', '.join(wrong[:5])}",
            hint="merge adapters, and save it with the save_pretrained of transformers",
        )
    return structure
