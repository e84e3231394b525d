"""Only the answer's row passes the end of the last block, and the answers stay the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import quantized
from onnx import shape_inference

from advisor.compute.answer_rows import answer_rows_only
from advisor.compute.backends.onnxruntime import OnnxReader
from advisor.compute.export import _trace
from advisor.compute.servable import servable


def test_berts_last_block_ends_with_one_row(tmp_path: Path) -> None:
    one = quantized.scorer("bert")
    _trace(servable(one), tmp_path / "whole.onnx")
    model = onnx.load(tmp_path / "whole.onnx")
    assert answer_rows_only(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, tmp_path / "rows.onnx")
    whole, rows = (quantized.answers(OnnxReader(tmp_path / name, 1)) for name in ("whole.onnx", "rows.onnx"))
    np.testing.assert_allclose(rows, whole, atol=1e-6)
    ranks = {
        each.name: len(each.type.tensor_type.shape.dim) for each in shape_inference.infer_shapes(model).graph.value_info
    }
    products = {node.name: ranks.get(node.output[0]) for node in model.graph.node if node.op_type == "MatMul"}
    ends = {
        name.split("layer.")[1].removesuffix("/MatMul")
        for name, rank in products.items()
        if rank == 2 and "layer." in name
    }
    assert ends == {"3/attention/output/dense", "3/intermediate/dense", "3/output/dense"}


def test_graphs_that_pick_no_row_are_left_as_they_are(tmp_path: Path) -> None:
    for family in ("gpt2", "opt", "t5"):
        _trace(servable(quantized.scorer(family)), tmp_path / "fp32.onnx")
        model = onnx.load(tmp_path / "fp32.onnx")
        before = model.SerializeToString()
        assert not answer_rows_only(model.graph)
        assert model.SerializeToString() == before
