"""The fp32 export of every family: the right answers at every shape, no weight twice, nothing frozen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import quantized
import tiny
import torch
from onnx import TensorProto
from quantized import BATCHES
from transformers import AutoConfig

from advisor.base.errors import AdviseError
from advisor.compute.int8.export import export, refuse_unexportable
from advisor.compute.int8.onnx_files import OnnxReader
from advisor.compute.structure.proven import small
from advisor.compute.tasks.registry import task_of
from advisor.compute.tasks.scorer import Scorer


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_the_export_answers_as_torch_at_every_shape(family: str, tmp_path: Path) -> None:
    one, path = quantized.scorer(family), tmp_path / "fp32.onnx"
    difference = export(one, path, BATCHES)
    expected = quantized.expected(one)
    assert expected.std(axis=0).min() > 0.02  # the rows differ, so that the equality says something
    np.testing.assert_allclose(quantized.answers(OnnxReader(path, threads=1)), expected, atol=1e-3)
    assert difference < 1e-3
    # T5's head and embeddings are one matrix; exported whole, the head would be there a second time.
    floats = [one for one in onnx.load(path).graph.initializer if one.data_type == TensorProto.FLOAT]
    parameters = sum(each.numel() for each in one.parameters())
    assert sum(np.prod(each.dims) for each in floats) < 1.01 * parameters


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("text-classification", "single_label_classification"),
        ("text-classification", "multi_label_classification"),
        ("text-classification", "regression"),
        ("token-classification", None),
        ("question-answering", None),
        ("text-generation", None),
    ],
)
def test_what_onnx_can_express_is_not_refused_before_a_run(tag: str, kind: str | None) -> None:
    values = AutoConfig.for_model("gpt2" if tag == "text-generation" else "bert").to_dict()
    refuse_unexportable(task_of(tag, ("a", "b"), kind).scorer(small(values, tag, "config.json"), None))


class Frozen(Scorer):
    """Its scores hold a number that tracing writes into the file as a constant."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return super().forward(input_ids, attention_mask) + float(attention_mask.sum())


def test_an_export_that_answers_otherwise_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AdviseError, match=r"logits differ from torch's by \d.*, at most 0\.001 expected"):
        export(Frozen(quantized.scorer("bert").model), tmp_path / "fp32.onnx", BATCHES)


def test_a_full_disk_is_no_model_that_onnx_cannot_express(tmp_path: Path) -> None:
    full = tmp_path / "fp32.onnx"
    full.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        export(quantized.scorer("bert"), full, BATCHES[:1])


def test_an_export_needs_a_batch_and_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    one = quantized.scorer("gpt2").train()
    before = type(one.model.transformer.h[0].mlp.c_fc)
    with pytest.raises(AdviseError, match="cannot be proved without a batch"):
        export(one, tmp_path / "fp32.onnx", [])
    export(one.eval(), tmp_path / "fp32.onnx", BATCHES[:1])
    assert type(one.model.transformer.h[0].mlp.c_fc) is before
