"""Replays of searches over literal tables: steps that are shared cost once, and areas are what one computes by hand."""

from __future__ import annotations

import math

import pytest
from replay import Clock, Instruments, Leaf, Made, Seen, Table, Workers, area, at_random, cheapest, one_by_one, reached

from advisor.recipe.reader import loads
from advisor.recipe.recipe import Recipe
from advisor.tuning.front import Measure
from advisor.tuning.tree import Node, path


def recipe(keep: int) -> Recipe:
    steps = f"[finetune: {{epochs: 3}}, layer_removal: {{keep: {keep}}}, distillation: {{epochs: 3}}]"
    return loads(f"version: 1\nname: r\nmodel: {{source: bert-base-uncased}}\ndevice: cpu\nsteps: {steps}\n")[0]


NODES = [Node(recipe(keep)) for keep in (4, 3, 2)]
MADE = {one.name: Made(10.0 * len(one.recipe.steps), 0.9) for node in NODES for one in path(node)}
LEAVES = dict(zip([node.name for node in NODES], [Leaf(0.9, 0.5, None, 1.0, 5.0), Leaf(0.8, 0.25, None, 1.0, 5.0),
                                                  Leaf(0.7, None, None, 1.0, 5.0)], strict=True))  # fmt: skip
TABLE = Table(MADE, LEAVES)


def test_shared_steps_cost_once_and_a_leaf_without_a_cost_is_no_result() -> None:
    seen = list(one_by_one(TABLE, NODES))
    assert seen == [Seen(10 + 20 + 30 + 5, Measure(0.9, 0.5)), Seen(65 + 20 + 30 + 5, Measure(0.8, 0.25))]


def test_areas_grow_with_time_as_computed_by_hand() -> None:
    seen = list(one_by_one(TABLE, NODES))
    first = 0.9 * math.log(2)
    whole = 0.8 * math.log(4) + 0.1 * math.log(2)
    assert [area(seen, seconds) for seconds in (64, 65, 119, 120)] == pytest.approx([0, first, first, whole])
    assert (reached(seen, first), reached(seen, whole), reached(seen, 9.0)) == (65, 120, None)
    assert (cheapest(seen, 0.85), cheapest(seen, 0.8), cheapest(seen, 0.95)) == (0.5, 0.25, None)


def test_an_order_for_each_seed_holds_all() -> None:
    assert at_random(NODES, 3) == at_random(NODES, 3)
    assert {node.name for node in at_random(NODES, 5)} == set(LEAVES)


@pytest.mark.parametrize(("workers", "wall"), [(1, 160.0), (2, 100.0), (3, 60.0)])
def test_workers_at_the_same_time(workers: int, wall: float) -> None:
    clock = Clock()
    carrier = Workers(lambda node: MADE[node.name], clock, workers)
    ended, waiting, working = [], list(NODES), 0
    while waiting or working:
        while waiting and working < workers:
            carrier.start(waiting.pop(0))
            working += 1
        ended.append(carrier.next()[0])
        working -= 1
    assert {node.name for node in ended} == set(LEAVES)
    assert (clock.now, carrier.busy, carrier.longest) == (wall, 160.0, 60.0)


def test_measuring_takes_its_time() -> None:
    clock = Clock()
    instruments = Instruments(lambda found: LEAVES[Node(found).name], clock)
    assert instruments.trial(0, recipe(4)).time.value == 0.5
    assert instruments.trial(1, recipe(2)).time.why_not == "not in the table"
    assert (clock.now, instruments.seconds, len(instruments.seen)) == (10.0, 10.0, 1)
