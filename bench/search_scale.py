"""How the wall time of a search falls with 1 to 64 workers, and what limits it: a simulation with recorded times.

Command: python bench/search_scale.py [--trials 60], with the options of bench/search.py that name its table. Driver,
rungs and sampler are the real ones; only the clock is simulated. A step that the table lacks takes the median
of recorded ones: of the same kind, share of the training and number of layers, or of the first two. Trials are measured
one after another, while nothing else runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from replay import Clock, Free, Instruments, Leaf, Made, NoEnd, Workers
from search_table import Line, options, subject

from advisor.api.orders import libraries
from advisor.facts.facts import Goal
from advisor.recipe.recipe import Recipe, to_aims
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.records.search import SearchResult
from advisor.tuning.budget import parse
from advisor.tuning.driver import Driver
from advisor.tuning.parts import Parts
from advisor.tuning.space import Space
from advisor.tuning.tree import Node

WORKERS = (1, 2, 4, 8, 16, 32, 64)


class Recorded:
    """Medians of what a table holds, for recipes that are like those in it."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.values: dict[tuple[str, Hashable], list[float]] = defaultdict(list)
        for one in (one for one in lines if one["kind"] == "node"):
            kind, share, layers = one["step"], one["share"], one["layers"]
            for key in ((kind, share, layers), (kind, share), kind):
                self.values["seconds", key].append(one["seconds"])
            for key in ((share, layers), share):
                self.values["kept", key].append(one["kept"][0])
        for one in (one for one in lines if one["kind"] == "leaf" and one["time"][0] is not None):
            for key in ((one["layers"], one["int8"]), one["int8"], ""):
                self.values["time", key].append(one["time"][0])
            self.values["measuring", ""].append(one["seconds"])

    def of(self, what: str, *keys: Hashable) -> float:
        """The median of the first of these keys that the table has."""
        return next(median(self.values[what, key]) for key in keys if (what, key) in self.values)

    def known(self, space: Space) -> Space:
        """The space without recipes of which no such step was recorded."""
        kinds = {key for what, key in self.values if what == "seconds" and isinstance(key, str)}
        places = tuple(one for one in space.places if set(one.recipe.step_names) <= kinds)
        return space._replace(places=places, seeds=tuple(one for one in space.seeds if one in places))

    def made(self, node: Node) -> Made:
        """What making a node takes."""
        kind, share, layers = node.recipe.steps[-1].name, trained(node), left(node.recipe)
        kept = self.of("kept", (share, layers), share, "1")
        return Made(self.of("seconds", (kind, share, layers), (kind, share), kind), kept, 1 - kept)

    def leaf(self, recipe: Recipe) -> Leaf:
        """What measuring a recipe takes and finds."""
        layers, int8 = left(recipe), recipe.step("quantization") is not None
        kept = self.of("kept", ("1", layers), "1")
        return Leaf(kept, self.of("time", (layers, int8), int8, ""), None, 0.0, self.of("measuring", ""))


def trained(node: Node) -> str:
    """The share of the training that a node stands for; nothing but distilling steps is shortened."""
    return str(node.share) if any(step.distils for step in node.recipe.steps) else "0"


def left(recipe: Recipe) -> int | None:
    """The layers that stay; None: all."""
    step = recipe.step("layer_removal")
    return step.keep if isinstance(step, LayerRemoval) and isinstance(step.keep, int) else None


class Simulated(NamedTuple):
    """A search with so many workers, in seconds. busy: of all workers; longest: of one node; measuring: serial."""

    workers: int
    wall: float
    busy: float
    longest: float
    measuring: float
    trials: int

    @property
    def idle(self) -> float:
        """The share of the workers' time in which they wait: for a parent, for the end of a rung, for measuring."""
        return 1 - self.busy / (self.workers * self.wall)


def simulated(space: Space, recorded: Recorded, workers: int, trials: int) -> Simulated:
    """One search in simulated time."""
    clock = Clock()
    carrier, instruments = Workers(recorded.made, clock, workers), Instruments(recorded.leaf, clock)
    budget = parse(f"{trials}trials")
    parts = Parts(
        space, to_aims(Goal(0.95)).bounds(), budget, carrier, instruments, NoEnd(), Free(), lambda _: None, "time",
        "tpe", clock,  # type: ignore[arg-type]
    )  # fmt: skip
    record = SearchResult("", "", "cpu", {}, dict(space.axes), budget.text, "")
    for event in Driver(parts, record).run():
        record = event if isinstance(event, SearchResult) else record
    return Simulated(workers, clock.now, carrier.busy, carrier.longest, instruments.seconds, len(record.trials))


def rows(found: Sequence[Simulated]) -> list[str]:
    """The table of the README."""
    one = found[0].wall
    head = [
        "| workers | wall | against one | measuring, serial | workers wait |",
        "| --- | --- | --- | --- | --- |",
    ]
    return head + [
        f"| {each.workers} | {each.wall:,.0f} s | {one / each.wall:.2f} | {each.measuring / each.wall:.0%} | "
        f"{each.idle:.0%} |"
        for each in found
    ]


def main() -> None:
    made = options(__doc__)
    made.add_argument("--trials", type=int, default=60)
    made.add_argument("--table", type=Path, help="take the times from this table, not from the one of the options")
    given = made.parse_args()
    with libraries("bench/search_scale.py"):
        about = subject(given)
        recorded = Recorded(about._replace(file=given.table).lines if given.table else about.lines)
        space = recorded.known(about.whole)
        found = [simulated(space, recorded, workers, given.trials) for workers in WORKERS]
    print(f"{len(space.places)} of {len(about.whole.places)} recipes are of kinds of steps that were recorded")
    print(f"{found[0].trials} trials, work {found[0].busy:,.0f} s, longest node {found[0].longest:,.0f} s")
    print("\n".join(rows(found)))


if __name__ == "__main__":
    main()
