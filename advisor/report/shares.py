"""Shares of the baseline as every table shows them: with intervals, and emissions called what they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from advisor.base.rounding import judged
from advisor.records.measuring import TIME_DERIVED, is_time_derived
from advisor.records.results import GateResult, Measured, RunResult, StepResult


class Row(NamedTuple):
    """A model in a table. step, accuracy, size: None where another runtime serves the model of a step."""

    words: str
    step: StepResult | None
    accuracy: Measured | None
    size: Measured | None
    time: Measured
    emissions: Measured


def rows(result: RunResult) -> Iterator[Row]:
    """The baseline first, then each step; before int8 the fp32 models in its runtime."""
    words = {step.name: step.words for step in result.steps}
    for step in result.steps:
        if step.name == "quantization":
            for one in result.fp32_in_runtime:
                told = f"{words[one.step]}, fp32 in {one.runtime}"
                yield Row(told, None, None, None, one.served.time, one.served.emissions)
        baseline = " (baseline)" if step.name == "finetune" else ""
        size = Measured(step.relative_size)
        yield Row(
            step.words + baseline, step, step.relative_accuracy, size, step.served.time, step.served.emissions
        )  # fmt: skip


def emissions_head(results: Sequence[RunResult]) -> str:
    """The head of a column of emissions, which says where any of them is processor time under another name."""
    return emissions_head_of([step.served.emissions for result in results for step in result.steps])


def emissions_head_of(emissions: Iterable[Measured]) -> str:
    """The same for single figures; in one column with metered ones those without a decimal are time-derived."""
    derived = {is_time_derived(one) for one in emissions if one.value is not None}
    whole = "whole ones " if len(derived) > 1 else ""
    return f"% Emissions, {whole}{TIME_DERIVED}" if True in derived else "% Emissions"


def percent(measured: Measured) -> str:
    """A share as the white paper prints it, or that it was not measured; time-derived emissions without a decimal."""
    if measured.value is None:
        return "not measured"
    return f"{measured.value:.0%}" if is_time_derived(measured) else f"{measured.value:.1%}"


def interval(measured: Measured) -> str:
    """The ends of a 95 % interval in percent, empty where there is none. Example: "65.9 to 67.5"."""
    if measured.value is None or measured.interval is None or len(set(measured.interval)) == 1:
        return ""
    low, high = (f"{100 * end:.{0 if is_time_derived(measured) else 1}f}" for end in measured.interval)
    return f"{low} to {high}"


def gate_value(gate: GateResult) -> str:
    """What a gate judged, or that it was not measured."""
    return judged(gate.measured.value, gate.demanded)
