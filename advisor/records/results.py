"""What a run yields: progress, a result for each step, and the result of the whole. Plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from advisor.records.diagnostics import CurvePoint, Diagnostics

TEACHER = "teacher"  # the label of progress while the teacher answers
SCORE = "score"  # and while a finished model answers the report rows
VERSION = 3  # of a report; 1 knew no constant answer, 2 no diagnostics
WITH_CONSTANTS, WITH_DIAGNOSTICS = 2, 3  # the first versions that have them
NO_BASELINE = "the recipe has no finetune step, so there is no baseline"
# Gates that every run has: a model that is no better than one answer to every row verifies nothing.
BASELINE_GATE, MODEL_GATE = CONSTANT_GATES = ("baseline above a constant answer", "model above a constant answer")


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` units of work in the task called `label`.

    run: share of the whole run that is done. remaining: seconds that the whole run will still take. whole: seconds that
    it takes from its beginning, also where that was in an earlier process. None: not known. point: of the training
    curve, where one was just measured.
    """

    label: str
    done: int
    total: int
    note: str = ""
    run: float | None = None
    remaining: float | None = None
    whole: float | None = None
    point: CurvePoint | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that the user should know while the run lasts: what is reused, what is done again and why."""

    text: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A number that was measured, or the reason why it was not. Never 0 for want of a measurement.

    spread: quartiles of repeated measurements. interval: 95 % confidence interval.
    """

    value: float | None = None
    why_not: str = ""
    source: str = ""
    spread: tuple[float, float] | None = None
    interval: tuple[float, float] | None = None


NOT_YET = Measured(why_not="not measured yet")


@dataclass(frozen=True, slots=True)
class Served:
    """How a model serves. time, emissions: shares of the baseline's on the same rows.

    latency_ms, latency_p95_ms: of one row alone. throughput: rows in a second, at the batch size that its source
    names. wh_per_1000, idle_wh_per_1000, g_per_1000: energy and CO2e of 1,000 requests, and of idling as long, which is
    part of them. emissions_without_idle: the share of the baseline's where that part is left out of both.
    """

    time: Measured = NOT_YET
    latency_ms: Measured = NOT_YET
    emissions: Measured = NOT_YET
    latency_p95_ms: Measured = NOT_YET
    throughput: Measured = NOT_YET
    wh_per_1000: Measured = NOT_YET
    idle_wh_per_1000: Measured = NOT_YET
    g_per_1000: Measured = NOT_YET
    emissions_without_idle: Measured = NOT_YET


def not_served(reason: str) -> Served:
    """Nothing of how a model serves was measured, for one reason."""
    return Served(*[Measured(why_not=reason)] * len(fields(Served)))


@dataclass(frozen=True, slots=True)
class RuntimeResult:
    """The fp32 model of a step, served by the runtime that serves int8. It tells int8's gain from the runtime's."""

    step: str
    runtime: str
    served: Served


@dataclass(frozen=True, slots=True)
class Predicted:
    """What advice predicted for the model after this step: ranges (low, high), None where nothing is predicted."""

    relative_accuracy: tuple[float, float] | None = None
    relative_time: tuple[float, float] | None = None
    relative_emissions: tuple[float, float] | None = None
    relative_size: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Artefact:
    """What was written. kind: checkpoint, onnx, openvino or torch-int8. devices: kinds that it can serve on.

    files: SHA-256 of each file, by its path inside the step's folder.
    """

    kind: str
    devices: tuple[str, ...]
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cost:
    """What making the model took: energy in Wh, CO2e in g, both of training and search alone, not of serving.

    span: from when to when, in seconds since the epoch; None where that was not one piece of work.
    """

    wh: Measured = NOT_YET
    g_co2: Measured = NOT_YET
    span: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """A model after one step, relative to the fine-tuned baseline.

    path: its folder below the run's. accuracy: the value of `metric`, the task's own. metrics: all of the task's
    metrics. size_bytes: weights on disk. fp32_difference: of an int8 model, the mean difference of its class
    probabilities from its fp32 source's. as_predicted: whether each number that was both predicted and measured
    fell into its range. above_constant: the metric minus that of the best constant answer on the same rows.
    kept_beyond_chance: that difference as a share of the baseline's. worst_class_recall: the lowest recall of a class.
    relative_compute: share of the baseline's multiplications in the blocks, exact. diagnostics: for people to look at.
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
    metric: str = "accuracy"
    metrics: Mapping[str, float] = field(default_factory=dict)
    predicted: Predicted = Predicted()
    artefact: Artefact | None = None
    cost: Cost = Cost()
    as_predicted: Mapping[str, bool] = field(default_factory=dict)
    above_constant: Measured = NOT_YET
    kept_beyond_chance: Measured = NOT_YET
    worst_class_recall: Measured = NOT_YET
    relative_compute: float | None = None
    diagnostics: Diagnostics = Diagnostics()


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate: what was demanded, what was measured, and whether the estimate held.

    state: passed, missed, not shown (the estimate holds, but not the whole interval), cannot verify (too few report
    rows) or not measured. words: the same for people, with the examples that would be needed.
    """

    name: str
    demanded: str
    measured: Measured
    passed: bool
    state: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run.

    finished: ISO 8601, UTC. recipe_sha256: of recipe.yaml in the run's folder. payback: requests after which the
    emissions of making the last model are paid back. sci: g CO2e per 1,000 requests with embodied carbon (ISO/IEC
    21031:2024), of the last model. summary: one sentence. fp32_in_runtime: of the baseline and of int8's source.
    net_saving: g CO2e saved by the stated number of requests, less those of making the last model. task: the Hub's
    pipeline tag.
    """

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
    version: int = VERSION
    finished: str = ""
    recipe_sha256: str = ""
    payback: Measured = NOT_YET
    sci: Measured = Measured(why_not="embodied carbon is not stated")
    summary: str = ""
    fp32_in_runtime: tuple[RuntimeResult, ...] = ()
    net_saving: Measured = Measured(why_not="the number of requests is not stated (--requests)")
    task: str = "text-classification"

    @property
    def passed(self) -> bool:
        return all(gate.passed for gate in self.gates)
