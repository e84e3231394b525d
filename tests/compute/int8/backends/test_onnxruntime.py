"""What stands in ONNX Runtime's int8 file: bits, scales, tables, and no large fp32 weight."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import quantized
import tiny
from onnx import TensorProto, helper, numpy_helper

from advisor.base.errors import AdviseError
from advisor.compute.int8.backends import FILES, wrote
from advisor.compute.int8.backends.onnxruntime import OnnxModel, prepare, read
from advisor.compute.int8.onnx_files import OnnxReader
from advisor.compute.int8.quantized import spared
from advisor.records.run_folder import artefact

TABLES = {"bert": 2, "gpt2": 2, "opt": 2, "t5": 1}


@pytest.fixture(scope="module", params=tiny.FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(family: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Quantized as for a CPU without int8 dot-product instructions."""
    folder = tmp_path_factory.mktemp(family)
    model = prepare(quantized.source(quantized.scorer(family), folder / "work", reduce_range=True))
    result = model.quantize(folder, spared(model.matrices))
    assert result.reduce_range
    assert result.tables == TABLES[family]
    assert result.size_bytes == (folder / FILES["onnxruntime"]).stat().st_size
    return folder


def largest_weight(path: Path) -> int:
    """Of the matrices; tables are uint8 and never multiplied by."""
    weights = (one for one in onnx.load(path).graph.initializer if one.data_type == TensorProto.INT8 and one.dims)
    return int(max(np.abs(numpy_helper.to_array(one).astype(int)).max() for one in weights))


def test_seven_bits_without_a_dot_product(folder: Path) -> None:
    assert largest_weight(folder / FILES["onnxruntime"]) <= 64


def test_eight_bits_with_a_dot_product(folder: Path, tmp_path: Path) -> None:
    result = OnnxModel(folder / "work" / "fp32.onnx", reduce_range=False).quantize(tmp_path)
    assert not result.reduce_range
    assert largest_weight(tmp_path / FILES["onnxruntime"]) == 127


def test_no_other_large_weight_is_left_in_fp32(family: str, folder: Path) -> None:
    """Counted by size in the file itself, so that no matrix hides behind a name or an operator."""
    graph = onnx.load(folder / FILES["onnxruntime"]).graph
    large = [one for one in graph.initializer if one.data_type == TensorProto.FLOAT and np.prod(one.dims) >= 48 * 48]
    wo = 96 * 48
    assert [np.prod(one.dims) for one in large] == [wo] * (quantized.BLOCKS[family] if family == "t5" else 0)


def test_each_column_of_a_matrix_has_its_own_scale(folder: Path) -> None:
    graph = onnx.load(folder / FILES["onnxruntime"]).graph
    sizes = {one.name: tuple(one.dims) for one in graph.initializer}
    products = [node for node in graph.node if node.op_type == "MatMulInteger"]
    assert [sizes[node.input[3]] for node in products] == [sizes[node.input[1]][1:] for node in products]


def test_the_file_is_alone(folder: Path) -> None:
    files = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}
    assert {name for name in files if not name.startswith("work/")} == {FILES["onnxruntime"]}


def test_int8_that_is_quantized_again_is_an_error(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "int8.onnx").write_bytes((folder / FILES["onnxruntime"]).read_bytes())
    model = OnnxModel(tmp_path / "int8.onnx", reduce_range=False)
    with pytest.raises(AdviseError, match=r"quantization changed nothing: 0 of \d+ matrices"):
        model.quantize(tmp_path, spared(model.matrices))


def test_a_file_that_grows_is_an_error(tmp_path: Path) -> None:
    one = quantized.scorer("bert", hidden_size=4, intermediate_size=4, num_attention_heads=1)
    model = prepare(quantized.source(one, tmp_path / "work"))
    with pytest.raises(AdviseError, match=r"the int8 file grew: \d+,\d+ bytes, fp32 has \d+,\d+"):
        model.quantize(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["work"]


def test_a_matrix_left_out_unasked_is_an_error(tmp_path: Path) -> None:
    """ONNX Runtime quantizes no product whose constant is on the left."""
    weights = {"left": np.ones((64, 64), np.float32), "right": np.ones((64, 64), np.float32)}
    nodes = [
        helper.make_node("MatMul", ["x", "right"], ["h"], "/right/MatMul"),
        helper.make_node("MatMul", ["left", "h"], ["y"], "/left/MatMul"),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [64, 64]) for name in "xy"]
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "two", ends[:1], ends[1:], constants)
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
        tmp_path / "two.onnx",
    )
    with pytest.raises(AdviseError, match="1 of 2 matrices were not quantized: /left/MatMul"):
        OnnxModel(tmp_path / "two.onnx", reduce_range=True).quantize(tmp_path)


def test_the_file_of_an_older_run_folder_is_read(family: str, folder: Path, tmp_path: Path) -> None:
    now, before = tmp_path / "now", tmp_path / "before"
    for place, name in ((now, FILES["onnxruntime"]), (before, "model.onnx")):
        (place / name).parent.mkdir(parents=True)
        shutil.copy(folder / FILES["onnxruntime"], place / name)
        (place / "config.json").write_text(quantized.config(quantized.scorer(family)))
        assert wrote(place) == "onnxruntime" and artefact(place).kind == "onnx"
    answers = [read(place)(**quantized.BATCHES[0].inputs) for place in (now, before)]
    assert np.array_equal(*answers)


def test_threads_are_as_asked(folder: Path) -> None:
    assert OnnxReader(folder / FILES["onnxruntime"], threads=1).session.get_session_options().intra_op_num_threads == 1
