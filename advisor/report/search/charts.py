"""Drawings of a search: the front among all measured trials, what each rung showed, and the choices side by side.

States differ by marker and by colour, so that nothing hangs on colour alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from advisor.records.results import Measured
from advisor.records.search import Choice, SearchResult, Trial
from advisor.report.chart import CARD, COLOURS, INK, MUTED, STYLE, inline
from advisor.report.search.view import State, choice, cost, derived, kept, state
from advisor.report.shares import percent
from advisor.report.style import clean

GREEN, ORANGE, BLUE, PINK, *_ = COLOURS
MARKERS: dict[State, str] = {"front": "D", "dominated": "o", "stopped": "v", "failed": "X", "running": "P"}
MARKERS |= {"refused": "s"}
LOOK: dict[State, str] = {"front": GREEN, "dominated": MUTED, "stopped": BLUE, "failed": ORANGE, "running": PINK}
LOOK |= {"refused": ORANGE}
SIGNS: dict[State, str] = {"front": "◆", "dominated": "○", "stopped": "▼", "failed": "✖", "running": "✚"}
SIGNS |= {"refused": "■"}
SERIES: dict[State, int] = {"front": 0, "stopped": 2, "failed": 1, "running": 3, "refused": 1}
BOUND = re.compile(r"[<>]=?\s*([0-9.]+)\s*(%?)\s*$")


def accuracy_against_cost(result: SearchResult) -> str:
    """Measured trials with their intervals, the front joined; "" where none has both numbers."""
    name, of = cost(result)
    trials = [one for one in result.trials if _both(one.kept, of(one))]
    if not trials:
        return ""
    with _styled("front"):
        figure, axes = _axes()
        edge = sorted((of(one).value, one.kept.value) for one in trials if state(one, result) == "front")
        axes.plot(*zip(*edge, strict=True), color=GREEN, linewidth=1.4, zorder=2) if edge else None
        for one in trials:
            _mark(axes, state(one, result), of(one), one.kept)
        for point in (seed for found in result.front for seed in found.seeds if _both(seed.kept, of(seed))):
            axes.plot(of(point).value, point.kept.value, "*", color=INK, markersize=8, markerfacecolor="none", zorder=5)
        _bounds(axes, result, name)
        left, right = axes.get_xlim()
        axes.set_xlim(max(right, 1.05), min(max(0.0, left), 0.0))
        axes.set_xlabel(f"relative {name} of serving ({'greener' if name == 'emissions' else 'faster'} to the right)")
        words = "; ".join(
            f"{one.name}, {state(one, result)}: accuracy {one.kept.value:.1%} at {name} {percent(of(one))}"
            for one in trials
        )
        return inline(figure, f"Accuracy kept against {weighed(result)}", words, "front")


def weighed(result: SearchResult) -> str:
    """What accuracy is weighed against, called what it is."""
    name, _ = cost(result)
    return f"{name}{derived(result) if name == 'emissions' else ''}"


def rungs(result: SearchResult) -> str:
    """Every trial at its exact compute: accuracy at each rung, one above the other; failed ones at the bottom."""
    trials = [one for one in result.trials if one.relative_compute is not None]
    if not any(kept(one).value is not None for one in trials):
        return ""
    with _styled("rungs"):
        figure, axes = _axes()
        for one in trials:
            _climb(axes, one, state(one, result))
        axes.set_xlim(1.05, 0)
        axes.set_xlabel("exact share of the multiplications (less to the right)")
        return inline(figure, "Accuracy kept at each rung", "; ".join(map(_climbed, trials)), "rungs")


def choices(result: SearchResult) -> str:
    """Parallel coordinates: a line for each trial through its value on every axis, and to the accuracy it keeps."""
    axes_of = {name: values for name, values in result.axes.items() if len(values) > 1}
    trials = [one for one in result.trials if kept(one).value is not None]
    if not trials or not axes_of:
        return ""
    values = [kept(one).value or 0.0 for one in trials]
    low, high = min(values), max(*values, min(values) + 1e-3)
    with _styled("choices"):
        figure = Figure(figsize=(max(5.0, 1.3 * (len(axes_of) + 1)), 3.9), layout="constrained")
        axes = figure.add_subplot()
        for place, one in enumerate(sorted(trials, key=lambda one: state(one, result) == "front")):
            heights = [_height(one.choices.get(name), values) for name, values in axes_of.items()]
            heights.append(((kept(one).value or 0.0) - low) / (high - low))
            _through(axes, heights, state(one, result), place)
        _scales(axes, axes_of, (low, high))
        return inline(figure, "Choices and the accuracy kept", "; ".join(_chosen(trials)), "choices")


def _styled(prefix: str) -> Any:
    return mpl.rc_context({**STYLE, "svg.hashsalt": prefix})


def _axes() -> tuple[Figure, Any]:
    figure = Figure(figsize=(5, 3.9), layout="constrained")
    axes = figure.add_subplot()
    axes.margins(x=0.1, y=0.12)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.axhline(1, color=MUTED, linewidth=0.8, zorder=1)
    axes.set_ylabel("relative accuracy, selection rows")
    axes.tick_params(length=0)
    return figure, axes


def _both(accuracy: Measured, spent: Measured) -> bool:
    return accuracy.value is not None and spent.value is not None


def _mark(axes: Any, kind: State, across: Measured, up: Measured) -> None:
    axes.errorbar(
        across.value, up.value, xerr=_error(across), yerr=_error(up), fmt=MARKERS[kind], color=LOOK[kind],
        markersize=7, markeredgecolor=LOOK[kind] if kind == "dominated" else CARD, markeredgewidth=0.9,
        markerfacecolor="none" if kind == "dominated" else LOOK[kind], elinewidth=0.9, capsize=2.5,
        zorder=4 if kind == "front" else 3,
    )  # fmt: skip


def _error(one: Measured) -> list[list[float]] | None:
    ends = one.interval or one.spread
    if ends is None or one.value is None:
        return None
    return [[max(0.0, one.value - ends[0])], [max(0.0, ends[1] - one.value)]]


def _bounds(axes: Any, result: SearchResult, name: str) -> None:
    """The goals as dashed lines, where they are shares."""
    for goal, line in (("relative_accuracy", axes.axhline), (f"relative_{name}", axes.axvline)):
        found = BOUND.match(result.goals.get(goal, ""))
        if found:
            line(float(found[1]) / (100 if found[2] else 1), color=INK, linewidth=0.9, linestyle="--", zorder=1)


def _climb(axes: Any, trial: Trial, kind: State) -> None:
    reached = [one.kept.value for one in trial.rungs if one.kept.value is not None]
    across = [trial.relative_compute] * len(reached)
    axes.plot(across, reached, ".-", color=LOOK[kind], linewidth=0.9, markersize=4, alpha=0.7, zorder=2)
    if reached:
        _mark(axes, kind, Measured(trial.relative_compute), Measured(reached[-1]))
    elif kind == "failed":
        axes.plot(
            [trial.relative_compute], [0.02], MARKERS[kind], color=LOOK[kind], markersize=7, zorder=3,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip


def _climbed(trial: Trial) -> str:
    reached = ", ".join(f"{one.kept.value:.1%} at {one.share}" for one in trial.rungs if one.kept.value is not None)
    return f"{trial.name}: {reached or trial.why or 'nothing yet'}"


def _height(value: Choice, values: Sequence[Choice]) -> float:
    """Where a value stands on its axis, evenly spaced; one that is none of the axis in the middle."""
    return values.index(value) / (len(values) - 1) if value in values else 0.5


def _through(axes: Any, heights: Sequence[float], kind: State, place: int) -> None:
    shift = (place % 7 - 3) * 0.006  # lines through the same values stay apart
    front = kind == "front"
    axes.plot(
        range(len(heights)), [*(height + shift for height in heights[:-1]), heights[-1]], color=LOOK[kind],
        linestyle="-" if kind in ("front", "dominated") else "--", linewidth=2 if front else 0.9,
        alpha=1 if front else 0.6, marker=MARKERS[kind] if front else None, markersize=5, zorder=4 if front else 2,
    )  # fmt: skip


def _scales(axes: Any, axes_of: dict[str, tuple[Choice, ...]], ends: tuple[float, float]) -> None:
    axes.set_axis_off()
    axes.set_xlim(-0.3, len(axes_of) + 0.45)
    for place, (name, values) in enumerate(axes_of.items()):
        _scale(axes, place, name, [(_height(value, values), choice(value)) for value in values])
    middle = (ends[0] + ends[1]) / 2
    _scale(axes, len(axes_of), "accuracy", [(0, f"{ends[0]:.1%}"), (0.5, f"{middle:.1%}"), (1, f"{ends[1]:.1%}")])


def _scale(axes: Any, place: int, name: str, ticks: Sequence[tuple[float, str]]) -> None:
    axes.plot([place, place], [0, 1], color=MUTED, linewidth=0.9, zorder=1)
    axes.text(place, 1.09, clean(name).replace("_", " "), ha="center", fontsize=9, fontweight="bold")
    for height, words in ticks:
        axes.text(place + 0.05, height + 0.035, clean(words), fontsize=8, color=INK, va="center", zorder=6)


def _chosen(trials: Sequence[Trial]) -> Iterator[str]:
    for one in trials:
        values = ", ".join(f"{name} {choice(value)}" for name, value in one.choices.items())
        yield f"{one.name}: {values}, accuracy {kept(one).value:.1%}"
