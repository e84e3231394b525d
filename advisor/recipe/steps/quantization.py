"""int8 quantization for CPUs: weights become int8 ahead of time; activations at run time (dynamic), or by ranges
measured on training rows (static).

Nothing is trained after it. The backend serves the artefact: ONNX Runtime, OpenVINO or PyTorch.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from advisor.base.constraints import Bound
from advisor.base.frozen import frozen
from advisor.families.family import Config, Family
from advisor.recipe.steps.step import Step

# Largest mean difference of class probabilities from fp32. On SST-2 a trained 6-layer BERT stayed at 0.022 to 0.026 and
# a 12-layer one at 0.036; schemes that lost a point of accuracy or more went up to 0.088. Broken arithmetic and
# saturation show here.
MOST_DIFFERENCE = 0.05
SCHEMES = {"onnxruntime": "dynamic", "openvino": "static", "pytorch": "dynamic"}


@frozen
class Quantization(Step):
    """int8 weights. `min_relative_accuracy`: the gate against the model just before (white paper: 0.99).

    scheme, backend: `auto` chooses by the CPU that quantizes.
    """

    name: ClassVar[str] = "quantization"
    bits: Literal[8] = 8
    scheme: Literal["auto", "dynamic", "static"] = "auto"
    backend: Literal["auto", "onnxruntime", "openvino", "pytorch"] = "auto"
    min_relative_accuracy: Annotated[float, Bound(ge=0, le=1)] = 0.99

    def resized(self, family: Family, config: Config) -> dict[str, Any]:
        """The same config.

        Raises:
            ValueError: the backend does not have the scheme.
        """
        offered = SCHEMES.get(self.backend, self.scheme)
        if self.scheme not in ("auto", offered):
            able = " or ".join(name for name, scheme in SCHEMES.items() if scheme == self.scheme)
            raise ValueError(f"{self.backend} has no {self.scheme} int8, only {offered}; {self.scheme}: {able}")
        return Step.resized(self, family, config)

    def backends(self) -> tuple[str, ...]:
        """The backends that the settings allow."""
        return tuple(
            name
            for name, scheme in SCHEMES.items()
            if self.backend in ("auto", name) and self.scheme in ("auto", scheme)
        )

    def words(self) -> str:
        return "int8"
