"""Only the answer's row passes the end of the last block, and the answers stay the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import quantized
import torch

from advisor.compute.int8.answer_rows import answer_rows_only
from advisor.compute.int8.export import _sample, _trace
from advisor.compute.int8.onnx_files import OnnxReader
from advisor.compute.int8.servable import servable

ENDS = {
    "bert": {"attention/output/dense", "intermediate/dense", "output/dense"},
    "gpt2": {"attn/c_proj", "mlp/c_fc", "mlp/c_proj"},
    "opt": {"self_attn/out_proj", "fc1", "fc2"},
}


@pytest.mark.parametrize("family", ENDS)
def test_the_last_block_ends_with_one_row(family: str, tmp_path: Path) -> None:
    one = quantized.scorer(family)
    _trace(servable(one), tmp_path / "whole.onnx", _sample(quantized.BATCHES[0]))
    model = onnx.load(tmp_path / "whole.onnx")
    assert answer_rows_only(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, tmp_path / "rows.onnx")
    whole, rows = (quantized.answers(OnnxReader(tmp_path / name, 1)) for name in ("whole.onnx", "rows.onnx"))
    np.testing.assert_allclose(rows, whole, atol=1e-6)
    few = {name for name, count in _rows_worked_out(tmp_path / "rows.onnx").items() if count == 7}
    assert {name.split(".3/")[1] for name in few if ".3/" in name} == ENDS[family]
    assert not [name for name in few if ".2/" in name]


def _rows_worked_out(path: Path) -> dict[str, int]:
    """For each product of a block with a matrix how many rows of 7 texts of 5 tokens it is worked out for."""
    model = onnx.load(path)
    products = {
        node.output[0]: node.name.rpartition("/")[0]
        for node in model.graph.node
        if node.op_type in ("MatMul", "Gemm") and "/answer_row" not in node.name
    }
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in products)
    onnx.save(model, path.with_name("watched.onnx"))
    session = onnxruntime.InferenceSession(path.with_name("watched.onnx"), providers=["CPUExecutionProvider"])
    batch = quantized.batch(7, 5)
    feed = {"input_ids": batch.inputs["input_ids"].numpy(), "attention_mask": batch.inputs["attention_mask"].numpy()}
    found = session.run(list(products), feed)
    return {name: value.size // value.shape[-1] for name, value in zip(products.values(), found, strict=True)}


# OPT-350m is narrower at both ends than within.
@pytest.mark.parametrize(("family", "sizes"), [("gpt2", {}), ("opt", {}), ("opt", {"word_embed_proj_dim": 24})])
def test_the_last_token_is_the_one_that_the_stock_class_scores(family: str, sizes: dict[str, int]) -> None:
    one = quantized.scorer(family, **sizes)
    ids = torch.tensor([[5, 6, 0, 0], [5, 0, 7, 0], [0, 0, 0, 0], [8, 9, 10, 11]])  # 0 pads, but may be a text's own
    mask = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1]])
    with torch.no_grad():
        torch.testing.assert_close(servable(one)(ids, mask), one(ids, mask))


def test_graphs_that_pick_no_row_are_left_as_they_are(tmp_path: Path) -> None:
    _trace(servable(quantized.scorer("t5")), tmp_path / "fp32.onnx", _sample(quantized.BATCHES[0]))
    model = onnx.load(tmp_path / "fp32.onnx")
    before = model.SerializeToString()
    assert not answer_rows_only(model.graph)
    assert model.SerializeToString() == before
