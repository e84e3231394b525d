"""A search on the screen: what is tried while it lasts, the front so far, and the table at its end."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from advisor.records.results import Measured, Remark
from advisor.records.results import Progress as Done
from advisor.records.search import Forecast, Point, SearchResult, Trial
from advisor.report.progress import span
from advisor.report.style import clean, terminal


class Screen:
    """Shows a search on stderr: lines for trials, and on a terminal a bar for the step that is being made."""

    def __init__(self, shown: bool) -> None:
        self.shown, self.console = shown, Console(file=terminal(sys.stderr), highlight=False)
        columns = (TextColumn("{task.description:<24}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        self.bars = Progress(*columns, console=self.console, disable=not (shown and self.console.is_terminal))
        self.bar = self.bars.add_task("", total=1.0)

    def step(self, event: object) -> None:
        """The step that is being made has come further."""
        if isinstance(event, Done):
            self.bars.update(self.bar, description=event.label, completed=event.done, total=event.total)

    def show(self, events: Iterable[Any]) -> SearchResult:
        """Show a search until it ends; returns its record."""
        found = None
        with self.bars:
            for event in events:
                if isinstance(event, SearchResult):
                    found = event
                elif self.shown and (text := line(event)):
                    self.console.print(text, soft_wrap=True)
        assert found is not None
        return found


def line(event: object) -> str:
    """What is said of an event; "" for what is not shown."""
    if isinstance(event, Remark):
        return clean(event.text)
    if isinstance(event, Point):
        missed = event.warning or f"misses {_missed(event.meets)}"
        met = "meets every goal with every seed" if event.met else missed
        return clean(f"  front: {event.name}: {met}")
    told = _trial(event) if isinstance(event, Trial) else ""
    return clean(f"  {told}") if told else ""


def _trial(one: Trial) -> str:
    head = f"trial {one.number}: {one.name}"
    if one.status == "failed":
        return f"{head}: failed: {one.why}"
    if one.status == "measured":
        met = "meets every goal" if all((one.meets or {}).values()) else f"misses {_missed(one.meets or {})}"
        size = f"{one.size_mb.value:,.1f} MB" if one.size_mb.value is not None else "size not known"
        return f"{head}: keeps {_share(one.kept)}, emissions {_share(one.emissions)}, {size}, {met}"
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


def expected(found: Forecast) -> str:
    """The forecast in one sentence."""
    energy = f", {found.wh:.3g} Wh" if found.wh is not None else ""
    carbon = f", {found.g_co2:.3g} g CO2e" if found.g_co2 is not None else ""
    return f"expected: about {span(found.seconds)}{energy}{carbon} at most (by {found.basis})"


def show(found: SearchResult) -> None:
    """Print the front and what came of the search on stdout."""
    console = Console(file=terminal(sys.stdout), highlight=False)
    console.print(table(found))
    for text in ending(found):
        console.print(clean(text), soft_wrap=True)


def table(found: SearchResult) -> Table:
    """The points of the front, each over all of its seeds, on the report rows."""
    made = Table(title="The front: worst and best of the seeds, on the report rows", title_justify="left")
    for head in ("trial", "recipe", "keeps", "emissions", "time", "MB", "goals"):
        made.add_column(head, justify="left" if head in ("recipe", "goals") else "right")
    for one in found.front:
        cells = [
            _ends([getattr(seed, name) for seed in one.seeds]) for name in ("kept", "emissions", "time", "size_mb")
        ]
        missed = f"misses {_missed(one.meets)}" if _missed(one.meets) else one.warning
        met = "met" if one.met else missed
        made.add_row(str(one.trial), clean(one.name), *cells, met)
    return made


def _ends(found: list[Measured]) -> str:
    values = [one.value for one in found if one.value is not None]
    if len(values) < len(found) or not values:
        return "not measured"
    low, high = min(values), max(values)
    return f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f}-{high:.2f}"


def ending(found: SearchResult) -> Iterable[str]:
    """What the search tried and spent, and whether it found what was asked for."""
    counts = {state: sum(one.status == state for one in found.trials) for state in ("measured", "stopped", "failed")}
    tried = f"{len(found.trials)} recipes tried: " + ", ".join(f"{count} {state}" for state, count in counts.items())
    yield f"{tried}; {len(found.excluded)} left out by rules, sizes and ranges"
    spent = found.spent
    yield f"took {span(found.wall_seconds)}, {spent.wh:.3g} Wh, {spent.g_co2:.3g} g CO2e; ended because {found.stopped}"
    for one in found.agreement:
        if one.tau is not None:
            share = "no training" if one.lower == "0" else f"{one.lower} of the training"
            yield f"{share} orders {one.trials} trials as all of it does with Kendall's tau {one.tau:.2f}"
    yield from found.notes
    yield "goals met" if found.passed else f"no point meets the goals by the nearer ends; {found.nearest}"
