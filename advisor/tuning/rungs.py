"""Rungs: no training, a ninth, a third, all of it. Which trials are worth the next rung, and how far rungs agree.

Trials are compared within their level only: a first look is kinder to mild cuts. The best of each level always goes on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, groupby
from typing import NamedTuple

from advisor.records.search import RUNGS, Agreement
from advisor.tuning.front import Measure, ranks

SHARE, WIDER = 1 / 3, 2 / 3  # of a level's trials at a rung that go on; the second where rungs disagree
ENOUGH = 0.5  # Kendall's tau between a ninth and all of the steps from which a look is trusted
FEWEST = 3  # trials whose order says anything


class Look(NamedTuple):
    """A trial at a rung. quality: higher is better. cost: expected share of the baseline's emissions."""

    number: int
    level: str
    quality: float
    cost: float


def promoted(looks: Sequence[Look], share: float = SHARE) -> set[int]:
    """The trials that go on to the next rung: of each level this share, rounded up, by Pareto rank, then by quality."""
    found: set[int] = set()
    for _, own in groupby(sorted(looks, key=lambda look: look.level), key=lambda look: look.level):
        level = list(own)
        rank = ranks([Measure(look.quality, look.cost) for look in level])
        order = sorted(range(len(level)), key=lambda at: (rank[at], -level[at].quality, level[at].number))
        found |= {level[at].number for at in order[: math.ceil(share * len(level) - 1e-9)]}
    return found


def agreement(looks: Mapping[str, Sequence[Look]]) -> tuple[Agreement, ...]:
    """How each rung orders the trials of a level beside the last one. looks: by rung."""
    last = RUNGS[-1]
    return tuple(_agreement(lower, looks.get(lower, ()), last, looks.get(last, ())) for lower in RUNGS[:-1])


def _agreement(lower: str, ones: Iterable[Look], higher: str, others: Iterable[Look]) -> Agreement:
    after = {look.number: look for look in others}
    both = [(look, after[look.number]) for look in ones if look.number in after]
    return Agreement(lower, higher, kendall(both) if len(both) >= FEWEST else None, len(both))


def kendall(both: Sequence[tuple[Look, Look]]) -> float | None:
    """Kendall's tau over the pairs of trials of one level: 1 for the same order, -1 for the reverse.

    A pair that is equal in one of the two orders counts for neither. None where all are: they say nothing.
    """
    pairs = [(one, other) for one, other in combinations(both, 2) if one[0].level == other[0].level]
    signs = [_sign(a[0], b[0]) * _sign(a[1], b[1]) for a, b in pairs]
    return sum(signs) / len(signs) if any(signs) else None


def _sign(one: Look, other: Look) -> int:
    return (one.quality > other.quality) - (one.quality < other.quality)


def share_for(found: Sequence[Agreement]) -> float:
    """The share of a level's trials that goes on: more where a ninth of the steps says little of all of them."""
    tau = next((one.tau for one in found if one.lower == RUNGS[1]), None)
    return WIDER if tau is not None and tau < ENOUGH else SHARE
