"""What a run yields: progress, a result for each step, and the result of the whole. Plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` units of work in the task called `label`."""

    label: str
    done: int
    total: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """A number that was measured, or the reason why it was not. Never 0 for want of a measurement."""

    value: float | None = None
    why_not: str = ""
    source: str = ""
    spread: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """How a model serves. time, emissions: shares of the baseline's on the same rows; latency: ms for one row."""

    time: Measured = Measured(why_not="not measured yet")
    latency_ms: Measured = Measured(why_not="not measured yet")
    emissions: Measured = Measured(why_not="not measured yet")


@dataclass(frozen=True, slots=True)
class StepResult:
    """A model after one step, relative to the fine-tuned baseline.

    size_bytes: weights on disk. fp32_difference: of an int8 model, the mean difference of its class probabilities
    from its fp32 source's.
    """

    name: str
    words: str
    path: str
    parameters: int
    predicted_parameters: int
    size_bytes: int
    accuracy: float
    relative_accuracy: Measured
    relative_size: float
    served: Served = Served()
    seconds: float = 0.0
    fp32_difference: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate: what was demanded, what was measured, and whether it held."""

    name: str
    demanded: str
    measured: Measured
    passed: bool


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run."""

    name: str
    model: str
    family: str
    device: str
    train_on: str
    eval_samples: int
    steps: tuple[StepResult, ...]
    gates: tuple[GateResult, ...]
    provenance: dict[str, Any]
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return all(gate.passed for gate in self.gates)
