"""ONNX files of strangers: what ONNX Runtime raises, whatever its class, is an error that names the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from advisor.base.errors import AdviseError
from advisor.compute.int8.onnx_files import OnnxReader

TOKENS = np.ones((2, 3), dtype=np.int64)


def written(file: Path, nodes: Sequence[Any], kind: int = TensorProto.FLOAT, sizes: Sequence[int] = ()) -> Path:
    """A model from `input_ids` to `logits`. sizes: a constant of this name."""
    inputs = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["rows", "tokens"])]
    outputs = [helper.make_tensor_value_info("logits", kind, None)]
    constants = [numpy_helper.from_array(np.array(sizes, dtype=np.int64), "sizes")]
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    file.write_bytes(model.SerializeToString())
    return file


@pytest.mark.parametrize("domain", ["", "somebody.else"])
def test_operators_that_nobody_has(domain: str, tmp_path: Path) -> None:
    file = written(tmp_path / "a.onnx", [helper.make_node("Evil", ["input_ids"], ["logits"], domain=domain)])
    with pytest.raises(AdviseError, match=r"a\.onnx: cannot be loaded: .*INVALID_GRAPH"):
        OnnxReader(file, threads=1)


CASTED = helper.make_node("Cast", ["reshaped"], ["logits"], to=TensorProto.FLOAT)
NO_SCORES: dict[str, tuple[Sequence[Any], int, Sequence[int]]] = {
    "texts": ([helper.make_node("Cast", ["input_ids"], ["logits"], to=TensorProto.STRING)], TensorProto.STRING, ()),
    "whole numbers": ([helper.make_node("Identity", ["input_ids"], ["logits"])], TensorProto.INT64, ()),
    "no rows": ([helper.make_node("ConstantOfShape", ["sizes"], ["logits"])], TensorProto.FLOAT, (5,)),
    "sizes that do not fit": (
        [helper.make_node("Reshape", ["input_ids", "sizes"], ["reshaped"]), CASTED],
        *(TensorProto.FLOAT, (7, 13)),
    ),
}


@pytest.mark.parametrize(("nodes", "kind", "sizes"), NO_SCORES.values(), ids=NO_SCORES)
def test_what_gives_no_scores(nodes: Sequence[Any], kind: int, sizes: Sequence[int], tmp_path: Path) -> None:
    reader = OnnxReader(written(tmp_path / "a.onnx", nodes, kind, sizes), threads=1)
    with pytest.raises(AdviseError, match=r"a\.onnx: cannot answer: "):
        reader(input_ids=TOKENS)


def test_what_takes_other_inputs(tmp_path: Path) -> None:
    cast = helper.make_node("Cast", ["input_ids"], ["logits"], to=TensorProto.FLOAT)
    with pytest.raises(AdviseError, match=r"a\.onnx: cannot answer: Required inputs"):
        OnnxReader(written(tmp_path / "a.onnx", [cast]), threads=1)(others=TOKENS)
