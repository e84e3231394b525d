"""Is searching worth it? Every recipe of a reduced space is measured once at every rung; then searches are replayed.

Command: python bench/search.py [--rows 10000] [--epochs 9] [--leaves 40] [--make | --time | --replay]

`--make` trains MiniLM's 6 layers (the extra [demo]) on SST-2 and fills the table of nodes; `--time` measures how each
leaf serves, and wants an idle machine; `--replay` compares, over many seeds: the search, random search, and Optuna's
sampler without rungs. All three without an option. What is in the table is not made again, so a killed command goes on.
About ten hours for 10,000 rows on two cores; minutes for some hundred rows. Results: bench/results/search-*.jsonl.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import log
from statistics import mean, median

from replay import (
    Clock,
    Free,
    Instruments,
    NoEnd,
    Seen,
    Table,
    Workers,
    area,
    at_random,
    cheapest,
    one_by_one,
    reached,
)
from search_table import make, options, subject, table, time, whole_node

from advisor.api.orders import libraries
from advisor.facts.facts import Goal
from advisor.recipe.recipe import to_aims
from advisor.records.search import SearchResult
from advisor.tuning.budget import parse
from advisor.tuning.driver import Driver
from advisor.tuning.parts import Parts
from advisor.tuning.proposals import Sampler, Told, propose
from advisor.tuning.space import Space
from advisor.tuning.tree import Node

SHARES = (0.25, 0.5, 0.75, 1.0)  # of the time that all leaves take, at which hypervolumes are compared


def searched(found: Table, space: Space, seed: int, sampler: Sampler) -> tuple[list[Seen], float]:
    """Our search over the table: what it measured and when, and when it ended."""
    clock = Clock()
    leaf_of = lambda recipe: found.leaves[Node(recipe).name]  # noqa: E731
    instruments = Instruments(leaf_of, clock)
    goal = to_aims(Goal(0.95))
    parts = Parts(
        space, goal.bounds(), parse("1000trials"), Workers(lambda node: found.nodes[node.name], clock), instruments,
        NoEnd(), Free(), lambda _: None, objective(found), sampler, clock,  # type: ignore[arg-type]
    )  # fmt: skip
    record = SearchResult("", "", "cpu", {}, dict(space.axes), "1000trials", "", seed)
    for _ in Driver(parts, record).run():
        pass
    return instruments.seen, clock.now


def objective(found: Table) -> str:
    """What accuracy is weighed against: emissions where all leaves have them."""
    return "emissions" if all(one.emissions is not None for one in found.leaves.values()) else "time"


def sampled(found: Table, space: Space, seed: int, sampler: Sampler) -> list[Seen]:
    """Optuna's sampler without rungs: each recipe that it proposes is trained to the end and measured."""
    told: list[Told] = []
    order: list[Node] = []
    for number in range(len(space.places)):
        (place,) = propose(space, told, [one.choices for one in told], 1, seed * 1000 + number, sampler)
        node = whole_node(place)
        leaf = found.leaves[node.name]
        values = None if leaf.cost is None else (leaf.kept, log(leaf.cost))
        told.append(Told(place.choices, values, {}))
        order.append(node)
    return list(one_by_one(found, order))


def replay(found: Table, space: Space, seeds: int, sampler: Sampler) -> Iterator[str]:
    """The comparison as lines of a table."""
    places = tuple(place for place in space.places if whole_node(place).name in found.leaves)
    space = space._replace(places=places, seeds=tuple(one for one in space.seeds if one in places))
    leaves = [whole_node(place) for place in places]
    ours = [searched(found, space, seed, sampler)[0] for seed in range(seeds)]
    ways: Mapping[str, list[list[Seen]]] = {
        "search": ours,
        "random": [list(one_by_one(found, at_random(leaves, seed))) for seed in range(seeds)],
        "Optuna's sampler, no rungs": [sampled(found, space, seed, sampler) for seed in range(seeds)],
    }
    total = max(one[-1].seconds for one in ways["random"])
    best = area(ways["random"][0], total)
    yield f"{len(leaves)} leaves, {len(found.nodes)} nodes; all of them one by one: {total:,.0f} s; {seeds} seeds"
    yield f"| way | {' | '.join(f'{share:.0%} of that time' for share in SHARES)} | 95 % of the area after |"
    for name, runs in ways.items():
        shares = [mean(area(run, share * total) for run in runs) / best for share in SHARES]
        times = [reached(run, 0.95 * best) for run in runs]
        there = [one for one in times if one is not None]
        after = f"{median(there):,.0f} s ({len(there)} of {len(runs)} seeds)" if there else "never"
        yield f"| {name} | {' | '.join(f'{share:.3f}' for share in shares)} | {after} |"
    yield from _against_advice(found, space, ours)


def _against_advice(found: Table, space: Space, ours: Sequence[Sequence[Seen]]) -> Iterator[str]:
    """How much cheaper than the advised recipe the search's best of the same accuracy is."""
    if not space.seeds:
        return
    advised = found.leaves[whole_node(space.seeds[0]).name]
    if advised.cost is None:
        return
    costs = [cost for run in ours if (cost := cheapest(run, advised.kept)) is not None]
    words = f"advised: keeps {advised.kept:.4f} at {advised.cost:.3f} of the {objective(found)}"
    yield f"{words}; the search's cheapest that keeps no less: {median(costs):.3f}"


def main() -> None:
    made = options(__doc__)
    made.add_argument("--seeds", type=int, default=50)
    made.add_argument("--sampler", choices=("gp", "tpe"), default="gp", help="Optuna's; gp takes a minute a seed")
    for what in ("make", "time", "replay"):
        made.add_argument(f"--{what}", action="store_true", help="only this part")
    given = made.parse_args()
    every = not (given.make or given.time or given.replay)
    with libraries("bench/search.py"):
        about = subject(given)
        if every or given.make:
            make(about)
        if every or given.time:
            time(about)
        if every or given.replay:
            for line in replay(table(about.lines), about.space, given.seeds, given.sampler):
                print(line)


if __name__ == "__main__":
    main()
