"""Servable: a copy of a scorer in the form that runtimes and int8 work best on. The answers stay the same."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from advisor.compute.scorer import Scorer


def servable(scorer: Scorer) -> Scorer:
    """A copy on the CPU in fp32, with attention written out and every matrix in an `nn.Linear`.

    GPT-2 keeps its matrices in `Conv1D`, transposed, where PyTorch's own int8 finds nothing to quantize. The default
    attention would be exported with safeguards against rows that are masked whole, which no row is.
    """
    found: Scorer = copy.deepcopy(scorer).to("cpu", torch.float32).eval()
    found.model.set_attn_implementation("eager")
    for module in list(found.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, Conv1D):
                setattr(module, name, _linear(child))
    return found


def _linear(conv: Any) -> nn.Linear:
    inputs, outputs = conv.weight.shape
    linear = nn.Linear(inputs, outputs, device="meta")
    linear.weight, linear.bias = nn.Parameter(conv.weight.detach().T.contiguous()), conv.bias
    return linear


def matrices(model: Any) -> tuple[str, ...]:
    """Names of all `nn.Linear` but those that are an embedding table as well: T5's head is read row by row."""
    tables = {id(one.weight) for one in model.modules() if isinstance(one, nn.Embedding)}
    return tuple(
        name
        for name, one in model.named_modules()
        if isinstance(one, nn.Linear) and id(one.weight) not in tables and not name.endswith("lm_head")
    )
