"""Dynamic int8 for CPUs: export to ONNX, quantize with ONNX Runtime, answer, and compare the answers.

Weights become int8 ahead of time with a scale for each output column; activations become uint8 as they
pass, with one scale for the whole batch, so that a row's answer depends a little on the rows beside it.
The scheme was chosen on a real BERT of 6 layers fine-tuned on SST-2 (872 rows, a CPU without VNNI). Mean
difference of class probabilities from fp32: 8 bits per tensor 0.048, 7 bits per tensor 0.088, 8 bits per
column 0.024, 7 bits per column 0.022 (a BERT of 12 layers: 0.036). Embedding tables as int8 changed nothing
measurable and took 60 % off.
"""

from __future__ import annotations

import copy
import os
import re
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import ArrayLike, NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as failures
from onnxruntime.quantization import QuantType, quant_pre_process, quantize_dynamic

from advisor.compute.bench import Batch
from advisor.compute.scorer import Scorer
from advisor.cpu import DOT_PRODUCT, instruction_sets
from advisor.errors import AdviseError, Fault

OPSET = 17  # the first with LayerNormalization as one operator
EXPORT_TOLERANCE = 1e-3  # largest difference of logits between torch and the exported fp32 model
# T5's second feed-forward matrix overflows in low precision (huggingface/transformers#20287): it stays fp32.
KEEP_FP32 = r"/wo/"
# Every family's second feed-forward matrix, whose input has the widest outliers; for a model that misses its
# int8 gate. On the BERT above, equal answers rose from 0.970 to 0.989, time from 0.60 to 0.72 of torch fp32's.
KEEP_FP32_MORE = r"/wo/|layer\.\d+/output/dense/|/mlp/c_proj/|/fc2/"
SMALL_TABLE = 64  # rows; shorter tables (T5's position buckets, BERT's token types) save nothing as int8
TWO_GB = 2**31 - 1  # the largest protobuf file; a larger fp32 model has its weights in files beside it

UNLOADABLE = failures.NoSuchFile, failures.InvalidArgument, failures.InvalidProtobuf, failures.Fail


@dataclass(frozen=True, slots=True)
class Quantized:
    """What became int8. matrices: constant ones that the graph multiplies by; tables: int8 embeddings."""

    matrices: int
    quantized: int
    kept_fp32: tuple[str, ...]
    tables: int
    reduce_range: bool
    weight_type: str
    size_bytes: int
    fp32_bytes: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two models' answers to the same rows. Differences are of class probabilities, between 0 and 1.

    Of a regression they are shares of the span of the first model's answers, and answers count as the same that differ
    by less than a twentieth of it.
    """

    max_probability_difference: float
    mean_probability_difference: float
    same_answer_share: float


def export(scorer: Scorer, path: Path, batches: Sequence[Batch], *, opset: int = OPSET) -> float:
    """Write the model as fp32 ONNX for any number of rows and tokens, and prove it on the batches.

    Inputs `input_ids`, `attention_mask` (batch, tokens), int64; output `logits` (batch, labels). Above 2 GB
    the weights go into many files beside `path`: give it a folder of its own.

    Returns:
        The largest absolute difference of logits from torch's.

    Raises:
        AdviseError: there is no batch, or the exported model's logits differ by more than `EXPORT_TOLERANCE`.
    """
    if not batches:
        raise AdviseError(Fault("the export cannot be proved without a batch", str(path), hint="give rows"))
    scorer = copy.deepcopy(scorer).to("cpu", torch.float32).eval()
    # A shape of its own, and padded: a size that got frozen in the file shows on the batches.
    sample = torch.ones(2, 5, dtype=torch.long), torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    axes = {0: "batch", 1: "tokens"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer warns of every shape that transformers compares
        torch.onnx.export(
            scorer, sample, str(path), dynamo=False, opset_version=opset,  # dynamo=True would need onnxscript
            input_names=["input_ids", "attention_mask"], output_names=["logits"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "batch"}},
        )  # fmt: skip
        difference = _largest_difference(scorer, OnnxScorer(path), batches)
    if not difference <= EXPORT_TOLERANCE:
        raise AdviseError(
            Fault(
                f"the exported model's logits differ from torch's by {difference:.2g}, "
                f"at most {EXPORT_TOLERANCE:g} expected",
                str(path),
                hint="run the model in fp32; other versions of torch and transformers may export it better",
            )
        )
    return difference


def _largest_difference(scorer: Scorer, exported: OnnxScorer, batches: Sequence[Batch]) -> float:
    found = []
    for batch in batches:
        ids, mask = batch.input_ids.cpu(), batch.attention_mask.cpu()
        found.append(np.abs(scorer(ids, mask).numpy() - exported(ids, mask)).max())
    return float(np.max(found))  # NaN stays NaN, and so fails


def quantize(
    fp32_path: Path, int8_path: Path, *, keep: str = KEEP_FP32, instructions: frozenset[str] | None = None
) -> Quantized:
    """Write the int8 version of an fp32 ONNX file, whole or not at all.

    Without a dot product instruction x86 adds pairs of products in 16 bits, which 8-bit weights overflow, so
    that they get 7 bits there (`reduce_range`; onnxruntime docs, quantization.md).

    An fp32 model above 2 GB has its weights in files beside it; the int8 file is one file, below 2 GB.

    Args:
        keep: a regular expression; matrices whose node's name it finds stay fp32.
        instructions: of the CPU that will serve; this machine's if not given.

    Raises:
        AdviseError: no matrix became int8, some were left out unasked, or the file grew.
    """
    offered = instruction_sets() if instructions is None else instructions
    reduce_range = not offered & DOT_PRODUCT
    with tempfile.TemporaryDirectory(dir=int8_path.parent) as folder:
        folded, draft = Path(folder) / "folded.onnx", Path(folder) / "int8.onnx"
        large = _bytes(fp32_path) > TWO_GB
        # Symbolic shape inference gives up on these graphs ("Incomplete symbolic shape inference").
        quant_pre_process(fp32_path, folded, skip_symbolic_shape=True, save_as_external_data=large)
        graph = onnx.load(folded, load_external_data=False).graph
        kept = [name for name in _matrices(graph) if re.search(keep, name)]
        quantize_dynamic(
            folded, draft, ["MatMul", "Gather"], per_channel=True, reduce_range=reduce_range,
            weight_type=QuantType.QInt8, nodes_to_exclude=[*kept, *_small_tables(graph)],
        )  # fmt: skip
        result = _compared(graph, onnx.load(draft).graph, reduce_range, (_bytes(draft), _bytes(fp32_path)))
        _check(result, kept, int8_path)
        draft.replace(int8_path)
    return result


def _bytes(path: Path) -> int:
    """Bytes of an ONNX file and of the external data beside it, if it has any."""
    named = {entry.value for tensor in onnx.load(path, load_external_data=False).graph.initializer
             for entry in tensor.external_data if entry.key == "location"}  # fmt: skip
    return sum(file.stat().st_size for file in (path, *(path.parent / name for name in named)))


def _matrices(graph: Any) -> list[str]:
    """Names of the nodes that multiply by a constant matrix, as quantize_dynamic calls them."""
    constants = {tensor.name for tensor in graph.initializer if len(tensor.dims) == 2}
    # It splits a Gemm (BERT's heads, all of GPT-2) into a product and a sum.
    suffix = {"MatMul": "", "Gemm": "_MatMul"}
    return [
        node.name + suffix[node.op_type]
        for node in graph.node
        if node.op_type in suffix and constants & set(node.input[:2])
    ]


def _small_tables(graph: Any) -> list[str]:
    small = {tensor.name for tensor in graph.initializer if tensor.dims and tensor.dims[0] < SMALL_TABLE}
    return [node.name for node in graph.node if node.op_type == "Gather" and node.input[0] in small]


def _compared(before: Any, after: Any, reduce_range: bool, sizes: tuple[int, int]) -> Quantized:
    types = {tensor.name: tensor.data_type for tensor in after.initializer}
    tables = {node.input[0] for node in after.node if node.op_type == "Gather"}
    return Quantized(
        matrices=len(_matrices(before)),
        quantized=_products(after) - _products(before),
        kept_fp32=tuple(_matrices(after)),
        tables=sum(types.get(table) == onnx.TensorProto.UINT8 for table in tables),
        reduce_range=reduce_range,
        weight_type="int8",
        size_bytes=sizes[0],
        fp32_bytes=sizes[1],
    )


def _products(graph: Any) -> int:
    """How many products there are with an int8 matrix."""
    int8 = {tensor.name for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.INT8}
    return sum(node.op_type == "MatMulInteger" and node.input[1] in int8 for node in graph.node)


def _check(result: Quantized, kept: Sequence[str], path: Path) -> None:
    left = sorted(set(result.kept_fp32) - set(kept))
    faults = []
    if not result.quantized:
        faults.append(f"int8 changed nothing: none of {result.matrices} matrices became int8")
    elif left:
        faults.append(f"{len(left)} of {result.matrices} matrices stayed fp32 unasked: {', '.join(left[:5])}")
    if result.size_bytes >= result.fp32_bytes:
        faults.append(f"the int8 file grew: {result.size_bytes:,} bytes, fp32 has {result.fp32_bytes:,}")
    if faults:
        hint = "leave the quantization step out of the recipe for this model"
        raise AdviseError(*(Fault(fault, str(path), hint=hint) for fault in faults))


class OnnxScorer:
    """An ONNX file of a scorer, loaded on the CPU. `threads`: for one request; all cores of the process if 0.

    Raises:
        AdviseError: the file is missing or ONNX Runtime cannot load it.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or _cores()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        # Threads that spin after an answer would burn the time and energy of whoever is measured next.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        try:
            self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except UNLOADABLE as error:
            raise AdviseError(Fault(f"cannot be loaded: {str(error).splitlines()[0]}", str(path))) from None

    def __call__(self, input_ids: ArrayLike, attention_mask: ArrayLike) -> NDArray[np.float32]:
        """Scores (batch, labels) of input_ids, attention_mask (batch, tokens)."""
        feed = {
            "input_ids": np.asarray(input_ids, dtype=np.int64),
            "attention_mask": np.asarray(attention_mask, dtype=np.int64),
        }
        logits: NDArray[np.float32] = self.session.run(["logits"], feed)[0]
        return logits


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def agreement(a_logits: ArrayLike, b_logits: ArrayLike) -> Agreement:
    """Compare two models' scores (rows, labels) of the same rows.

    Example: probabilities (0.9, 0.1) and (0.8, 0.2) of one row differ by 0.1 at most, by 0.1 in the mean, and
    give the same answer.
    """
    both = np.asarray(a_logits, dtype=np.float64), np.asarray(b_logits, dtype=np.float64)
    span = np.ptp(both[0]) or 1.0
    a, b = (one / span if one.shape[1] == 1 else _probabilities(one) for one in both)
    difference = np.abs(a - b)
    if a.shape[1] == 1:
        return Agreement(float(difference.max()), float(difference.mean()), float((difference < 0.05).mean()))
    return Agreement(
        float(difference.max()),
        float(difference.mean()),
        float((a.argmax(axis=1) == b.argmax(axis=1)).mean()),
    )


def _probabilities(logits: ArrayLike) -> NDArray[np.float64]:
    scores = np.asarray(logits, dtype=np.float64)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares
