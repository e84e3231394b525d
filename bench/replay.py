"""Replay: searches over a table of what was measured once, so that many seeds cost nothing.

A table holds, for every node of the tree, what making it took and what came of it, and for every leaf what measuring it
found. A search is then a clock that goes forward by these times. Nothing here trains, measures or reads the clock.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import NamedTuple

from advisor.recipe.recipe import Recipe
from advisor.records.results import Measured
from advisor.records.search import Spent
from advisor.tuning.driver import Driver
from advisor.tuning.front import Measure, hypervolume
from advisor.tuning.making import Measurements
from advisor.tuning.parts import Event
from advisor.tuning.space import Place
from advisor.tuning.tree import Node, Outcome, path


class Made(NamedTuple):
    """A node of the tree. seconds: of this step and its look at the selection rows alone, without those before it."""

    seconds: float
    kept: float
    loss: float | None = None


class Leaf(NamedTuple):
    """A recipe as it serves. kept: on the selection rows. time, emissions: shares of the baseline's. seconds: taken."""

    kept: float
    time: float | None
    emissions: float | None
    size_mb: float
    seconds: float

    @property
    def cost(self) -> float | None:
        """What accuracy is weighed against."""
        return self.time if self.emissions is None else self.emissions


class Table(NamedTuple):
    """Nodes by name; leaves by the name of their node with all of the training."""

    nodes: Mapping[str, Made]
    leaves: Mapping[str, Leaf]

    def seconds(self, node: Node, done: set[str]) -> float:
        """What making a node takes where `done` are there already; adds what it makes to them."""
        own = [one.name for one in path(node) if one.name not in done]
        done.update(own)
        return sum(self.nodes[name].seconds for name in own)


class Seen(NamedTuple):
    """A recipe that was measured, so many seconds after the beginning."""

    seconds: float
    measure: Measure


def area(seen: Iterable[Seen], seconds: float) -> float:
    """The hypervolume of all that was measured by then."""
    return hypervolume([one.measure for one in seen if one.seconds <= seconds])


def reached(seen: Sequence[Seen], wanted: float) -> float | None:
    """The seconds after which the hypervolume is as large as wanted; None: never."""
    times = (one.seconds for one in sorted(seen))
    return next((seconds for seconds in times if area(seen, seconds) >= wanted - 1e-12), None)


def cheapest(seen: Sequence[Seen], kept: float) -> float | None:
    """The lowest cost of those that keep at least so much; None: none does."""
    return min((one.measure.cost for one in seen if one.measure.kept >= kept), default=None)


def one_by_one(table: Table, order: Iterable[Node]) -> Iterator[Seen]:
    """Recipes trained to the end and measured in this order; steps that they share are made once."""
    clock, done = 0.0, set[str]()
    for node in order:
        leaf = table.leaves[node.name]
        clock += table.seconds(node, done) + leaf.seconds
        if leaf.cost is not None:
            yield Seen(clock, Measure(leaf.kept, leaf.cost))


def at_random(nodes: Sequence[Node], seed: int) -> list[Node]:
    """All recipes in an order of their own for each seed."""
    return random.Random(seed).sample(nodes, len(nodes))


class Clock:
    """Seconds since the search began."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Workers:
    """Carries nodes in simulated time to so many workers (see `carrier.Carrier`). busy: seconds of all workers."""

    def __init__(self, made: Callable[[Node], Made], clock: Clock, workers: int = 1) -> None:
        self.made, self.clock, self.workers = made, clock, workers
        self.running: list[tuple[float, int, Node]] = []
        self.done: set[str] = set()
        self.busy, self.longest, self.started = 0.0, 0.0, 0

    def start(self, node: Node) -> None:
        own = [one for one in path(node) if one.name not in self.done]
        seconds = sum(self.made(one).seconds for one in own)
        self.done.update(one.name for one in own)
        self.busy, self.longest, self.started = self.busy + seconds, max(self.longest, seconds), self.started + 1
        heapq.heappush(self.running, (self.clock.now + seconds, self.started, node))

    def next(self) -> tuple[Node, Outcome]:
        self.clock.now, _, node = heapq.heappop(self.running)
        found = self.made(node)
        kept = Measured(found.kept)
        return node, Outcome("made", "", node.name, False, kept, found.loss, spent=Spent(found.seconds))

    def close(self) -> None:
        self.running.clear()


class Instruments:
    """Measures trials in simulated time, one after another. seen: what was measured, and when."""

    def __init__(self, leaf_of: Callable[[Recipe], Leaf], clock: Clock) -> None:
        self.leaf_of, self.clock, self.seen = leaf_of, clock, list[Seen]()
        self.seconds = 0.0

    def trial(self, number: int, recipe: Recipe) -> Measurements:
        """What the table says of a recipe."""
        found = self.leaf_of(recipe)
        self.clock.now, self.seconds = self.clock.now + found.seconds, self.seconds + found.seconds
        if found.cost is not None:
            self.seen.append(Seen(self.clock.now, Measure(found.kept, found.cost)))
        time, emissions = _known(found.time), _known(found.emissions)
        gone = Measured(why_not="not in the table")
        return Measurements("", Measured(found.size_mb), time, emissions, gone, gone, Spent(found.seconds))


def _known(value: float | None) -> Measured:
    return Measured(why_not="not in the table") if value is None else Measured(value)


class NoEnd:
    """An end at which nothing is measured anew."""

    def look(self, driver: Driver, number: int) -> Iterator[Event]:
        yield from ()

    def run(self, driver: Driver) -> Iterator[Event]:
        yield from ()


class Free(NamedTuple):
    """Estimates that stop nothing."""

    def trial(self, place: Place) -> float:
        return 0.0

    def measured(self, place: Place) -> float:
        return 0.0

    def further(self, places: Sequence[Place], tuned: bool = False) -> float:
        return 0.0

    def end(self, places: Sequence[Place]) -> float:
        return 0.0

    def together(self, seconds: float, most: float = inf) -> float:
        return seconds

    def wh(self, seconds: float) -> float | None:
        return None
