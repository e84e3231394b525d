"""Dynamic int8 quantization for CPUs: weights become int8 ahead of time, activations as they pass.

The artefact is an ONNX file for ONNX Runtime; nothing is trained after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from advisor.bounds import Bound
from advisor.step import Step

# Largest mean difference of class probabilities from fp32. On SST-2 a trained 6-layer BERT stayed at 0.022 to 0.026 and
# a 12-layer one at 0.036; schemes that lost a point of accuracy or more went up to 0.088. Broken arithmetic and
# saturation show here.
MOST_DIFFERENCE = 0.05


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
