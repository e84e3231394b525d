"""A search on the screen: the front, why it stopped, what was left out, and what it took."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from advisor.records.results import Measured
from advisor.records.search import SearchResult
from advisor.report.search import view
from advisor.report.shares import emissions_head_of, interval, percent
from advisor.report.style import clean, terminal


def show(result: SearchResult) -> None:
    """A search's tables and its sentence on stdout, notes on stderr."""
    screen = Console(file=terminal(sys.stdout), highlight=False, width=None if sys.stdout.isatty() else 110)
    for part in _parts(result):
        screen.print(part, soft_wrap=isinstance(part, Text) and not sys.stdout.isatty())
    talk = Console(file=terminal(sys.stderr), highlight=False)
    for note in (*result.notes, *dict.fromkeys(one.note for one in result.front if one.note)):
        talk.print(clean(f"note: {note}"), soft_wrap=True, markup=False)


def _parts(result: SearchResult) -> Iterator[RenderableType]:
    if result.front or result.frontier:
        yield front(result)
    yield from filter(None, (excluded(result), agreement(result)))
    yield costs(result)
    if paid_back := view.paid_back(result):
        yield Text(clean(f"{paid_back}."))
    yield Text(clean(f"{view.counts(result)}.{f' It ended: {result.stopped}.' if result.stopped else ''}"))
    yield Text(clean(view.verdict(result)), "bold")


def front(result: SearchResult) -> Table:
    """The front, cheapest first: on the report rows, or on the selection rows while the search lasts."""
    title = "The front on the report rows" if view.has_ended(result) else "The front so far, on the selection rows"
    shown = _table(
        title, "Recipe", "% Accuracy", "MB", "% Time", emissions_head_of([one.emissions for one in result.trials]), "ms"
    )
    shown.add_column("Goals")
    for row in view.front(result):
        numbers = (_share(row.kept), _amount(row.size_mb), _share(row.time), _share(row.emissions))
        words = Text(_goals(row), "green" if row.met else "yellow")
        shown.add_row(Text(clean(row.words)), *numbers, _amount(row.latency_ms), words)
    return shown


def _goals(row: view.FrontRow) -> str:
    if row.warning:  # such a point meets nothing, whatever its numbers
        return "see the note"
    missed = [name.removeprefix("relative_").replace("_", " ") for name, met in row.meets.items() if not met]
    if missed:
        return f"misses {', '.join(missed)}"
    return "met" if row.meets else ""


def excluded(result: SearchResult) -> Table | None:
    """What was never tried, by rule; None where nothing was left out."""
    if not result.excluded:
        return None
    shown = _table("Never tried", "Rule")
    shown.add_column("Recipes", justify="right")
    shown.add_column("Because")
    for group in view.excluded(result):
        more = f" (and {len(group.reasons) - 1} more)" if len(group.reasons) > 1 else ""
        shown.add_row(Text(clean(group.rule)), f"{len(group.recipes)}", Text(clean(group.reasons[0] + more)))
    return shown


def agreement(result: SearchResult) -> Table | None:
    """How far cheap rungs order trials as dearer ones do; None where no two rungs can be compared."""
    if not result.agreement:
        return None
    shown = _table("Do the rungs agree?", "Rungs", "Trials", "Kendall's tau")
    for one in result.agreement:
        shown.add_row(f"{one.lower} and {one.higher}", f"{one.trials}", "-" if one.tau is None else f"{one.tau:+.2f}")
    return shown


def costs(result: SearchResult) -> Table:
    """What the search took so far, and what was forecast of the whole."""
    shown = _table("What it took", "", "So far", "Forecast")
    for row in view.costs(result):
        shown.add_row(row.quantity, row.spent, row.forecast or "-")
    return shown


def _table(title: str, words: str, *numbers: str) -> Table:
    shown = Table(title=Text(title), title_justify="left", caption_justify="left")
    shown.add_column(words)
    for name in numbers:
        shown.add_column(name, justify="right")
    return shown


def _share(one: Measured) -> str:
    return "\n".join(filter(None, (percent(one), interval(one))))


def _amount(one: Measured) -> str:
    return "-" if one.value is None else f"{one.value:,.4g}"
