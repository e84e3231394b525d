"""A run's result on the screen: a table in the form of the white paper's Table 1, gates and notes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from advisor.results import GateResult, Measured, RunResult

if TYPE_CHECKING:
    from advisor.plan import Plan


def show(result: RunResult) -> None:
    """The result table and the gates on stdout, notes on stderr."""
    Console(highlight=False, width=None if sys.stdout.isatty() else 110).print(table(result), gates(result.gates))
    talk = Console(stderr=True, highlight=False)
    for note in dict.fromkeys((*result.notes, *notes(result))):
        talk.print(f"note: {note}", soft_wrap=True)


def table(result: RunResult) -> Table:
    """Model, type, % accuracy, % size, % time, % emissions; the baseline first, then each step."""
    title = f"{result.name} on {result.device}, {result.eval_samples:,} report rows"
    shown = Table(title=title, title_justify="left")
    for name in ("Model", "Type"):
        shown.add_column(name)
    for name in ("% Accuracy", "% Size", "% Time", "% Emissions"):
        shown.add_column(name, justify="right")
    for step in result.steps:
        shares = (
            step.relative_accuracy,
            Measured(step.relative_size),
            step.served.time,
            step.served.emissions,
        )
        baseline = step.name == "finetune"
        shown.add_row(result.family, step.words + (" (baseline)" if baseline else ""), *map(percent, shares))
    return shown


def percent(measured: Measured) -> str:
    """A share as the white paper prints it, or that it was not measured."""
    return "not measured" if measured.value is None else f"{measured.value:.1%}"


def gates(found: tuple[GateResult, ...]) -> Table:
    """What was demanded of the last model and what came out."""
    shown = Table(title="Gates", title_justify="left")
    for name in ("Gate", "Demanded", "Measured", ""):
        shown.add_column(name)
    for gate in found:
        value = gate.measured.value
        text = gate.measured.why_not if value is None else f"{value:.4g}"
        shown.add_row(gate.name, gate.demanded, text, Text("passed", "green") if gate.passed else Text("missed", "red"))
    return shown


def notes(result: RunResult) -> Iterable[str]:
    """Why something was not measured, where the numbers come from, and what the steps remarked."""
    for step in result.steps:
        for name, measured in (("time", step.served.time), ("emissions", step.served.emissions)):
            if measured.value is None:
                yield f"{name}: not measured, {measured.why_not}"
            elif measured.source:
                yield f"{name}: {measured.source}"
        yield from (f"{step.words}: {note}" for note in step.notes)


def plan(planned: Plan) -> None:
    """The plan of a dry run on stdout: every step with its exact parameter count."""
    shown = Table(title=f"{planned.family.title}, {planned.baseline_parameters:,} parameters", title_justify="left")
    for name in ("Step", "Parameters", "% Size"):
        shown.add_column(name, justify="left" if name == "Step" else "right")
    for step in planned.steps:
        share = step.parameters / planned.baseline_parameters
        shown.add_row(step.step.words(), f"{step.parameters:,}", f"{share:.1%}")
    Console(highlight=False).print(shown)
