"""The front of a search: trials that no other one beats in both respects. Accuracy is to be high, the cost low.

Cost is a share of the baseline's; its logarithm counts, so that half of a half is worth as much as half of the whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

MOST_POINTS = 7


class Measure(NamedTuple):
    """kept: share of the baseline's accuracy. cost: share of its emissions, time or latency."""

    kept: float
    cost: float


def dominates(one: Measure, other: Measure) -> bool:
    """Whether one is at least as good in both respects and better in one."""
    return one.kept >= other.kept and one.cost <= other.cost and one != other


def front(found: Mapping[int, Measure]) -> list[int]:
    """The numbers of those that no other dominates, the cheapest first; of equal ones the first."""
    first: dict[Measure, int] = {}
    for number, one in sorted(found.items()):
        first.setdefault(one, number)
    best = {one: number for one, number in first.items() if not any(dominates(other, one) for other in first)}
    return [best[one] for one in sorted(best, key=lambda one: one.cost)]


def ranks(found: Sequence[Measure]) -> list[int]:
    """Of each its front: 0 for those that nothing dominates, 1 for those that only these dominate, and so on."""
    rank = dict.fromkeys(range(len(found)), 0)
    left, level = set(rank), 0
    while left:
        best = {one for one in left if not any(dominates(found[other], found[one]) for other in left)}
        rank.update(dict.fromkeys(best, level))
        left, level = left - best, level + 1
    return [rank[place] for place in range(len(found))]


def hypervolume(found: Sequence[Measure]) -> float:
    """The area of what is dominated between no accuracy at the baseline's cost and the points: 0 for the baseline."""
    area, reached = 0.0, 0.0
    for one in sorted(found, key=lambda one: (one.cost, -one.kept)):
        if one.kept > reached and 0 < one.cost < 1:
            area += (one.kept - reached) * -math.log(one.cost)
            reached = one.kept
    return area


def thinned(found: Mapping[int, Measure], keep: Sequence[int], most: int = MOST_POINTS) -> list[int]:
    """At most so many points of a front: the ones go first without which the least area is lost; `keep` never goes."""
    left = dict(found)
    while len(left) > most and (free := [number for number in left if number not in keep]):
        least = min(free, key=lambda number: _lost(left, number))
        del left[least]
    return sorted(left, key=lambda number: left[number].cost)


def _lost(found: Mapping[int, Measure], number: int) -> float:
    return hypervolume(list(found.values())) - hypervolume([one for key, one in found.items() if key != number])
