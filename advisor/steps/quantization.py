"""Dynamic int8 quantization for CPUs: weights become int8 ahead of time, activations as they pass.

The artefact is an ONNX file for ONNX Runtime; nothing is trained after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from advisor.bounds import Bound
from advisor.step import Step


@dataclass(frozen=True, slots=True)
class Quantization(Step):
    """int8 weights. `min_relative_accuracy`: the gate against the model just before (white paper: 0.99)."""

    name: ClassVar[str] = "quantization"
    bits: Literal[8] = 8
    scheme: Literal["dynamic"] = "dynamic"
    backend: Literal["onnxruntime"] = "onnxruntime"
    min_relative_accuracy: Annotated[float, Bound(ge=0, le=1)] = 0.99

    def words(self) -> str:
        return "int8"
