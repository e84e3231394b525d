"""Accuracy against emissions or time as SVG, in the form of the white paper's Figures 4 to 6: one for each data size.

Drawn with matplotlib; text stays text, colours become CSS variables of the page, so that light, dark and print need one
drawing. Each run has a marker and a line of its own, so that nothing hangs on colour.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence
from itertools import product
from typing import Any, Literal, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

# matplotlib wants colours: these stand for the page's variables until the drawing is text.
INK, MUTED, LINE, CARD = "#010203", "#010204", "#010205", "#010206"
VARIABLES = {INK: "var(--ink)", MUTED: "var(--muted)", LINE: "var(--line)", CARD: "var(--card)"}
SERIES = 6  # colours of the page
COLOURS = {f"#02030{number}": f"var(--series-{number})" for number in range(SERIES)}
ON_WHITE = ("#0b7a50", "#b4530a", "#3257a8", "#a0316f", "#6b5b00", "#00727f")
LETTERS = "ABCD"
STAR: dict[str, Any] = {"marker": "*", "color": INK, "markersize": 12, "markerfacecolor": "none"}
MARKERS, DASHES = "osD^vPX", ("-", "--", "-.", ":")
STYLE: dict[str, Any] = {
    "svg.fonttype": "none", "text.parse_math": False, "font.family": "sans-serif", "font.size": 10, "text.color": INK,
    "axes.edgecolor": LINE, "axes.labelcolor": INK, "xtick.color": MUTED, "ytick.color": MUTED,
    "axes.facecolor": "none", "figure.facecolor": "none", "axes.spines.top": False, "axes.spines.right": False,
    "grid.color": LINE, "axes.grid": True, "axes.axisbelow": True, "grid.linewidth": 0.6,
}  # fmt: skip

Ends = tuple[float, float]


class Point(NamedTuple):
    """One model: shares of the baseline's cost and accuracy, with the ends of their spread and interval.

    derived: its cost is time under another name, so that it has no decimal of its own.
    """

    words: str
    cost: float
    accuracy: float
    cost_ends: Ends | None = None
    accuracy_ends: Ends | None = None
    derived: bool = False


class Line(NamedTuple):
    """One run. number: its place among all runs, which gives marker, dash and colour.

    predicted: the ranges of cost and accuracy that were predicted of its last model.
    """

    name: str
    number: int
    points: tuple[Point, ...]
    predicted: tuple[Ends, Ends] | None = None


class Figured(NamedTuple):
    """A drawing. papers: what the white paper itself says of such runs; cost: what goes across."""

    title: str
    lines: Sequence[Line]
    papers: Sequence[Point] = ()
    cost: Literal["emissions", "time"] = "emissions"


def draw(what: Figured, prefix: str) -> str:
    """The SVG element; `prefix` keeps its ids apart from other drawings on the page."""
    with mpl.rc_context({**STYLE, "svg.hashsalt": prefix}):
        figure = Figure(figsize=(5, 3.9), layout="constrained")  # text stays readable at the width of a phone
        axes = figure.add_subplot()
        for line in what.lines:
            _line(axes, line)
        for paper in what.papers:
            axes.plot(paper.cost, paper.accuracy, linestyle="none", zorder=4, **STAR)
        _frame(axes, what.cost)
        papers = [one._replace(words=letter) for letter, one in zip(LETTERS, what.papers, strict=False)]
        _name(axes, [*papers, *(one for line in what.lines for one in reversed(line.points))])
        return inline(figure, what.title, _description(what), prefix)


def alone(svg: str) -> str:
    """A drawing as a file of its own: on white, with the colours that the page would give it."""
    values = {"ink": "#17211c", "muted": "#56645d", "line": "#d5ddd9", "card": "#f6f8f7"}
    values |= {f"series-{place}": colour for place, colour in enumerate(ON_WHITE)}
    for name, colour in values.items():
        svg = svg.replace(f"var(--{name})", colour)
    left, top, width, height = re.search(r'viewBox="([^"]*)"', svg)[1].split()  # type: ignore[index]
    paper = f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="8" fill="#ffffff"/>'
    return svg.replace("</desc>", f"</desc>{paper}", 1) + "\n"


def look(number: int) -> tuple[str, str, str]:
    """Marker, dash and colour of a run: different for the first 28."""
    return MARKERS[number % len(MARKERS)], DASHES[number % len(DASHES)], list(COLOURS)[number % SERIES]


def _line(axes: Any, line: Line) -> None:
    marker, dash, colour = look(line.number)
    across, up = [one.cost for one in line.points], [one.accuracy for one in line.points]
    axes.plot(across, up, linestyle=dash, color=colour, linewidth=1.4, zorder=2)
    for one in line.points:
        axes.errorbar(
            one.cost, one.accuracy, xerr=_error(one.cost, one.cost_ends),
            yerr=_error(one.accuracy, one.accuracy_ends), fmt=marker, color=colour, markersize=7,
            markeredgecolor=CARD, markeredgewidth=0.8, elinewidth=1.1, capsize=3, zorder=3,
        )  # fmt: skip
    if line.predicted:
        (left, right), (low, high) = line.predicted
        at, size = (left, low), (max(right - left, 0.004), max(high - low, 0.004))
        axes.add_patch(Rectangle(at, *size, facecolor=colour, alpha=0.12, edgecolor="none"))
        axes.add_patch(Rectangle(at, *size, fill=False, edgecolor=colour, linestyle="--", linewidth=0.9))


def _error(value: float, ends: Ends | None) -> list[list[float]] | None:
    return [[max(0.0, value - ends[0])], [max(0.0, ends[1] - value)]] if ends else None


def _name(axes: Any, points: Sequence[Point]) -> None:
    """Names beside points, where no other name is; one that fits nowhere is left out, as the tables have them all."""
    wide, high = abs(axes.get_xlim()[0] - axes.get_xlim()[1]), abs(axes.get_ylim()[0] - axes.get_ylim()[1])
    taken: list[tuple[float, float, float]] = []
    for one in points:
        words = one.words if len(one.words) <= 32 else one.words[:31] + "…"
        across, up = one.cost / wide, one.accuracy / high
        middle = (1, -1) if one.cost >= 0.35 else (-1, 1)  # text runs towards the middle, and must not move the axes
        for side, level in product(middle, (1, -1)):
            length = 0.02 + 0.019 * len(words)
            place = (
                (across - length, across, up + 0.03 * level)
                if side > 0
                else (across, across + length, up + 0.03 * level)
            )
            if any(place[0] < right and left < place[1] and abs(place[2] - at) < 0.055 for left, right, at in taken):
                continue
            taken.append(place)
            axes.annotate(
                words, (one.cost, one.accuracy), (7 * side, 6 if level > 0 else -13), textcoords="offset points",
                fontsize=9, ha="left" if side > 0 else "right",
            ).set_in_layout(False)  # fmt: skip
            break


def _frame(axes: Any, cost: str) -> None:
    """Greener to the right, as in the white paper; both axes as percent of the baseline."""
    axes.margins(x=0.14, y=0.16)
    left, right = axes.get_xlim()
    axes.set_xlim(max(right, 1.05), min(max(0.0, left), 0.0))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.axhline(1, color=MUTED, linewidth=0.8, zorder=1)
    better = {"emissions": "greener", "time": "faster"}[cost]
    axes.set_xlabel(f"relative {cost} of serving ({better} to the right)")
    axes.set_ylabel("relative accuracy")
    axes.tick_params(length=0)


def _description(what: Figured) -> str:
    """The drawing in words, for whoever cannot see it."""
    sentences = [
        f"{line.name}: "
        + "; ".join(
            f"{one.words}, accuracy {one.accuracy:.1%} at {what.cost} {one.cost:.{0 if one.derived else 1}%}"
            for one in line.points
        )
        for line in what.lines
    ]
    sentences += [f"{one.words}: accuracy {one.accuracy:.0%} at {what.cost} {one.cost:.0%}" for one in what.papers]
    return ". ".join(sentences)


def inline(figure: Figure, title: str, description: str, prefix: str) -> str:
    """A figure as an SVG element: the page's colours, ids of its own, title and description for screen readers."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{prefix}-", svg)
    for colour, variable in {**VARIABLES, **COLOURS}.items():
        svg = svg.replace(colour, variable)
    view = re.search(r'viewBox="[^"]*"', svg)
    title, description = html.escape(title), html.escape(description)
    head = f"<svg {view[0] if view else ''} role='img' aria-labelledby='{prefix}-t {prefix}-d'"
    head += ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    head += f"<title id='{prefix}-t'>{title}</title><desc id='{prefix}-d'>{description}</desc>"
    return re.sub(r"<svg[^>]*>", lambda _: head, svg, count=1)
