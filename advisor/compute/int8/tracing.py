"""Tracing: a module of torch as an ONNX file, or in words what keeps it from being one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from advisor.base.errors import AdviseError, Fault, memory_is_out
from advisor.base.files import disk_is_full
from advisor.base.held_output import without_graphs
from advisor.compute.int8.onnx_files import OPSET

BY_PYTORCH = "quantization: {backend: pytorch}, which needs no ONNX file"


class NotExportable(AdviseError):
    """torch cannot write a model as ONNX."""


def trace(
    module: nn.Module,
    path: Path,
    sample: Mapping[str, Tensor],
    outputs: Sequence[str],
    axes: Mapping[str, Mapping[int, str]],
) -> None:
    """Write a module as ONNX. sample: what it is called with, in order, by name; axes: those of any length, by name.

    Raises:
        NotExportable: with the operator that ONNX lacks, or what else the exporter says.
    """
    try:
        with warnings.catch_warnings(), torch.no_grad(), without_graphs():
            warnings.simplefilter("ignore")  # the tracer warns of every shape that transformers compares
            torch.onnx.export(
                module, tuple(sample.values()), str(path),
                dynamo=False, opset_version=OPSET,  # dynamo=True would need onnxscript
                input_names=list(sample), output_names=list(outputs), dynamic_axes=axes,
            )  # fmt: skip
    except Exception as error:  # a model is run as it is traced, and may raise anything
        if memory_is_out(error) or disk_is_full(error):
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise NotExportable(Fault(f"the model cannot be written as ONNX: {reason}", hint=BY_PYTORCH)) from None
