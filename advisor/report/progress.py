"""A run while it lasts: two bars on stderr, the step's and the whole run's, or lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from advisor.records.results import Progress as Done
from advisor.records.results import Remark, RunResult, StepResult
from advisor.report.console import stderr
from advisor.report.style import clean
from advisor.runs.seed_statistics import SeedsResult

if TYPE_CHECKING:
    from advisor.execution.executor import Event

WHOLE = "the whole run"


def watch(events: Iterable[Event | SeedsResult]) -> RunResult | SeedsResult:
    """Show progress until the run ends.

    Raises:
        RuntimeError: the events ended without a result.
    """
    console = stderr()
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bars:
        shown, last = _Bars(bars), ("", 0)
        for event in events:
            if isinstance(event, RunResult | SeedsResult):
                return event
            if isinstance(event, StepResult | Remark):
                console.print(_line(event), soft_wrap=True)
            elif console.is_terminal:
                shown.update(event)
            elif (here := (event.label, event.done * 10 // event.total)) != last and (here[1] or not event.done):
                last = here
                note = "; ".join(filter(None, (event.note, _ends(event))))
                console.print(f"  {event.label} {event.done:,} of {event.total:,} {note}".rstrip(), soft_wrap=True)
    raise RuntimeError("the run ended without a result")


class _Bars:
    """The bar of the whole run, and below it the one of what is being done."""

    def __init__(self, bars: Progress) -> None:
        self.bars, self.label = bars, ""
        self.whole = bars.add_task(WHOLE, total=1.0, note="")
        self.task: TaskID | None = None

    def update(self, event: Done) -> None:
        if event.label != self.label or self.task is None:
            if self.task is not None:
                self.bars.remove_task(self.task)
            self.label, self.task = event.label, self.bars.add_task(event.label, total=event.total, note="")
        count = f"{event.done:,} of {event.total:,}"
        note = f"{count}, {event.note}" if event.note else count
        self.bars.update(self.task, completed=event.done, total=event.total, note=note)
        self.bars.update(self.whole, completed=event.run or 0.0, note=_ends(event))


def _ends(event: Done) -> str:
    return "" if event.remaining is None else f"{span(event.remaining)} left"


def span(seconds: float) -> str:
    """A span of time as one says it: 40 s, 12 min, 3 h 5 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _line(event: StepResult | Remark) -> str:
    if isinstance(event, Remark):
        return clean(event.text)
    relative = (
        f" ({event.relative_accuracy.value:.1%} of the baseline)" if event.relative_accuracy.value is not None else ""
    )
    return (
        f"{clean(event.words)}: {event.metric} {event.accuracy:.4f}{relative}, {event.parameters:,} parameters, "
        f"{event.size_bytes / 1e6:.1f} MB, {span(event.seconds)}"
    )
