"""Smoothing: scales down the outlying input channels of a matrix, and its weights up to match.

Dynamic int8 has one scale for all activations of a batch, so one channel of 70 leaves the others, of 5 at most, few of
the 256 steps. Dividing that channel and multiplying its weights leaves the answers as they were in fp32 and gives the
others their steps back (as SmoothQuant, arXiv 2211.10438, with the whole of the difference moved to the weights, and
only where there are outliers). Measured on a BERT of 12 layers in docs/decisions.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from advisor.compute.data.batches import Batch
from advisor.compute.int8.quantized import spared
from advisor.compute.int8.servable import matrices
from advisor.compute.tasks.scorer import Scorer

USUAL = 0.99  # share of the channels that count as usual
OUTLYING = 6.0  # times the largest usual channel


class Smoothed(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """A matrix behind channels that are scaled: y = (x * factor) W^T + b."""

    factor: Tensor  # (inputs)

    def __init__(self, matrix: nn.Module, factor: Tensor) -> None:
        super().__init__()
        self.register_buffer("factor", factor)
        self.matrix = matrix

    def forward(self, x: Tensor) -> Tensor:
        """(…, inputs) to (…, outputs)."""
        return self.matrix(x * self.factor)


def smooth(scorer: Scorer, batches: Sequence[Batch]) -> tuple[str, ...]:
    """Smooth, in place, the matrices whose inputs have outliers on these batches; gives their names."""
    found = []
    for name, largest in _largest_inputs(scorer, batches).items():
        usual = largest.quantile(USUAL)
        if largest.max() > OUTLYING * usual > 0:
            _wrap(scorer.model, name, (usual / largest).clamp(max=1.0))
            found.append(name)
    return tuple(found)


def _largest_inputs(scorer: Scorer, batches: Sequence[Batch]) -> dict[str, Tensor]:
    """For each matrix that becomes int8 the largest absolute value of each of its input channels."""
    found: dict[str, Tensor] = {}

    def watch(name: str) -> Callable[[nn.Module, Any], None]:
        def see(module: nn.Module, inputs: Any) -> None:
            largest = inputs[0].detach().flatten(0, -2).abs().amax(dim=0)
            found[name] = torch.maximum(found.get(name, largest), largest)

        return see

    names = matrices(scorer.model)
    int8 = [name for name in names if name not in spared(names)]
    hooks = [scorer.model.get_submodule(name).register_forward_pre_hook(watch(name)) for name in int8]
    with torch.no_grad():
        for batch in batches:
            scorer(**batch.to("cpu").inputs)
    for hook in hooks:
        hook.remove()
    return found


def _wrap(model: Any, name: str, factor: Tensor) -> None:
    matrix = model.get_submodule(name)
    matrix.weight = nn.Parameter(matrix.weight.detach() / factor)
    put(model, name, Smoothed(matrix, factor))


def put(model: Any, name: str, module: nn.Module) -> None:
    """Replace the submodule of this name."""
    parent, _, own = name.rpartition(".")
    setattr(model.get_submodule(parent), own, module)
