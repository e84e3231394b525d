"""The end of a search: the front is measured anew, with three seeds, on the rows by which nothing was chosen."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from advisor.base import frozen
from advisor.base.errors import AdviseError, DiskFull
from advisor.base.files import write
from advisor.recipe.reader import load
from advisor.recipe.recipe import AS_BOUND, Aims, Recipe, as_yaml
from advisor.records.output_folder import RECIPE
from advisor.records.results import Measured, Remark, RunResult
from advisor.records.search import Point, SeedOfPoint, Spent, Trial
from advisor.runs.seed_statistics import SeedsResult
from advisor.tuning import rest
from advisor.tuning.front import Measure, front
from advisor.tuning.goals import Goals, meets, worse_end
from advisor.tuning.making import POINTS, measured, message
from advisor.tuning.parts import Event, Search
from advisor.tuning.points import missing, order

OPTIONS = {
    "relative_accuracy": "--min-accuracy",
    "relative_emissions": "--max-emissions",
    "size_mb": "--max-size-mb",
    "latency_ms": "--max-latency-ms",
}


class SeedRuns(Protocol):
    """Runs a recipe with several seeds in a folder below the search's."""

    def point(self, path: str, recipe: Recipe) -> tuple[SeedsResult, Spent]: ...


class Ending:
    """Measures the points of the front and says what came of the search. out: the search's folder."""

    def __init__(self, runs: SeedRuns, out: Path) -> None:
        self.runs, self.out = runs, out

    def run(self, search: Search) -> Iterator[Event]:
        """Measure each point that is not measured yet, the most promising first, as long as the budget lasts."""
        parts = search.parts
        chosen = order(search.record, parts.goals, parts.objective)
        while chosen:
            some = self._next(search, chosen)
            if not some:
                left = f"{len(chosen)} points of the front are not measured with several seeds"
                yield Remark(f"{left}: the budget is spent")
                break
            yield from search.further(some)
            for number in some:
                yield from self.look(search, number)
            chosen = chosen[len(some) :]
        points = marked(search.record.front, parts.objective)
        search.keep(front=points, nearest="" if any(one.met for one in points) else nearest(points, parts.goals))

    @staticmethod
    def _next(search: Search, chosen: Sequence[int]) -> list[int]:
        """As many as are trained at the same time, and as the budget suffices for; one in any case where none is."""
        some = list(chosen[: search.parts.carrier.workers])
        while some and rest.left(search) < rest.of_points(search, some):
            if len(some) == 1 and not search.record.front:
                break
            some.pop()
        return some

    def look(self, search: Search, number: int) -> Iterator[Event]:
        """Measure one point; where a seed fails it is no point, and the others are measured all the same."""
        trial = search.record.trials[number]
        looked = (*search.record.looked, number)
        try:
            failed = next((one.why_not for one in trial.further if one.value is None), "")
            if failed:
                raise AdviseError(failed)
            point, spent = self._point(trial, search.recipe(number), search.parts.goals)
        except DiskFull:
            raise
        except AdviseError as error:
            note = f"{trial.name} (trial {number}) is not on the front, as a seed failed: {message(error)}"
            search.keep(notes=tuple(dict.fromkeys((*search.record.notes, note))), looked=looked)
            yield Remark(note)
            return
        search.spend(spent)
        search.keep(front=(*search.record.front, point), looked=looked)
        yield point

    def _point(self, trial: Trial, recipe: Recipe, goals: Goals) -> tuple[Point, Spent]:
        path = f"{POINTS}/trial-{trial.number:03d}"
        found, spent = self.runs.point(path, recipe)
        made = point(trial, f"{path}.yaml", path, found, goals)
        restate(self.out, made, recipe.goal)
        return made, spent


def restate(out: Path, point: Point, goal: Aims) -> None:
    """Write a point's recipe file with this goal. Its runs keep the recipe that they were made by.

    out: the search's folder. A point whose runs were taken away keeps the file that it has.

    Raises:
        AdviseError: the recipe of its first run cannot be read.
    """
    made_by = out / point.seeds[0].folder / RECIPE
    if made_by.exists():
        recipe, _ = load(made_by)
        write(out / point.recipe, as_yaml(frozen.replace(recipe, goal=goal)))


def point(trial: Trial, file: str, path: str, found: SeedsResult, goals: Goals) -> Point:
    """A point of the front by the runs of all its seeds."""
    runs = zip(found.seeds, found.paths, found.runs, strict=True)
    seeds = tuple(_seed(seed, f"{path}/{below}", run) for seed, below, run in runs)
    return judged(Point(trial.number, trial.name, file, seeds, {}, {}, found.summary), goals)


def judged(point: Point, goals: Goals) -> Point:
    """A point with what it meets of these goals, and what would have to give."""
    every = [meets(goals, numbers(one)) for one in point.seeds]
    met = {name: not point.note and all(one[name] for one in every) for name in goals}
    gives = {name: _gives(name, point.seeds) for name in goals if not met[name] and not point.note}
    return replace(point, meets=met, gives={name: one for name, one in gives.items() if one is not None})


def _seed(seed: int, folder: str, run: RunResult) -> SeedOfPoint:
    last = run.steps[-1]
    found = measured(last, folder, Spent())
    return SeedOfPoint(
        seed, folder, last.relative_accuracy, found.size_mb, found.time, found.emissions, found.latency_ms
    )


def numbers(seed: SeedOfPoint) -> dict[str, Measured]:
    """One seed's numbers by the names of goals."""
    return {
        "relative_accuracy": seed.kept,
        "relative_emissions": seed.emissions,
        "size_mb": seed.size_mb,
        "latency_ms": seed.latency_ms,
    }


def _gives(name: str, seeds: Sequence[SeedOfPoint]) -> float | None:
    """The bound that every seed's interval would meet, rounded to the side on which it does."""
    ends = [worse_end(name, numbers(one)[name]) for one in seeds]
    known = [one for one in ends if one is not None]
    if len(known) < len(ends):
        return None
    if AS_BOUND[name] == ">=":
        return math.floor(min(known) * 100) / 100
    return math.ceil(max(known) * 100) / 100


def marked(points: Sequence[Point], objective: str) -> tuple[Point, ...]:
    """The points, and which of them others dominate now that all are measured anew: means over seeds."""
    found = {at: one for at, each in enumerate(points) if (one := _mean(each, objective)) is not None}
    best = front(found)
    return tuple(replace(one, dominated=at in found and at not in best) for at, one in enumerate(points))


def _mean(found: Point, objective: str) -> Measure | None:
    kept = [one.kept.value for one in found.seeds]
    cost = [getattr(one, objective).value for one in found.seeds]
    if None in kept or None in cost or not kept:
        return None
    return Measure(sum(kept) / len(kept), sum(cost) / len(cost))  # type: ignore[arg-type]


def nearest(points: Sequence[Point], goals: Goals) -> str:
    """The point that misses the goals least, and the options with which it would meet them."""
    if not points:
        return "nothing was measured"
    worst = {at: max(missing(numbers(one), goals) for one in each.seeds) for at, each in enumerate(points)}
    best = points[min(worst, key=lambda at: worst[at])]
    if best.note:
        return f"nearest: {best.name} (trial {best.trial}), but {best.note}"
    options = " ".join(f"{OPTIONS[name]} {value:g}" for name, value in best.gives.items())
    unknown = [name for name, met in best.meets.items() if not met and name not in best.gives]
    told = options or f"nothing that is known: {', '.join(unknown)} was not measured"
    return f"nearest: {best.name} (trial {best.trial}); what must give: {told}"
