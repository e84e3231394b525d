"""A search as one HTML file that needs nothing else: the front, all trials, what was left out, and what it took."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from advisor.records.search import SearchResult, Trial
from advisor.report.search import charts, view
from advisor.report.shares import emissions_head_of
from advisor.report.template import filled

TEMPLATE = "search/page.html.j2"


def render(result: SearchResult) -> str:
    """The page of a search, while it lasts and when it has ended."""
    return filled(
        TEMPLATE,
        result=result,
        title=f"{result.model}: advise search",
        verdict=view.verdict(result),
        ended=view.has_ended(result),
        counts=view.counts(result),
        front=view.front(result),
        goals=view.goals(result),
        emissions_head=emissions_head_of([one.emissions for one in result.trials]),
        figures=list(_figures(result)),
        trials=[_trial(trial, result) for trial in result.trials],
        excluded=view.excluded(result),
        costs=list(view.costs(result)),
        paid_back=view.paid_back(result),
        signs=charts.SIGNS,
        series=charts.SERIES,
        choice=view.choice,
    )


def _figures(result: SearchResult) -> Iterator[dict[str, Any]]:
    drawn = {
        f"Accuracy against {charts.weighed(result)}": charts.accuracy_against_cost(result),
        "Accuracy at each rung of training": charts.rungs(result),
        "Choices and the accuracy kept": charts.choices(result),
    }
    # The drawings escape their own text; the template has to take them as they are.
    yield from ({"title": title, "svg": Markup(svg)} for title, svg in drawn.items() if svg)


def _trial(trial: Trial, result: SearchResult) -> dict[str, Any]:
    """All that the template shows of a trial."""
    return {
        "it": trial,
        "state": view.state(trial, result),
        "kept": view.kept(trial),
        "rung": trial.rungs[-1].share if trial.rungs else "",
        "choices": ", ".join(
            f"{name} {view.choice(value)}" for name, value in trial.choices.items() if value is not None
        ),
    }
