"""int8 for ONNX Runtime: dynamic, so no calibration.

Weights become int8 ahead of time with a scale for each output column; activations become uint8 as they
pass, with one scale for the whole batch, so that a row's answer depends a little on the rows beside it.
The scheme was chosen on a real BERT of 6 layers fine-tuned on SST-2 (872 rows, a CPU without VNNI). Mean
difference of class probabilities from fp32: 8 bits per tensor 0.048, 7 bits per tensor 0.088, 8 bits per
column 0.024, 7 bits per column 0.022 (a BERT of 12 layers: 0.036). Embedding tables as int8 changed nothing
measurable and took 60 % off.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import onnx
from onnxruntime.quantization import QuantType, quant_pre_process, quantize_dynamic

from advisor.compute.int8.backends import FILES, FORMER, Source
from advisor.compute.int8.onnx_files import TWO_GB, OnnxReader, onnx_bytes
from advisor.compute.int8.quantized import Quantized, check, prove, together
from advisor.compute.int8.servable import servable
from advisor.compute.int8.smoothing import smooth
from advisor.compute.int8.writer_graphs import READS, WRITES, export_graphs
from advisor.compute.int8.writer_runtime import onnx_model
from advisor.compute.int8.written import written
from advisor.compute.tasks.writing import Writer

SMALL_TABLE = 64  # rows; shorter tables (T5's position buckets, BERT's token types) save nothing as int8


def prepare(source: Source) -> OnnxModel | OnnxWriter:
    """The fp32 ONNX file, or those of a model that writes, with constants folded."""
    if isinstance(source.scorer, Writer):
        return OnnxWriter(source, source.scorer)
    return OnnxModel(source.onnx(), source.reduce_range)


class OnnxModel:
    """An fp32 ONNX file, ready to be quantized.

    Without a dot product instruction x86 adds pairs of products in 16 bits, which 8-bit weights overflow, so
    that they get 7 bits there (`reduce_range`; onnxruntime docs, quantization.md). A model above 2 GB has its
    weights in files beside it; the int8 file is one file, below 2 GB.
    """

    def __init__(self, fp32: Path, reduce_range: bool) -> None:
        self.reduce_range, self.fp32_bytes = reduce_range, onnx_bytes(fp32)
        self.folded = fp32.with_name("folded.onnx")
        # Symbolic shape inference gives up on these graphs ("Incomplete symbolic shape inference").
        quant_pre_process(
            fp32, self.folded, skip_symbolic_shape=True, save_as_external_data=self.fp32_bytes > TWO_GB
        )  # fmt: skip
        self.graph = onnx.load(self.folded, load_external_data=False).graph
        self.matrices = tuple(_matrices(self.graph))

    def quantize(self, folder: Path, keep: frozenset[str] = frozenset()) -> Quantized:
        """Write `onnx/model_quantized.onnx`, whole or not at all."""
        return self.write(folder, WRITES, keep)

    def write(self, folder: Path, graph: str, keep: frozenset[str]) -> Quantized:
        """The same of one of several graphs, into the file of its name."""
        with tempfile.TemporaryDirectory(dir=folder) as work:
            draft = Path(work) / "int8.onnx"
            quantize_dynamic(
                self.folded, draft, ["MatMul", "Gather"], per_channel=True, reduce_range=self.reduce_range,
                weight_type=QuantType.QInt8, nodes_to_exclude=[*keep, *_small_tables(self.graph)],
            )  # fmt: skip
            result = check(self._compared(draft), keep, str(folder))
            file_of(folder, graph).parent.mkdir(exist_ok=True)
            draft.replace(file_of(folder, graph))
        return result

    def trial(self, keep: frozenset[str], threads: int) -> None:
        """Quantizing anew takes no calibration."""

    def fp32(self, threads: int = 0) -> OnnxReader:
        """The fp32 model in ONNX Runtime."""
        return OnnxReader(self.folded, threads)

    def _compared(self, draft: Path) -> Quantized:
        after = onnx.load(draft).graph
        types = {tensor.name: tensor.data_type for tensor in after.initializer}
        tables = {node.input[0] for node in after.node if node.op_type == "Gather"}
        return Quantized(
            matrices=len(self.matrices),
            quantized=_products(after) - _products(self.graph),
            kept_fp32=tuple(_matrices(after)),
            tables=sum(types.get(table) == onnx.TensorProto.UINT8 for table in tables),
            reduce_range=self.reduce_range,
            size_bytes=onnx_bytes(draft),
            fp32_bytes=self.fp32_bytes,
        )


class OnnxWriter:
    """The fp32 ONNX files of a model that writes, proved to answer as it does, at once and from the cache."""

    def __init__(self, source: Source, writer: Writer) -> None:
        form = servable(writer)
        smooth(form, source.calibration)
        files = export_graphs(form.model, source.work)
        self.parts = {name: OnnxModel(file, source.reduce_range) for name, file in files.items()}
        self.matrices = tuple(matrix for part in self.parts.values() for matrix in part.matrices)
        self.writer = writer
        for steps in (1, 2):
            prove(writer, partial(self.fp32().model.in_steps, steps), source.proof, str(source.work))

    def quantize(self, folder: Path, keep: frozenset[str] = frozenset()) -> Quantized:
        """Write a file for each graph."""
        parts = self.parts.items()
        return together([part.write(folder, name, keep & {*part.matrices}) for name, part in parts])

    def trial(self, keep: frozenset[str], threads: int) -> None:
        """Quantizing anew takes no calibration."""

    def fp32(self, threads: int = 0) -> Writer:
        """The fp32 model in ONNX Runtime."""
        model, files = self.writer.model, {name: part.folded for name, part in self.parts.items()}
        return self.writer.around(onnx_model(model.config, model.generation_config, files, threads))


def _matrices(graph: Any) -> list[str]:
    """Names of the nodes that multiply by a constant matrix, as quantize_dynamic calls them."""
    constants = {tensor.name for tensor in graph.initializer if len(tensor.dims) == 2}
    # It splits a Gemm (BERT's heads, OPT's feed-forward part) into a product and a sum.
    suffix = {"MatMul": "", "Gemm": "_MatMul"}
    return [
        node.name + suffix[node.op_type]
        for node in graph.node
        if node.op_type in suffix and constants & set(node.input[:2])
    ]


def _small_tables(graph: Any) -> list[str]:
    small = {tensor.name for tensor in graph.initializer if tensor.dims and tensor.dims[0] < SMALL_TABLE}
    return [node.name for node in graph.node if node.op_type == "Gather" and node.input[0] in small]


def _products(graph: Any) -> int:
    """How many products there are with an int8 matrix."""
    int8 = {tensor.name for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.INT8}
    return sum(node.op_type == "MatMulInteger" and node.input[1] in int8 for node in graph.node)


def file_of(folder: Path, graph: str = WRITES) -> Path:
    """The file of a graph in an artefact's folder."""
    known = folder / FILES["onnxruntime"]
    return known.with_name(known.name.replace(WRITES, graph))


def read(folder: Path, threads: int = 0, processor: Any = None) -> OnnxReader | Writer:
    """The int8 model of a folder."""
    found = written(folder)
    if found is None:
        former = [folder / name for name in FORMER if (folder / name).exists()]
        return OnnxReader(former[0] if former else file_of(folder), threads)
    files = {name: file_of(folder, name) for name in (WRITES, READS)}
    return found.scorer(onnx_model(found.config, found.generation, files, threads), processor)
