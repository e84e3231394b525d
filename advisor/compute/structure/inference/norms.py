"""Norms: what the root mean square of fewer channels needs to stay what it was."""

from __future__ import annotations

from math import sqrt
from typing import Any

import torch
from torch import Tensor, nn

from advisor.compute.structure.inference.cutting import Cut
from advisor.compute.structure.inference.infer import Inferred


@torch.no_grad()
def rms_norms(model: nn.Module, size: int) -> dict[str, float]:
    """The weights of RMS norms over so many channels, with what each adds to its weight: Gemma's scale is 1 + weight.

    Found by what a module does: its output does not grow with its input, but moves with the input's mean.
    """
    found = {}
    for name, module in model.named_modules():
        parameters = dict(module.named_parameters(recurse=False))
        if list(parameters) != ["weight"] or tuple(parameters["weight"].shape) != (size,):
            continue
        added = _added(module, parameters["weight"])
        if added is not None:
            found[f"{name}.weight"] = added
    return found


def _added(module: nn.Module, weight: Tensor) -> float | None:
    """What an RMS norm adds to its weight; None for any other module."""
    row = torch.randn(1, weight.shape[0], dtype=weight.dtype, generator=torch.Generator().manual_seed(0))
    before = weight.clone()
    try:
        weight.fill_(1.0)
        plain, larger, moved = (module(one) for one in (row, 8 * row, row + 1))
        if not torch.allclose(plain, larger, atol=1e-3) or torch.allclose(plain, moved, atol=1e-3):
            return None
        weight.zero_()
        return 1.0 if module(row).abs().max() > 0 else 0.0
    except (RuntimeError, TypeError):
        return None
    finally:
        weight.copy_(before)


def rescaled(tensors: dict[str, Tensor], inferred: Inferred, cut: Cut) -> dict[str, Tensor]:
    """The tensors with the weights of RMS norms over hidden channels times sqrt(N / N').

    Where channels of little energy go, the mean square over the others is larger by N / N'.
    """
    stays = cut.kept.get(("hidden", ""))
    if stays is None:
        return tensors
    small: Any = inferred.class_(inferred.small.config())
    norms = rms_norms(small, inferred.small.values(0)["hidden"])
    times = sqrt(inferred.structure.sizes["hidden"] / len(stays))
    patterns = {pattern for pattern in inferred.structure.rows if _like(pattern, norms)}
    found = dict(tensors)
    for name, row, _ in cut.apply(inferred.structure).tensors():
        added = next((norms[one] for one in norms if _like(one, [name])), None)
        if added is not None and row.axes == ("hidden",) and patterns:
            found[name] = ((tensors[name].float() + added) * times - added).to(tensors[name].dtype)
    return found


def _like(pattern: str, names: Any) -> bool:
    """Whether a name is that of one of these tensors in any block."""
    import re

    return any(re.sub(r"\d+|\{[^}]*\}", "#", pattern) == re.sub(r"\d+", "#", name) for name in names)
