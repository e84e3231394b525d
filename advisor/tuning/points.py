"""Which trials become points of the front: those that are measured with all seeds on the report rows.

The selection rows alone choose them. The report rows are looked at once for each, and for at most seven of a search's
goals and budget: among many recipes one would meet the goals there by luck.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from advisor.records.results import Measured
from advisor.records.search import SearchResult, Trial
from advisor.tuning import progress
from advisor.tuning.front import MOST_POINTS, Measure, front, thinned
from advisor.tuning.goals import Goals, shortfall


def order(record: SearchResult, goals: Goals, objective: str) -> list[int]:
    """Trials that are to be measured, at most seven: those first that miss the goals least, then the cheapest."""
    best, room = _best(record, goals, objective), MOST_POINTS - len(record.looked)
    seen = _seen(record) & set(best)
    missed = {number: most_missed(record.trials[number], goals) for number in best}
    first = sorted(set(best) - seen, key=lambda number: (max(0.0, missed[number]), best[number].cost, number))
    kept = thinned(best, [*seen, *first[:1]], room + len(seen)) if room > 0 else []
    return [number for number in first if number in kept]


def candidate(record: SearchResult, goals: Goals, objective: str) -> Trial | None:
    """The trial that meets all goals by most, as far as its seeds were trained, and that may be measured now.

    None where there is none, and with a goal of accuracy alone: there is always something greener to look for.
    """
    if set(goals) <= {"relative_accuracy"} or len(record.looked) >= MOST_POINTS:
        return None
    left = [record.trials[number] for number in _best(record, goals, objective) if number not in _seen(record)]
    meeting = [one for one in left if most_missed(one, goals) <= 0]
    return min(meeting, key=lambda one: (most_missed(one, goals), one.number), default=None)


def _seen(record: SearchResult) -> set[int]:
    return {*record.looked, *(point.trial for point in record.front)}


def _best(record: SearchResult, goals: Goals, objective: str) -> Mapping[int, Measure]:
    """The front of all trials, and that of the trials that meet the goals: those that beat these may miss a goal."""
    found = progress.measures(record.trials, objective)
    meeting = {number: one for number, one in found.items() if most_missed(record.trials[number], goals) <= 0}
    best = {number: found[number] for number in sorted({*record.frontier, *front(meeting)} & set(found))}
    return {number: one for number, one in best.items() if one.cost < 1} or best  # the baseline is no discovery


def most_missed(trial: Trial, goals: Goals) -> float:
    """By how much the goals are missed together by the worst seed; where all are met, the nearest one, at most 0."""
    return max(missing(numbers, goals) or _nearest(numbers, goals) for numbers in progress.by_seed(trial))


def missing(numbers: Mapping[str, Measured], goals: Goals) -> float:
    """How far the goals are missed together; 0 where all are met, infinite where one was not measured."""
    return sum(max(0.0, one) for one in _short(numbers, goals))


def _nearest(numbers: Mapping[str, Measured], goals: Goals) -> float:
    return max(_short(numbers, goals), default=0.0)


def _short(numbers: Mapping[str, Measured], goals: Goals) -> list[float]:
    found = [shortfall(name, bound, numbers[name]) for name, bound in goals.items()]
    return [math.inf if one is None else one for one in found]
