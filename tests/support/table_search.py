"""A search over a table of results instead of training: the driver, its rungs and its sampler as they are."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from advisor.advice.candidates import candidates
from advisor.advice.recommendation import advise
from advisor.facts.facts import DataFacts, Facts, Goal
from advisor.inspection import probe
from advisor.policy.pack import core
from advisor.recipe.recipe import DataSource, Recipe, to_aims
from advisor.records.results import Measured
from advisor.records.search import Point, SearchResult, SeedOfPoint, Spent, Trial
from advisor.tuning.budget import parse
from advisor.tuning.driver import Driver
from advisor.tuning.ending import Ending, judged
from advisor.tuning.goals import Goals
from advisor.tuning.making import Measurements
from advisor.tuning.parts import Event, Parts
from advisor.tuning.space import Place, Question, Space, space
from advisor.tuning.tree import Node, Outcome, path


@cache
def question(samples: int = 30_000, model: str = "bert", **goals: Any) -> Question:
    """A model by its family's name, on a CPU."""
    data = DataSource("reviews", task="text-classification", samples=samples, eval_samples=2000, labels=2)
    known = DataFacts(samples, 2000, 0, None, "text-classification", 2)
    found = probe.model(model, 2)
    return Question(core(), Facts(found.facts, known, probe.device("cpu"), Goal(**goals)), found, data, f"{model}-cpu")


SPACES: dict[int, Space] = {}  # by the identity of the question, which `question` makes once


def space_of(asked: Question) -> Space:
    """The space around what is advised."""
    if id(asked) not in SPACES:
        SPACES[id(asked)] = space(asked, advise(*asked).chosen, list(candidates(*asked)))
    return SPACES[id(asked)]


def kept(recipe: Recipe, share: float) -> float:
    """What a recipe keeps: less for each layer that is gone, more for each epoch and for an even choice."""
    removal, distillation = recipe.step("layer_removal"), recipe.step("distillation")
    if removal is None:
        return 1.0
    gone = 12 - removal.keep  # type: ignore[attr-defined]
    scheme = {"alternate": 0.0, "importance": 0.003, "top": 0.02}[removal.choose]  # type: ignore[attr-defined]
    length = distillation.epochs / 10 if distillation else 0  # type: ignore[attr-defined]
    return 1 - 0.0008 * gone**2 - scheme * gone / 8 - 0.3 * gone / 12 * (1 - share * (0.9 + 0.1 * min(1, length)))


class Table:
    """Carries nodes and measures trials by a formula. made: the names of all steps, in the order they were made.

    unlucky: how much less a node keeps than the formula says.
    """

    def __init__(
        self, workers: int = 1, broken: Sequence[str] = (), unmeasured: Sequence[int] = (), baseline: bool = True,
        unlucky: Callable[[Node], float] = lambda node: 0.0,
    ) -> None:  # fmt: skip
        self.workers, self.broken, self.unmeasured = workers, broken, unmeasured
        self.baseline, self.unlucky = baseline, unlucky
        self.made: list[str] = []
        self.measured: list[int] = []
        self.waiting = deque[Node]()
        self.seconds = 0.0

    def start(self, node: Node) -> None:
        self.waiting.append(node)
        assert len(self.waiting) <= self.workers

    def next(self) -> tuple[Node, Outcome]:
        node = self.waiting.pop()  # the last one that was started ends first
        reused = node.name in self.made
        self.made += [one.name for one in path(node) if one.name not in self.made]
        if not self.baseline and len(node.recipe.steps) == 1:
            return node, Outcome("failed", "no memory")
        removal = node.recipe.step("layer_removal")
        if removal and removal.choose in self.broken:  # type: ignore[attr-defined]
            return node, Outcome("failed", "the loss is not finite")
        value = kept(node.recipe, float(node.share)) - self.unlucky(node)
        took = 0.0 if reused else 100 * float(node.share)
        self.seconds += took
        found = Measured(value, interval=(value - 0.004, value + 0.004))
        spent = Spent() if reused else Spent(took, 1.0, 0.1)
        return node, Outcome("made", "", node.name, reused, found, 1 - value, 100, 100, spent)

    def close(self) -> None: ...

    def trial(self, number: int, recipe: Recipe) -> Measurements:
        assert not self.waiting, "a trial is measured beside others"
        self.measured.append(number)
        if number in self.unmeasured:
            nothing = Measured(why_not="another program was at work")
            return Measurements("", Measured(9.0), nothing, nothing, nothing, nothing, Spent(10.0))
        removal = recipe.step("layer_removal")
        share = (removal.keep / 12 if removal else 1) * (0.4 if recipe.step("quantization") else 1)  # type: ignore[attr-defined]
        near = Measured(share, interval=(share - 0.01, share + 0.01))
        return Measurements(
            "", Measured(400 * share), near, near, Measured(9.0), Measured(share), Spent(10.0, 0.1, 0.01)
        )


class Nothing:
    """An end at which nothing is measured anew."""

    def look(self, driver: Driver, number: int) -> Iterator[Event]:
        yield from ()

    def run(self, driver: Driver) -> Iterator[Event]:
        yield from ()


class ReportRows(Ending):
    """The end as it is, over a formula. looks: numbers of trials in the order in which they were measured.

    unlucky: how much less a trial keeps than on the selection rows.
    """

    def __init__(self, unlucky: Callable[[int], float] = lambda number: 0.0) -> None:
        super().__init__(None, Path())  # type: ignore[arg-type]
        self.unlucky, self.looks = unlucky, list[int]()

    def _point(self, trial: Trial, recipe: Recipe, goals: Goals) -> tuple[Point, Spent]:
        assert len(trial.further) == 2, "the other seeds are trained"
        self.looks.append(trial.number)
        value = (trial.kept.value or 0.0) - self.unlucky(trial.number)
        near = Measured(value, interval=(value - 0.004, value + 0.004))
        seeds = tuple(
            SeedOfPoint(seed, "", near, trial.size_mb, trial.time, trial.emissions, trial.latency_ms)
            for seed in range(3)
        )
        return judged(Point(trial.number, trial.name, "", seeds, {}, {}), goals), Spent(30.0, 0.3, 0.03)


class Flat(NamedTuple):
    """Estimates that are the same for everything."""

    seconds: float = 100.0

    def trial(self, place: Place) -> float:
        return self.seconds

    def measured(self, place: Place) -> float:
        return 10.0

    def further(self, places: Sequence[Place], tuned: bool = False) -> float:
        return 0.0

    def end(self, places: Sequence[Place]) -> float:
        return self.seconds * len(places)

    def together(self, seconds: float, most: float = math.inf) -> float:
        return seconds

    def wh(self, seconds: float) -> float | None:
        return seconds / 100


def begun(asked: Question, spaced: Space, budget: str, **more: Any) -> SearchResult:
    """A search before its first trial."""
    goals = {name: str(bound) for name, bound in to_aims(asked.facts.goal).bounds().items()}
    return SearchResult("bert", "reviews", "cpu", goals, spaced.axes, budget, "0" * 64, **more)


def parts(asked: Question, spaced: Space, table: Table, budget: str, **more: Any) -> Parts:
    """What a driver over a table works with; its clock is the table's own."""
    goals = to_aims(asked.facts.goal).bounds()
    made = Parts(spaced, goals, parse(budget), table, table, Nothing(), Flat(), lambda record: None)  # type: ignore[arg-type]
    return made._replace(**{"now": lambda: table.seconds, "sampler": "tpe", **more})


def searched(asked: Question, table: Table, budget: str = "30trials", **more: Any) -> SearchResult:
    """A whole search over a table."""
    spaced = space_of(asked)
    *_, last = Driver(parts(asked, spaced, table, budget, **more), begun(asked, spaced, budget)).run()
    assert isinstance(last, SearchResult)
    return last
