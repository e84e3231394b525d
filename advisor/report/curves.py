"""Training curves as SVG: the training loss, and what epochs are chosen by, over passes through the rows."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from advisor.base.rounding import rounded
from advisor.records.diagnostics import Curve
from advisor.report import chart


def draw(curve: Curve, title: str, prefix: str) -> str:
    """The SVG element; `prefix` keeps its ids apart from other drawings on the page."""
    loss = [(one.epoch, one.loss) for one in curve.points if one.loss is not None]
    chosen = [(one.epoch, one.selection) for one in curve.points if one.selection is not None]
    with mpl.rc_context({**chart.STYLE, "svg.hashsalt": prefix}):
        figure = Figure(figsize=(5, 2.8), layout="constrained")
        axes = figure.add_subplot()
        axes.set_xlabel("epochs")
        _line(axes, loss, 0, "training loss")
        if chosen:
            own = axes.twinx()
            own.grid(visible=False)
            own.spines["right"].set_visible(True)
            _line(own, chosen, 1, f"selection {_words(curve.chosen_by)}")
        return chart.inline(figure, f"Training of {title}", _description(curve), prefix)


def _line(axes: Any, points: list[tuple[float, float]], number: int, name: str) -> None:
    """One line with its axis: the loss as a line, the others with a marker for each epoch."""
    _, _, colour = chart.look(number)
    form = {"linestyle": "-"} if number == 0 else {"linestyle": "--", "marker": "o", "markersize": 5}
    axes.plot(*zip(*points, strict=True), color=colour, linewidth=1.4, **form) if points else None
    axes.set_ylabel(name, color=colour)
    axes.tick_params(length=0)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _description(curve: Curve) -> str:
    """The drawing in words, for whoever cannot see it."""
    said = [f"epoch {one.epoch:.3g}: {rounded(one.selection)}" for one in curve.points if one.selection is not None]
    losses = [one.loss for one in curve.points if one.loss is not None]
    ends = f"training loss from {rounded(losses[0])} to {rounded(losses[-1])}" if losses else "no training loss"
    return "; ".join([ends, *([f"selection {_words(curve.chosen_by)}, {', '.join(said)}"] if said else [])])
