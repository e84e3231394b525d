"""Export and int8 of every family: the right answers at every shape, every matrix counted, nothing silent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tiny
import torch
from onnx import TensorProto, helper, numpy_helper
from transformers import AutoConfig, AutoModelForSequenceClassification, T5ForConditionalGeneration

from advisor.compute.bench import Batch
from advisor.compute.int8 import (
    KEEP_FP32_MORE,
    Agreement,
    OnnxScorer,
    Quantized,
    agreement,
    export,
    quantize,
)
from advisor.compute.scorer import Scorer
from advisor.errors import AdviseError

torch.set_num_threads(1)  # tiny matrices, and a machine that may be busy
VNNI, AVX2 = frozenset({"avx2", "avx512_vnni"}), frozenset({"avx2"})
# Blocks x matrices + head; T5 has 6 in an encoder block, 10 in a decoder block, and keeps each `wo` in fp32.
MATRICES = {"bert": 4 * 6 + 2, "gpt2": 4 * 4 + 1, "opt": 4 * 6 + 1, "t5": 4 * 6 + 3 * 10 + 1}
BLOCKS = {"bert": 4, "gpt2": 4, "opt": 4, "t5": 4 + 3}
TABLES = {"bert": 2, "gpt2": 2, "opt": 2, "t5": 1}


def scorer(family: str, **more: Any) -> Scorer:
    """A tiny model whose random weights are large enough for its answers to differ."""
    torch.manual_seed(0)
    wide = {"opt": {"init_std": 0.3}, "t5": {}}.get(family, {"initializer_range": 0.3})
    sizes = {"vocab_size": tiny.VOCABULARY, "num_labels": 3, **tiny.SIZES[family], **wide, "pad_token_id": 0}
    config = AutoConfig.for_model(family, **{**sizes, **more})
    if family == "t5":
        return Scorer(T5ForConditionalGeneration(config), ((5, 6, 1), (7, 1), (8, 1))).eval()
    return Scorer(AutoModelForSequenceClassification.from_config(config)).eval()


def batch(rows: int, tokens: int) -> Batch:
    """Random rows, each two tokens shorter than the one before it, padded."""
    torch.manual_seed(rows)
    mask = torch.tensor([[1] * n + [0] * (tokens - n) for n in (max(1, tokens - 2 * row) for row in range(rows))])
    ids = torch.randint(3, tiny.VOCABULARY, (rows, tokens)).masked_fill(mask == 0, 0)
    return Batch(ids, mask, torch.zeros(rows, dtype=torch.long), torch.arange(rows))


BATCHES = [batch(*shape) for shape in ((1, 1), (1, 40), (2, 5), (7, 3), (16, 33))]


@dataclass(frozen=True, slots=True)
class Files:
    scorer: Scorer
    difference: float
    fp32: Path
    int8: Path
    result: Quantized


@pytest.fixture(scope="module", params=tiny.FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def files(family: str, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Exported, and quantized as for a CPU without a dot product instruction."""
    folder, one = tmp_path_factory.mktemp(family), scorer(family)
    fp32, int8 = folder / "fp32.onnx", folder / "int8.onnx"
    difference = export(one, fp32, BATCHES)
    return Files(one, difference, fp32, int8, quantize(fp32, int8, instructions=AVX2))


def logits(path: Path) -> np.ndarray:
    one = OnnxScorer(path, threads=1)
    return np.concatenate([one(each.input_ids, each.attention_mask) for each in BATCHES])


@torch.no_grad()
def test_the_export_answers_as_torch_at_every_shape(files: Files) -> None:
    expected = np.concatenate([files.scorer(one.input_ids, one.attention_mask).numpy() for one in BATCHES])
    assert expected.std(axis=0).min() > 0.02  # the rows differ, so that the equality says something
    np.testing.assert_allclose(logits(files.fp32), expected, atol=1e-3)
    assert files.difference < 1e-3


def test_every_matrix_is_int8_but_those_kept(family: str, files: Files) -> None:
    kept = BLOCKS[family] if family == "t5" else 0
    assert files.result.matrices == MATRICES[family]
    assert files.result.quantized == MATRICES[family] - kept
    assert len(files.result.kept_fp32) == kept
    assert all("/wo/" in name for name in files.result.kept_fp32)
    assert files.result.tables == TABLES[family]


def test_no_other_large_weight_is_left_in_fp32(family: str, files: Files) -> None:
    """Counted by size in the file itself, so that no matrix hides behind a name or an operator."""
    graph = onnx.load(files.int8).graph
    large = [one for one in graph.initializer if one.data_type == TensorProto.FLOAT and np.prod(one.dims) >= 48 * 48]
    wo = 96 * 48
    assert [np.prod(one.dims) for one in large] == [wo] * (BLOCKS[family] if family == "t5" else 0)


def test_no_weight_is_exported_twice(files: Files) -> None:
    """T5's head and embeddings are one matrix; exported whole, the head would be there a second time."""
    floats = [one for one in onnx.load(files.fp32).graph.initializer if one.data_type == TensorProto.FLOAT]
    parameters = sum(one.numel() for one in files.scorer.parameters())
    assert sum(np.prod(one.dims) for one in floats) < 1.01 * parameters


def test_each_column_of_a_matrix_has_its_own_scale(files: Files) -> None:
    graph = onnx.load(files.int8).graph
    sizes = {one.name: tuple(one.dims) for one in graph.initializer}
    products = [node for node in graph.node if node.op_type == "MatMulInteger"]
    assert [sizes[node.input[3]] for node in products] == [sizes[node.input[1]][1:] for node in products]


def test_int8_answers_nearly_as_fp32(files: Files) -> None:
    found = agreement(logits(files.fp32), logits(files.int8))
    assert 0 < found.mean_probability_difference < 0.04  # 0 would be fp32 under another name
    assert found.same_answer_share >= 0.8


def test_the_file_is_smaller_and_alone(files: Files) -> None:
    assert files.result.size_bytes == files.int8.stat().st_size < files.fp32.stat().st_size
    assert files.result.fp32_bytes == files.fp32.stat().st_size
    assert {one.name for one in files.int8.parent.iterdir()} == {"fp32.onnx", "int8.onnx"}


def test_seven_bits_without_a_dot_product(files: Files) -> None:
    assert files.result.reduce_range
    assert largest_weight(files.int8) <= 64


def test_eight_bits_with_a_dot_product(files: Files, tmp_path: Path) -> None:
    result = quantize(files.fp32, tmp_path / "int8.onnx", instructions=VNNI)
    assert not result.reduce_range
    assert largest_weight(tmp_path / "int8.onnx") == 127


def largest_weight(path: Path) -> int:
    """Of the matrices; tables are uint8 and never multiplied by."""
    weights = (one for one in onnx.load(path).graph.initializer if one.data_type == TensorProto.INT8 and one.dims)
    return int(max(np.abs(numpy_helper.to_array(one).astype(int)).max() for one in weights))


def test_sensitive_matrices_can_stay(family: str, files: Files, tmp_path: Path) -> None:
    result = quantize(files.fp32, tmp_path / "int8.onnx", keep=KEEP_FP32_MORE)
    assert len(result.kept_fp32) == BLOCKS[family]
    assert result.quantized == MATRICES[family] - BLOCKS[family]


def test_int8_that_changes_nothing_is_an_error(files: Files, tmp_path: Path) -> None:
    with pytest.raises(AdviseError, match=f"changed nothing: none of {files.result.matrices} matrices"):
        quantize(files.fp32, tmp_path / "int8.onnx", keep=".")
    with pytest.raises(AdviseError, match=f"changed nothing: none of {len(files.result.kept_fp32)} matrices"):
        quantize(files.int8, tmp_path / "again.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_grows_is_an_error(tmp_path: Path) -> None:
    export(
        scorer("bert", hidden_size=4, intermediate_size=4, num_attention_heads=1),
        tmp_path / "fp32.onnx",
        BATCHES,
    )
    with pytest.raises(AdviseError, match=r"the int8 file grew: \d+,\d+ bytes, fp32 has \d+,\d+"):
        quantize(tmp_path / "fp32.onnx", tmp_path / "int8.onnx")
    assert [one.name for one in tmp_path.iterdir()] == ["fp32.onnx"]


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
    with pytest.raises(AdviseError, match="1 of 2 matrices stayed fp32 unasked: /left/MatMul"):
        quantize(tmp_path / "two.onnx", tmp_path / "int8.onnx")


class Frozen(Scorer):
    """Its scores hold a number that tracing writes into the file as a constant."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return super().forward(input_ids, attention_mask) + float(attention_mask.sum())


def test_an_export_that_answers_otherwise_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AdviseError, match=r"logits differ from torch's by \d.*, at most 0\.001 expected"):
        export(Frozen(scorer("bert").model), tmp_path / "fp32.onnx", BATCHES)


def test_an_export_needs_a_batch_and_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    one = scorer("gpt2").train()
    with pytest.raises(AdviseError, match="cannot be proved without a batch"):
        export(one, tmp_path / "fp32.onnx", [])
    export(one, tmp_path / "fp32.onnx", BATCHES[:1])
    assert one.training


@pytest.mark.parametrize("content", [None, b"", b"no model"], ids=["missing", "empty", "broken"])
def test_a_file_that_cannot_be_loaded(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AdviseError, match=r"model\.onnx: cannot be loaded"):
        OnnxScorer(path)


def test_threads_are_as_asked(files: Files) -> None:
    assert OnnxScorer(files.int8, threads=1).session.get_session_options().intra_op_num_threads == 1


def test_agreement() -> None:
    a, b = np.log([[0.9, 0.1], [0.6, 0.4]]), np.log([[0.8, 0.2], [0.3, 0.7]])
    found = agreement(a, b)
    assert found.max_probability_difference == pytest.approx(0.3)
    assert found.mean_probability_difference == pytest.approx(0.2)
    assert found.same_answer_share == 0.5
    assert agreement(a, a + 7) == Agreement(pytest.approx(0), pytest.approx(0), 1.0)


def test_agreement_of_a_regression_is_in_shares_of_its_span() -> None:
    found = agreement([[0.0], [5.0], [2.0], [3.0]], [[0.1], [5.0], [2.0], [4.0]])
    assert found == Agreement(pytest.approx(0.2), pytest.approx(0.22 / 4), 0.75)
