"""The spread of several seeds on the screen."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from advisor.report.run_tables import gates
from advisor.report.shares import emissions_head
from advisor.report.style import clean, terminal
from advisor.runs.seed_statistics import SeedsResult, Spread
from advisor.runs.summary import requests


def show(result: SeedsResult) -> None:
    """What is to be read first, a table of means with their spread, and the gates, on stdout."""
    width = None if sys.stdout.isatty() else 110
    screen = Console(file=terminal(sys.stdout), highlight=False, width=width)
    if result.summary:
        screen.print(f"{clean(result.name)} {result.summary}", soft_wrap=not sys.stdout.isatty(), markup=False)
    screen.print(table(result), gates(result.gates))
    if result.payback.value is not None:
        after = requests(result.payback.value)
        screen.print(f"All {len(result.seeds)} seeds, of which one model is served, pay back after {after} requests.")


def table(result: SeedsResult) -> Table:
    """A row for each step: the mean over all seeds, the standard deviation, and the lowest and highest accuracy."""
    several = len(result.seeds) > 1
    name = clean(result.name)
    title = f"{name}, {len(result.seeds)} seeds: mean ± standard deviation" if several else f"{name}, 1 seed"
    shown = Table(title=title, title_justify="left")
    shown.add_column("Type")
    for name in ("% Accuracy", "lowest to highest", "% Size", "% Time", emissions_head(result.runs)):
        shown.add_column(name, justify="right")
    for step in result.steps:
        found = step.relative_accuracy
        ends = f"{found.low:.1%} to {found.high:.1%}" if found else ""
        others = (step.relative_size, step.relative_time, step.relative_emissions)
        shown.add_row(step.words, _percent(found), ends, *map(_percent, others))
    return shown


def _percent(found: Spread | None) -> str:
    if found is None:
        return "not measured"
    return f"{found.mean:.1%} ± {found.stdev:.1%}" if found.stdev else f"{found.mean:.1%}"
