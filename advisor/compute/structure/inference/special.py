"""Special modules: parts of models whose axes are no plain units, refused by name whatever a proof would say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from torch import nn


class Special(NamedTuple):
    """Why axes are refused, and the units that they are made of."""

    reason: str
    units: tuple[str, ...]


def special(model: nn.Module) -> dict[str, Special]:
    """Mixtures of experts, Mamba-like blocks and grouped convolutions of a model, by the module's name."""
    found: dict[str, Special] = {}
    for name, module in model.named_modules():
        kind = type(module).__name__
        if re.search(r"Mamba|SSM|DeltaNet|RgLru|Recurrent", kind) and name and not kind.endswith("Model"):
            found[name] = Special(f"{name} is no attention ({kind})", ("ffn", "heads", "kv", "hidden"))
        elif re.search(r"Experts|MoE|Moe|SparseM", kind) and name and not kind.endswith("Model"):
            found[name] = Special(f"{name} is a mixture of experts ({kind})", ("ffn",))
        elif isinstance(module, nn.Conv1d | nn.Conv2d) and module.groups > 1:
            found[name] = Special(f"{name} is a grouped convolution", ("hidden",))
    return found


def refused(found: Mapping[str, Special]) -> dict[str, str]:
    """Why a unit is refused, by its name."""
    return {unit: one.reason for one in found.values() for unit in one.units}


def reason_for(tensor: str, found: Mapping[str, Special]) -> str:
    """What a tensor is part of that advise does not cut, empty for nothing special."""
    return next((one.reason for name, one in found.items() if tensor.startswith(name + ".")), "")
