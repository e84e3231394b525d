"""The rest of a budget, and what it suffices for by the forecast: the end of the search is kept back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from advisor.records.search import RUNGS, Trial
from advisor.tuning.costs import SEEDS
from advisor.tuning.parts import Parts, Search
from advisor.tuning.points import order
from advisor.tuning.space import Place


def left(search: Search) -> float:
    """The share of the budget that is left."""
    return search.parts.budget.left(search.wall(), search.record.spent, len(search.record.trials))


def takes(parts: Parts, made: float, measured: float = 0.0, most: float = math.inf) -> float:
    """The share of the budget that some work will use up.

    made: seconds of steps, of which workers make so many at the same time, at most; measured: seconds in which nothing
    else is done.
    """
    clock = parts.estimates.together(made, most) + measured
    return parts.budget.takes(clock, parts.estimates.wh(made + measured))


def of_points(search: Search, numbers: Sequence[int]) -> float:
    """The share that training these trials with the other seeds will use up, and measuring all seeds."""
    trials, estimates = search.record.trials, search.parts.estimates
    unmade = [search.places[number] for number in numbers if not trials[number].further]
    tuned = any(one.further for one in trials)
    measured = estimates.end([search.places[number] for number in numbers])
    return takes(search.parts, estimates.further(unmade, tuned), measured, (SEEDS - 1) * len(unmade))


def affordable(search: Search, going: Sequence[Trial], share: str) -> list[Trial]:
    """Those that the rest suffices for on a rung, the first ones first; trial 0 goes on whatever it takes."""
    if search.parts.budget.trials is not None:
        return list(going)
    free, found = _free(search), []
    for trial in going:
        free -= _of_trial(search.parts, search.places[trial.number], share)
        if free >= 0 or trial.number == 0:
            found.append(trial)
    return found


def is_spent(search: Search) -> bool:
    """Whether the end of the search leaves no more of the budget than the shortest trial takes."""
    ended = [one.choices for one in search.record.trials if one.status in ("measured", "failed")]
    more = [place for place in search.parts.space.places if place.choices not in ended]
    return _free(search) - min((_of_trial(search.parts, place) for place in more), default=0.0) <= 0


def _free(search: Search) -> float:
    """The share that is left for trials."""
    record, parts = search.record, search.parts
    points = order(record, parts.goals, parts.objective)
    first = [] if points or record.front or not record.trials else [0]
    return left(search) - of_points(search, points or first)


def _of_trial(parts: Parts, place: Place, share: str = RUNGS[-1]) -> float:
    """The share that a trial uses up on a rung; on the last one it is measured, too."""
    training = parts.estimates.trial(place) * float(Fraction(share))
    return takes(parts, training, parts.estimates.measured(place) if share == RUNGS[-1] else 0.0)
