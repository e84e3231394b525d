"""A run's result on the screen: the white paper's Table 1, what was predicted, energy and CO2, gates, one sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from advisor.advice.prediction import size_share
from advisor.base.rounding import rounded
from advisor.records.break_even import NOT_STATED, verdict
from advisor.records.measuring import of_two_scales, scale
from advisor.records.results import GateResult, Measured, RunResult
from advisor.report.console import stderr, stdout
from advisor.report.shares import emissions_head, gate_value, interval, percent, rows
from advisor.report.style import clean, plural
from advisor.runs.comparison import Compared, compared

if TYPE_CHECKING:
    from advisor.recipe.plan import Plan

COLOURS = {"passed": "green", "inside": "green", "missed": "red", "not measured": "red"}
SIGNS = {"inside": "in", "below": "<", "above": ">"}
TITLES = {
    "relative_accuracy": "Accuracy",
    "relative_time": "Time",
    "relative_emissions": "Emissions",
    "relative_size": "Size",
}
LONG_SOURCE = 40  # characters of a source that is told once


def show(result: RunResult) -> None:
    """The result tables and the summary on stdout, notes on stderr."""
    screen, talk = stdout(), stderr()
    screen.print(*tables(result))
    if result.summary:
        screen.print(clean(f"{result.name}: {result.summary}"), soft_wrap=not sys.stdout.isatty())
    for note in dict.fromkeys((*result.notes, *notes(result))):
        talk.print(clean(f"note: {note}"), soft_wrap=not sys.stderr.isatty())


def tables(result: RunResult) -> Iterator[Table | Text]:
    """All that has something to show, in order."""
    yield table(result)
    if any(step.name != "finetune" for step in result.steps):
        yield predictions(result)
    yield from serving(result)
    if result.gates:
        yield gates(result.gates)


def table(result: RunResult) -> Table:
    """Model, type, % accuracy, % size, % time, % emissions with intervals; the baseline first, then each step."""
    title = f"{clean(result.name)} on {result.device}, {plural(result.eval_samples, 'report row')}"
    title += judged_by(result)
    shown = plain_table(title, ("Model", "Type"), ("% Accuracy", "% Size", "% Time", emissions_head([result])))
    for row in rows(result):
        cells = map(_cell, (row.accuracy, row.size, row.time, row.emissions))
        shown.add_row(Text(clean(result.family)), Text(clean(row.words)), *cells)
    shown.caption = power(result.steps[-1].served.emissions)
    return shown


def judged_by(result: RunResult) -> str:
    """The metric that shares of the accuracy are made of, where it has another name."""
    metric = result.steps[-1].metric
    return "" if metric == "accuracy" else f", judged by {clean(metric)}"


def power(energy: Measured) -> str:
    """Where a figure of energy comes from: counters, an external meter, or processor time."""
    found = energy.source.partition(";")[0]
    return f"energy and emissions: {found}" if found else ""


def plain_table(title: str, words: Sequence[str], numbers: Sequence[str]) -> Table:
    """A table of columns with words, then of such with numbers, which stand at the right."""
    shown = Table(title=Text(title), title_justify="left", caption_justify="left")
    for name in words:
        shown.add_column(name)
    for name in numbers:
        shown.add_column(name, justify="right")
    return shown


def _cell(measured: Measured | None) -> str:
    return "" if measured is None else "\n".join(filter(None, (percent(measured), interval(measured))))


def predictions(result: RunResult) -> Table:
    """For every step: what was measured, and whether it lies in (in, <, >) the range that was predicted."""
    shown = plain_table("Measured and predicted, % of the baseline", ("Type",), tuple(TITLES.values()))
    for step in result.steps:
        if step.name != "finetune":
            shown.add_row(Text(step.words), *map(_beside, compared(step)))
    return shown


def _beside(one: Compared) -> Text:
    value = percent(one.measured).rstrip("%")
    if one.predicted is None:
        return Text(f"{value}, no prediction")
    if not one.where:
        return Text(f"{value}, predicted {_ends(one.predicted)}")
    return Text(f"{value} {SIGNS[one.where]} {_ends(one.predicted)}", COLOURS.get(one.where, "yellow"))


def _ends(predicted: tuple[float, float]) -> str:
    """A range in percent; with a decimal where one number was predicted exactly."""
    if predicted[0] == predicted[1]:
        return f"{100 * predicted[0]:.1f}"
    low, high = (f"{100 * end:.0f}" for end in predicted)
    return low if low == high else f"{low}-{high}"


def serving(result: RunResult) -> Iterator[Table | Text]:
    """Latency, throughput, energy and CO2e of every model, and what making them took, as far as measured."""
    if any(step.served.latency_ms.value is not None for step in result.steps):
        derived = emissions_head([result]).removeprefix("% Emissions")  # idling is then unknown too
        title = (
            f"One request (median, 95th percentile), rows in a second, 1,000 requests{derived or ' (idling as long)'}"
        )
        energy = ("Wh", "g CO2e") if derived else ("Wh (idle)", "g CO2e", "% no idle")
        shown = plain_table(title, ("Type",), ("ms (p95)", "rows/s", *energy))
        for step in result.steps:
            one = step.served
            latency = f"{number(one.latency_ms)} ({number(one.latency_p95_ms)})"
            wh, grams = number(one.wh_per_1000), number(one.g_per_1000)
            idle = (f"{wh} ({number(one.idle_wh_per_1000)})", grams, percent(one.emissions_without_idle))
            shown.add_row(Text(step.words), latency, number(one.throughput), *((wh, grams) if derived else idle))
        shown.caption = power(result.steps[-1].served.wh_per_1000)
        yield shown
    counted = [step for step in result.steps if step.cost.g_co2.value is not None]
    mixed = of_two_scales([step.cost.g_co2 for step in counted])
    said = [f" ({scale(step.cost.g_co2)})" if mixed else "" for step in counted]
    made = [f"{step.words} {number(step.cost.g_co2)}{how}" for step, how in zip(counted, said, strict=True)]
    if made:
        yield Text(f"Making them, g CO2e: {', '.join(made)}.\n")
    if result.net_saving.value is not None:
        yield Text(f"{verdict(result.net_saving)}.\n")


def number(measured: Measured) -> str:
    """Three digits that count, or that it was not measured. Examples: 0.0123, 1,234."""
    return "not measured" if measured.value is None else rounded(measured.value, 3)


def gates(found: tuple[GateResult, ...]) -> Table:
    """The bounds that the last model has to keep, what was measured, and the verdict."""
    shown = plain_table("Gates", ("Gate", "Required", "Measured", ""), ())
    for gate in found:
        ends = gate.measured.interval
        within = f" ({' to '.join(map(rounded, ends))})" if ends else ""
        of = (
            f" {gate.measured.source}" if gate.measured.source.startswith("against ") else ""
        )  # int8's: not the baseline
        shown.add_row(Text(gate.name), gate.demanded, Text(clean(gate_value(gate) + within + of)), _verdict(gate))
    return shown


def _verdict(gate: GateResult) -> Text:
    state = gate.state or ("passed" if gate.passed else "missed")
    plain = state in ("passed", "missed") or not gate.words
    return Text(state if plain else gate.words, COLOURS.get(state, "yellow"))


def notes(result: RunResult) -> Iterable[str]:
    """Why something was not measured, where the numbers come from, and what the steps remarked."""
    for step in result.steps:
        if step.relative_accuracy.value is None:
            yield f"accuracy: not measured, {step.relative_accuracy.why_not}"
        served = step.served
        named = {"time": served.time, "emissions": served.emissions, "without idle": served.emissions_without_idle}
        for name, measured in named.items():
            if measured.value is None:
                yield f"{name}: not measured, {measured.why_not}"
        yield from (f"{step.words}: {note}" for note in step.notes)
    if result.net_saving.value is None and result.net_saving != NOT_STATED:
        yield f"net saving: not measured, {result.net_saving.why_not}"
    yield from _sources(result)


def _sources(result: RunResult) -> Iterator[str]:
    """Where each kind of number comes from: of the last model, whose sources are those of the others."""
    last = result.steps[-1]
    served, cost = last.served, last.cost
    named = {
        "accuracy": last.relative_accuracy,
        "time": served.time,
        "latency": served.latency_ms,
        "throughput": served.throughput,
        "emissions": served.emissions,
        "g CO2e": served.g_per_1000,
        "making": cost.g_co2,
        "payback": result.payback,
        "net saving": result.net_saving,
        "SCI": result.sci,
    }
    sources: dict[str, list[str]] = {}
    for name, one in named.items():
        if one.value is not None and one.source:
            sources.setdefault(one.source, []).append(name)
    told: dict[str, str] = {}
    for source, names in sources.items():
        long, sign, rest = source.partition("; ")
        first = told.setdefault(long, names[0])
        again = first != names[0] and len(long) > LONG_SOURCE
        yield f"{', '.join(names)}: {f'as {first}{sign}{rest}' if again else source}"


def plan(planned: Plan) -> None:
    """The plan of a dry run on stdout: every step with its exact parameter count, and its share of the bytes."""
    shown = plain_table(f"{planned.family.title}, {planned.baseline_parameters:,} parameters", ("Step",), ())
    for name in ("Parameters", "% Parameters", "% Size"):
        shown.add_column(name, justify="right")
    for step in planned.steps:
        share = step.parameters / planned.baseline_parameters
        int8 = size_share(planned, True) if step.step.name == "quantization" else None
        size = f"{100 * int8.low:.0f} to {int8.high:.0%}" if int8 else f"{share:.1%}"
        shown.add_row(Text(step.step.words()), f"{step.parameters:,}", f"{share:.1%}", size)
    stdout().print(shown)
