"""Outlying channels are scaled down before a matrix, the answers stay the same, and int8 comes nearer to fp32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import quantized
import tiny
import torch

from advisor.compute.int8.backends import backend
from advisor.compute.int8.quantized import agreement
from advisor.compute.int8.servable import servable
from advisor.compute.int8.smoothing import Smoothed, smooth
from advisor.compute.tasks.scorer import Scorer

NAME = "bert.encoder.layer.1.output.dense"


def outlying() -> Scorer:
    """A BERT in which one neuron of a feed-forward part is far larger than the others, as in trained models."""
    one = quantized.scorer("bert")
    with torch.no_grad():
        layer = one.model.bert.encoder.layer[1]
        layer.intermediate.dense.bias[5] = 300.0
        layer.output.dense.weight[:, 5] *= 0.01
    return one


def test_a_matrix_with_an_outlying_input_is_smoothed_and_answers_the_same() -> None:
    one = servable(outlying())
    before = quantized.expected(one)
    assert smooth(one, quantized.BATCHES) == (NAME,)
    np.testing.assert_allclose(quantized.expected(one), before, atol=1e-4)
    factor = one.model.get_submodule(NAME).factor
    assert isinstance(one.model.get_submodule(NAME), Smoothed)
    assert int(factor.argmin()) == 5
    assert float(factor.min()) < 0.1


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_without_outliers_nothing_is_smoothed(family: str) -> None:
    assert smooth(servable(quantized.scorer(family)), quantized.BATCHES) == ()


@pytest.mark.parametrize("name", ["onnxruntime", "pytorch"])
def test_int8_comes_nearer_to_fp32(name: str, tmp_path: Path) -> None:
    one, differences = outlying(), []
    expected = quantized.expected(one)
    for calibration in ((), quantized.BATCHES):
        folder = tmp_path / str(len(calibration))
        folder.mkdir()
        quantized.written(name, one, folder, calibration)
        reader = backend(name).read(folder, threads=1)
        differences.append(agreement(expected, quantized.answers(reader)).mean_probability_difference)
    assert differences[1] < differences[0] / 2
