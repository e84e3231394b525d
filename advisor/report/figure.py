"""One picture of finished runs for a README: accuracy against time, as an SVG file."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.base.errors import AdviseError
from advisor.records.results import StepResult
from advisor.report import chart, compare
from advisor.report.chart import Figured, Line, Point
from advisor.runs.finished import Finished


def accuracy_against_time(runs: Sequence[Finished]) -> str:
    """The SVG; models whose accuracy or time was not measured are left out.

    Raises:
        AdviseError: nothing was measured.
    """
    lines = [line for place, run in enumerate(runs) if (line := _line(place, run, runs)).points]
    if not lines:
        raise AdviseError(
            "no run has a measured accuracy and time", hint="run the recipe on a machine that will serve it"
        )
    return chart.alone(chart.draw(Figured("Accuracy against time of every model", lines, cost="time"), "figure"))


def _line(place: int, run: Finished, runs: Sequence[Finished]) -> Line:
    points = tuple(_point(step) for step in run.result.steps if _measured(step))
    said = run.result.steps[-1].predicted
    box = (said.relative_time, said.relative_accuracy) if said.relative_time and said.relative_accuracy else None
    return Line(f"{compare.label(run, runs)} ({run.result.family})", place, points, box)


def _measured(step: StepResult) -> bool:
    return step.relative_accuracy.value is not None and step.served.time.value is not None


def _point(step: StepResult) -> Point:
    accuracy, time = step.relative_accuracy, step.served.time
    assert accuracy.value is not None and time.value is not None
    return Point(step.words, time.value, accuracy.value, time.interval or time.spread, accuracy.interval)
