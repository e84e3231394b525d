"""A search on the screen while it lasts: a line for each trial, the step that is being made, and the front so far."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn

from advisor.records.measuring import is_time_derived
from advisor.records.results import Measured, Remark
from advisor.records.results import Progress as Done
from advisor.records.search import Forecast, Point, SearchResult, Trial
from advisor.report.progress import span
from advisor.report.search import tables, view
from advisor.report.style import clean, terminal


class Screen:
    """Shows a search on stderr: lines for trials, and on a terminal the front and a bar for the step being made."""

    def __init__(self, shown: bool) -> None:
        self.shown, self.console = shown, Console(file=terminal(sys.stderr), highlight=False)
        columns = (TextColumn("{task.description:<24}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        self.bars = _Bars(*columns, console=self.console, disable=not (shown and self.console.is_terminal))
        self.bar = self.bars.add_task("", total=1.0)

    def step(self, event: object) -> None:
        """The step that is being made has come further."""
        if isinstance(event, Done):
            self.bars.update(self.bar, description=event.label, completed=event.done, total=event.total)

    def show(self, events: Iterable[Any]) -> SearchResult:
        """Show a search until it ends; returns its record, the last of those that it yields."""
        found: SearchResult | None = None
        with self.bars:
            for event in events:
                if isinstance(event, SearchResult):
                    self._front(found, event)
                    found = event
                elif text := line(event):
                    self._say(text)
        assert found is not None
        return found

    def _front(self, before: SearchResult | None, now: SearchResult) -> None:
        """Show the front where it has changed: in its place on a terminal, else as a line."""
        self.bars.record = now
        if not self.console.is_terminal and now.frontier and before is not None and before.frontier != now.frontier:
            self._say(f"  the front so far: {'; '.join(map(_point, view.front(now)))}")

    def _say(self, text: str) -> None:
        if self.shown:
            self.console.print(clean(text), soft_wrap=True, markup=False)


class _Bars(Progress):
    """The bar of the step that is being made, below the front so far."""

    record: SearchResult | None = None

    def get_renderables(self) -> Iterator[RenderableType]:
        if self.record is not None and self.record.frontier and not self.record.stopped:
            yield tables.front(self.record)
        yield from super().get_renderables()


def line(event: object) -> str:
    """What is said of an event; "" for what is not shown."""
    if isinstance(event, Remark):
        return event.text
    if isinstance(event, Point):
        missed = event.note or f"misses {_missed(event.meets)}"
        met = "meets every goal with every seed" if event.met else missed
        return f"  front: {event.name}: {met}"
    told = _trial(event) if isinstance(event, Trial) else ""
    return f"  {told}" if told else ""


def _trial(one: Trial) -> str:
    head = f"trial {one.number}: {one.name}"
    if one.status == "failed":
        return f"{head}: failed: {one.why}"
    if one.status == "measured":
        met = "meets every goal" if all((one.meets or {}).values()) else f"misses {_missed(one.meets or {})}"
        size = f"{one.size_mb.value:,.1f} MB" if one.size_mb.value is not None else "size not known"
        return f"{head}: keeps {_share(one.kept)}, {_emissions(one.emissions)}, {size}, {met}"
    if not one.rungs or [seen.key for seen in one.rungs].count(one.rungs[-1].key) > 1:
        return ""  # nothing of it is trained, so that this look is as the one before
    seen = one.rungs[-1]
    trained = {"0": "untrained", "1": "trained"}.get(seen.share, f"{seen.share} of the training")
    return f"{head}: {trained}: keeps {_share(seen.kept)}"


def _missed(meets: Any) -> str:
    return ", ".join(name.replace("_", " ") for name, met in meets.items() if not met)


def _share(found: Measured) -> str:
    """A share with its interval: 0.95 (0.93-0.97)."""
    if found.value is None:
        return "not measured"
    ends = f" ({found.interval[0]:.2f}-{found.interval[1]:.2f})" if found.interval else ""
    return f"{found.value:.2f}{ends}"


def _emissions(found: Measured) -> str:
    return f"emissions {_share(found)}{' (time-derived)' if is_time_derived(found) else ''}"


def _point(row: view.FrontRow) -> str:
    cost = _emissions(row.emissions) if row.emissions.value is not None else f"time {_share(row.time)}"
    return f"{row.words} keeps {_share(row.kept)}, {cost}"


def expected(found: Forecast) -> str:
    """The forecast in one sentence."""
    energy = f", {found.wh:.3g} Wh" if found.wh is not None else ""
    carbon = f", {found.g_co2:.3g} g CO2e" if found.g_co2 is not None else ""
    return f"expected: about {span(found.seconds)}{energy}{carbon} at most (by {found.basis})"
