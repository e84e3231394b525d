"""PyTorch's int8 is plain tensors: no pickle, and a matrix is near its fp32 source."""

from __future__ import annotations

from pathlib import Path

import quantized
import torch
from safetensors.torch import load_file
from torch import nn

from advisor.compute.int8.backends.pytorch import Int8Linear, prepare


def test_an_int8_matrix_answers_nearly_as_its_source() -> None:
    torch.manual_seed(0)
    linear, x = nn.Linear(48, 96), torch.randn(7, 5, 48)
    found, expected = Int8Linear.of(linear)(x), linear(x).detach()
    assert found.shape == expected.shape
    assert 0 < float((found - expected).abs().max()) < 0.05 * float(expected.abs().max())


def test_gpt2s_matrices_are_int8_tensors_in_the_file(tmp_path: Path) -> None:
    """GPT-2 keeps its matrices in Conv1D, where PyTorch's own int8 finds nothing."""
    prepare(quantized.source(quantized.scorer("gpt2"), tmp_path / "work")).quantize(tmp_path)
    tensors = load_file(tmp_path / "int8.safetensors")
    int8 = {name for name, one in tensors.items() if one.dtype == torch.int8}
    assert len(int8) == quantized.MATRICES["gpt2"]
    assert "transformer.h.0.attn.c_attn.weight" in int8
    assert {f"{name.removesuffix('.weight')}.scale" for name in int8} <= set(tensors)
