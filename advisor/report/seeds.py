"""The spread of several seeds on the screen."""

from __future__ import annotations

import sys

from rich.table import Table
from rich.text import Text

from advisor.records.measuring import is_time_derived
from advisor.report.console import stdout
from advisor.report.run_tables import gates, judged_by, plain_table
from advisor.report.shares import emissions_head
from advisor.report.style import clean, plural
from advisor.runs.seed_statistics import SeedsResult, Spread
from advisor.runs.summary import paid_back


def show(result: SeedsResult) -> None:
    """What is to be read first, a table of means with their spread, and the gates, on stdout."""
    screen = stdout()
    if result.summary:
        screen.print(clean(f"{result.name}: {result.summary}"), soft_wrap=not sys.stdout.isatty())
    screen.print(table(result), *([gates(result.gates)] if result.gates else []))
    if result.payback.value is not None:
        made = f"Making {plural(len(result.seeds), 'model')}, of which one is served,"
        screen.print(f"{made} pays back after {paid_back(result.payback)}.")


def table(result: SeedsResult) -> Table:
    """A row for each step: the mean over all seeds, the standard deviation, and the lowest and highest accuracy."""
    several = len(result.seeds) > 1
    title = f"{clean(result.name)}, {plural(len(result.seeds), 'seed')}"
    title += judged_by(result.runs[0]) + (": mean ± standard deviation" if several else "")
    numbers = ("% Accuracy", "lowest to highest", "% Size", "% Time", emissions_head(result.runs))
    shown = plain_table(title, ("Type",), numbers)
    for place, step in enumerate(result.steps):
        found = step.relative_accuracy
        ends = f"{found.low:.1%} to {found.high:.1%}" if found else ""
        derived = any(is_time_derived(run.steps[place].served.emissions) for run in result.runs)
        emissions = _percent(step.relative_emissions, 0 if derived else 1)
        others = (_percent(step.relative_size), _percent(step.relative_time), emissions)
        shown.add_row(Text(clean(step.words)), _percent(found), ends, *others)
    return shown


def _percent(found: Spread | None, digits: int = 1) -> str:
    if found is None:
        return "not measured"
    mean = f"{found.mean:.{digits}%}"
    return f"{mean} ± {found.stdev:.{digits}%}" if found.stdev else mean
