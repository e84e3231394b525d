"""The white paper's Figures 4 to 6 and its ten testable claims, from what was measured here.

Command: python bench/figures.py [FOLDER] [--task mrpc] [--seeds 3] [--draw docs/images]. With the folder of a model it
first measures what is missing of it (hours; it goes on where it was killed), and then prints, for every model that any
measurement of bench/ has seen, relative accuracy at 2/3 of the layers, 1/3, and 1/3 at 7/12 of the width, with the
share of the time: without a power meter emissions are the same share. Then what is missing, and the claims.
`--draw` writes the figures as SVG files. Results: bench/results/figures.jsonl, beside those of the other measurements.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import claims
from points import FIRST, LEVELS, NONE, Found, Key, gather, time_of
from real_models import deep
from targets import LARGE, SMALL
from tasks import Task
from trials import HERE, Arm, Trial, parser, read, run

from advisor.report import chart

FILE = HERE / "results" / "figures.jsonl"
RTE = Task("rte", epochs=4, rate=1e-4)
STSB = Task("stsb", epochs=4, rate=1e-4, metric="pearson")
IMDB = tuple(Task("imdb", rows, tokens=128, report=2_000) for rows in (2_500, 10_100, None))  # some are duplicates
ONE_SEED = IMDB[1:]  # they take too long for three
# Layers before matrices and the reverse, at the one learning rate at which the whole model can be narrowed.
AT = "epochs: 3, learning_rate: 1.0e-4"
STEPS = (
    "layer_removal: {keep: 4}",
    f"distillation: {{{AT}}}",
    f"matrix_pruning: {{hidden_size: 224, intermediate_size: 896, {AT}}}",
)
ORDERS = (Arm("layers before matrices", STEPS, 0), Arm("matrices before layers", (STEPS[2], *STEPS[:2]), 0))
ORDER_ON = SMALL[0]
OUTSIDE = "Cuts to 1/3 below 10,000 rows and all narrowing here are outside the policy: measured, never advised."
WEAK = "says nothing, as its baseline is not shown to be better than one constant answer"
TABLE_1 = (chart.Point("2/3", 0.869, 0.997), chart.Point("1/3", 0.614, 0.919), chart.Point("1/3, narrow", 0.269, 0.856))


class Figure(NamedTuple):
    """One figure of the white paper, and the data sets that stand for its own."""

    number: int
    title: str
    tasks: tuple[Task, ...]


FIGURES = (
    Figure(4, "GLUE, fewer than 10,000 rows", (*SMALL, RTE, STSB)),
    Figure(5, "GLUE, 10,000 rows or more", (LARGE,)),
    Figure(6, "IMDb", IMDB),
)
TASKS = tuple(task for figure in FIGURES for task in figure.tasks)
Points = Mapping[Key, Found]


def missing(points: Points, model: str, seeds: int, data: str = "") -> Iterator[tuple[Task, int, list[str]]]:
    """What no measurement has seen of a model yet: a data set and a seed, with the levels that it lacks."""
    for task in TASKS:
        for seed in range(1 if task in ONE_SEED else seeds):
            keys = {level: (model, task.key, level) for level in LEVELS if level != NONE}
            lacks = [level for level, key in keys.items() if key not in points or seed not in points[key].seeds]
            if lacks and data in task.key:
                yield task, seed, lacks


def measure(given: Namespace) -> None:
    """Run what is missing of the model in a folder."""
    model, by_level = given.model.name, deep(given.model)
    todo = [
        Trial(arm, task, seed, "" if model == FIRST else model)
        for task, seed, lacks in missing(gather(), model, given.seeds, given.task)
        for arm in dict.fromkeys(by_level[level] for level in lacks if level in by_level)
    ]
    took = [line["seconds"] for line in read(FILE) if line.get("model", FIRST) == model]
    forecast = f", {mean(took) * len(todo) / 3600:.1f} hours by what the others took" if took else ""
    todo += [Trial(arm, ORDER_ON, seed) for seed in range(given.seeds) for arm in ORDERS if model == FIRST]
    print(f"{len(todo)} runs are missing{forecast}", flush=True)
    run(todo, FILE, given)


def rows(figure: Figure, points: Points) -> Iterator[tuple[str, ...]]:
    """A row of the figure's table for each model and data set."""
    for model in sorted({key[0] for key in points}):
        for task in figure.tasks:
            cells = [_cell(points, (model, task.key, level)) for level in LEVELS if level != NONE]
            if any(cell != "not measured" for cell in cells):
                yield model, task.key, *cells


def _cell(points: Points, key: Key) -> str:
    if key not in points:
        return "not measured"
    one, time = points[key], time_of(points, key)
    ends = f" ({one.ends[0]:.3f} to {one.ends[1]:.3f})" if one.ends else ""
    counted = f"{len(one.seeds)} seed{'s' if len(one.seeds) > 1 else ''}"
    said = f"{one.accuracy:.3f}{ends}, {counted}, {f'{time:.2f} of the time' if time else 'not timed'}"
    return said if one.verifies else f"{said}: {WEAK}"


def draw(figure: Figure, points: Points, folder: Path) -> Path | None:
    """The figure in the white paper's form, a line for each model and data set; None where nothing of it was timed."""
    keys = {task.key for task in figure.tasks}
    pairs = sorted({key[:2] for key in points if key[1] in keys})
    curves = [found for model, task in pairs if len(found := _curve(points, model, task)) > 1]
    if not curves:
        return None
    lines = [chart.Line(found[-1].words, place, found) for place, found in enumerate(curves)]
    drawn = chart.draw(chart.Figured(f"Figure {figure.number}: {figure.title}", lines, TABLE_1, "time"), "figure")
    file = folder / f"figure-{figure.number}.svg"
    file.write_text(chart.alone(drawn))
    return file


def _curve(points: Points, model: str, task: str) -> tuple[chart.Point, ...]:
    """From the whole model to the deepest cut, which is named, as far as both accuracy and time were measured."""
    found = [chart.Point("fine-tuned", 1.0, 1.0)]
    for level in LEVELS:
        key = model, task, level
        if key in points and points[key].verifies and (time := time_of(points, key)):
            found.append(chart.Point(level, time, points[key].accuracy, None, points[key].ends))
    return (*found[:-1], found[-1]._replace(words=f"{model}, {task}"))


def show(points: Points, seeds: int, folder: Path | None) -> None:
    """Print the figures as tables, what is missing of them, and the claims; draw them where a folder is given."""
    print(OUTSIDE)
    for figure in FIGURES:
        print(f"\nFigure {figure.number}: {figure.title}\n")
        _table(("model", "data", *LEVELS[1:]), rows(figure, points))
        if folder:
            print(draw(figure, points, folder) or "nothing of it was timed")
    print("\nMissing\n")
    for model in sorted({FIRST, *(key[0] for key in points)}):
        lacks = [f"{task.key} (seed {seed}: {', '.join(some)})" for task, seed, some in missing(points, model, seeds)]
        print(f"- {model}: {'; '.join(lacks) or 'nothing'}")
    print("\nClaims\n")
    solid = {key: one for key, one in points.items() if one.verifies}
    _table(("claim", "verdict", "seen"), (_judged(claim, solid) for claim in claims.CLAIMS))


def _judged(claim: claims.Claim, points: Points) -> tuple[str, ...]:
    seen = list(claim.look(points))
    words = "; ".join(one.words for one in seen) or f"not measured: {claim.missing}"
    return claim.words, claims.verdict(seen), words


def _table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> None:
    for row in (head, ("---",) * len(head), *lines):
        print(f"| {' | '.join(row)} |")


def main() -> None:
    """Measure what is missing of a model, and print all."""
    reader = parser(__doc__)
    reader.add_argument("folder", type=Path, nargs="?")
    reader.add_argument("--draw", type=Path, help="write the figures as SVG files into this folder")
    given = reader.parse_args()
    if given.folder and not given.show:
        given.model = given.folder.resolve()
        measure(given)
    show(gather(), given.seeds, given.draw)


if __name__ == "__main__":
    main()
