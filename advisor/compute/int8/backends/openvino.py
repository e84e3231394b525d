"""int8 for OpenVINO: static, by NNCF's post-training quantization, calibrated on training rows of the task.

Needs the extra [openvino]. Neither OpenVINO nor NNCF may report to its maker: both do without the package that
would, and so it is put out of their reach before they are imported.
"""

from __future__ import annotations

import io
import logging
import sys
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from advisor.base.errors import AdviseError, Fault
from advisor.compute.int8.backends import FILES, Source
from advisor.compute.int8.onnx_files import onnx_bytes
from advisor.compute.int8.quantized import Quantized, check, feed, prove

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: importing it fails
import nncf  # noqa: E402
import openvino  # noqa: E402
from openvino import opset13  # noqa: E402

nncf.set_log_level(logging.ERROR)
FP32 = {"INFERENCE_PRECISION_HINT": "f32"}  # the default is bf16 where the CPU has it


def prepare(source: Source) -> OpenVinoModel:
    """The fp32 ONNX file as OpenVINO's model, proved to answer as torch does."""
    path = source.onnx()
    model = openvino.convert_model(str(path))
    prove(source.scorer, OpenVinoReader(model, config=FP32), source.proof, str(path))
    feeds = [feed(batch.to("cpu").inputs) for batch in source.calibration]
    return OpenVinoModel(model, feeds, onnx_bytes(path))


class OpenVinoModel:
    """An fp32 model of OpenVINO with the rows to calibrate it on."""

    def __init__(self, model: Any, feeds: list[dict[str, NDArray[np.int64]]], fp32_bytes: int) -> None:
        self.model, self.feeds, self.fp32_bytes = model, feeds, fp32_bytes
        self.matrices = tuple(_matrices(model))
        self.int8: Any = None  # the model that was made first

    def quantize(self, folder: Path, keep: frozenset[str] = frozenset()) -> Quantized:
        """Write `openvino_model.xml` and `.bin`."""
        with redirect_stdout(io.StringIO()):  # NNCF draws bars of its own
            model = nncf.quantize(
                self.model.clone(), nncf.Dataset(self.feeds), subset_size=len(self.feeds),
                model_type=nncf.ModelType.TRANSFORMER,
                ignored_scope=nncf.IgnoredScope(names=sorted(keep)) if keep else None,
            )  # fmt: skip
        file = folder / FILES["openvino"]
        openvino.save_model(model, str(file))
        self.int8 = self.int8 or model
        left = tuple(_matrices(model))
        result = Quantized(
            matrices=len(self.matrices),
            quantized=len(self.matrices) - len(left),
            kept_fp32=left,
            tables=_int8_tables(model),
            reduce_range=False,
            size_bytes=file.with_suffix(".bin").stat().st_size,
            fp32_bytes=self.fp32_bytes,
        )
        return check(result, keep, str(folder))

    def trial(self, keep: frozenset[str], threads: int) -> OpenVinoReader | None:
        """NNCF calibrates anew for every scope, which takes ten times as long as to put a few matrices back."""
        model = self.int8.clone()
        was, now = _by_name(self.model), _by_name(model)
        for name in keep:
            if name not in was or name not in now:
                return None
            above, matrix = (was[name].input_value(port) for port in (0, 1))
            before = now.get(above.get_node().get_friendly_name())
            if before is None:
                return None
            # Past the quantizer, and past the factors by which NNCF smooths what goes into it.
            now[name].input(0).replace_source_output(before.output(above.get_index()))
            now[name].input(1).replace_source_output(opset13.constant(matrix.get_node().data).output(0))
        return OpenVinoReader(model, threads)

    def fp32(self, threads: int = 0) -> OpenVinoReader:
        """The fp32 model in OpenVINO."""
        return OpenVinoReader(self.model, threads, FP32)


def _by_name(model: Any) -> dict[str, Any]:
    """The nodes whose names are theirs alone."""
    nodes = model.get_ops()
    counts = Counter(node.get_friendly_name() for node in nodes)
    return {name: node for node in nodes if counts[name := node.get_friendly_name()] == 1}


def _matrices(model: Any) -> list[str]:
    """Names of the products with a constant fp32 matrix."""
    return [node.get_friendly_name() for node in model.get_ops() if _fp32_product(node)]


def _fp32_weight(node: Any) -> bool:
    return node.get_type_name() == "Constant" and str(node.get_element_type()) in ("<Type: 'float32'>", "f32")


def _gated_in_fp32(model: Any) -> bool:
    """Whether fp32 matrices gate a feed-forward part, as Llama's do: an activation of their product is a factor."""
    return any(
        _fp32_product(node.input_value(0).get_node()) and _is_factor(node)
        for node in model.get_ops()
        if node.get_type_name() in ("Swish", "Gelu")
    )


def _fp32_product(node: Any) -> bool:
    return node.get_type_name() == "MatMul" and _fp32_weight(node.input_value(1).get_node())


def _is_factor(node: Any) -> bool:
    """Whether a node's output is multiplied by something that is no constant."""
    above = [port.get_node() for port in node.output(0).get_target_inputs()]
    factors = (
        one.input_value(port).get_node() for one in above if one.get_type_name() == "Multiply" for port in (0, 1)
    )
    return any(one.get_type_name() not in ("Constant", node.get_type_name()) for one in factors)


def _int8_tables(model: Any) -> int:
    """Embedding tables of bytes: a row is gathered from them, or from what they stand for."""
    gathers = (node for node in model.get_ops() if node.get_type_name() == "Gather")
    return sum(_from_bytes(node.input_value(0).get_node()) for node in gathers)


def _from_bytes(node: Any) -> bool:
    while node.get_type_name() in ("Multiply", "Subtract", "Convert"):
        node = node.input_value(0).get_node()
    return node.get_type_name() == "Constant" and node.get_element_type() in (openvino.Type.i8, openvino.Type.u8)


def read(folder: Path, threads: int = 0, processor: Any = None) -> OpenVinoReader:
    """The int8 model of a folder, none that writes (`facts.tasks.int8_backends`), so that it needs no tokenizer."""
    file = folder / FILES["openvino"]
    try:
        return OpenVinoReader(openvino.Core().read_model(str(file)), threads)
    except RuntimeError as error:
        raise AdviseError(Fault(f"cannot be loaded: {str(error).strip().splitlines()[-1]}", str(file))) from None


class OpenVinoReader:
    """A model of OpenVINO, compiled for the CPU. `threads`: for one request; all cores of the process if 0."""

    def __init__(self, model: Any, threads: int = 0, config: dict[str, str] | None = None) -> None:
        settings = {"PERFORMANCE_HINT": "LATENCY", **(config or {})}
        if _gated_in_fp32(model):
            settings |= FP32  # in bf16 on one core OpenVINO ends the whole process (openvino#33300)
        if threads:
            settings |= {"INFERENCE_NUM_THREADS": str(threads)}
        self.request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()

    def __call__(self, **inputs: ArrayLike) -> NDArray[np.float32]:
        """The raw scores, (batch, …), of a batch's inputs by name."""
        found = self.request.infer(feed(inputs), share_inputs=True)
        return np.array(found[0], dtype=np.float32)
