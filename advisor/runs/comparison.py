"""Predicted beside measured: what advice expected of a model after a step, and whether what came out fell inside."""

from __future__ import annotations

from typing import Literal, NamedTuple

from advisor.records.results import Measured, StepResult

Where = Literal["inside", "below", "above", ""]
# Shares are printed to a tenth of a percent; what rounds to an end of its range lies in it.
HALF_DIGIT = 0.0005


class Compared(NamedTuple):
    """One number, as a share of the baseline's. where: "" if it was not predicted or not measured."""

    name: str
    predicted: tuple[float, float] | None
    measured: Measured
    where: Where


def compared(step: StepResult) -> tuple[Compared, ...]:
    """Accuracy, time, emissions and size of the model after a step."""
    measured = {
        "relative_accuracy": step.relative_accuracy,
        "relative_time": step.served.time,
        "relative_emissions": step.served.emissions,
        "relative_size": Measured(step.relative_size),
    }
    ranges = {name: getattr(step.predicted, name) for name in measured}
    return tuple(Compared(name, ranges[name], one, where(ranges[name], one.value)) for name, one in measured.items())


def where(ends: tuple[float, float] | None, value: float | None) -> Where:
    """Where a value lies. Example: 0.9746 is below 0.98 to 1, 0.9796 inside."""
    if ends is None or value is None:
        return ""
    if value < ends[0] - HALF_DIGIT:
        return "below"
    return "above" if value > ends[1] + HALF_DIGIT else "inside"
