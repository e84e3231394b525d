"""ONNX files: their size, and sessions that answer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import ArrayLike, NDArray

from advisor.base.errors import AdviseError, Fault, memory_is_out
from advisor.compute.int8.quantized import feed

OPSET = 17  # the first with LayerNormalization as one operator
# On one thread its fused residual and norm took 3.8 ms where the two apart take 0.5 ms (960 tokens of width 384,
# onnxruntime 1.32): an eighth of the time of an int8 model.
SLOW_FUSIONS = ["SkipLayerNormFusion"]

COPIED = "copy it again from its run, or run it again"


class OnnxReader:
    """An ONNX file of a scorer, loaded on the CPU. `threads`: for one request; all cores of the process if 0.

    Raises:
        AdviseError: the file is missing or ONNX Runtime cannot load it.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        self.path, self.session = path, session(path, threads)

    def __call__(self, **inputs: ArrayLike) -> NDArray[np.float32]:
        """The raw scores, (batch, …), of a batch's inputs by name. Raises an AdviseError where it gives none."""
        with told(self.path, "cannot answer"):
            logits: NDArray[np.float32] = self.session.run(["logits"], feed(inputs))[0]
            if getattr(logits, "ndim", 0) < 2 or not np.issubdtype(logits.dtype, np.floating):
                raise ValueError("expected scores for each row of the batch")
        return logits


def session(path: Path, threads: int = 0) -> Any:
    """ONNX Runtime's session of a file on the CPU. threads: as of `OnnxReader`.

    Raises:
        AdviseError: the file is missing or ONNX Runtime cannot load it.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or _cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    # Threads that spin after an answer would burn the time and energy of whoever is measured next.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    with told(path, "cannot be loaded"):
        return onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOW_FUSIONS
        )


@contextmanager
def told(path: Path, what: str) -> Iterator[None]:
    """Within, whatever ONNX Runtime raises is an error about its file; where memory is out, that goes on as it is."""
    try:
        yield
    except Exception as error:  # its own classes have nothing in common
        if memory_is_out(error):
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise AdviseError(Fault(f"{what}: {reason}", str(path), hint=COPIED)) from None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


TWO_GB = 2**31 - 1  # the largest protobuf file; a larger fp32 model has its weights in files beside it


def onnx_bytes(path: Path) -> int:
    """Bytes of an ONNX file and of the external data beside it, if it has any."""
    named = {entry.value for tensor in onnx.load(path, load_external_data=False).graph.initializer
             for entry in tensor.external_data if entry.key == "location"}  # fmt: skip
    return sum(file.stat().st_size for file in (path, *(path.parent / name for name in named)))
