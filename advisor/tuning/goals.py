"""Goals as constraints: met only where the nearer end of a measurement's interval meets them."""

from __future__ import annotations

from collections.abc import Mapping

from advisor.base.interval import Interval
from advisor.recipe.recipe import AS_BOUND
from advisor.records.results import Measured

Goals = Mapping[str, Interval]  # by name, as in a recipe's goal


def shortfall(name: str, bound: Interval, found: Measured) -> float | None:
    """How far the worse end of an interval misses a goal, as a share of the bound; at most 0 where it is met.

    None where nothing was measured. Example: 0.93 to 0.99 where 0.95 is wanted misses it by 0.02 / 0.95.
    """
    end = worse_end(name, found)
    if end is None:
        return None
    wanted = limit(name, bound)
    return (wanted - end if AS_BOUND[name] == ">=" else end - wanted) / wanted


def limit(name: str, bound: Interval) -> float:
    """The bound as a number."""
    return float((bound.low if AS_BOUND[name] == ">=" else bound.high) or 0)


def worse_end(name: str, found: Measured) -> float | None:
    """The end of an interval that speaks against a model; the value itself where there is no interval."""
    if found.value is None:
        return None
    low, high = found.interval or (found.value, found.value)
    return low if AS_BOUND[name] == ">=" else high


def shortfalls(goals: Goals, found: Mapping[str, Measured]) -> dict[str, float | None]:
    """How far each goal is missed."""
    return {name: shortfall(name, bound, found[name]) for name, bound in goals.items()}


def meets(goals: Goals, found: Mapping[str, Measured]) -> dict[str, bool]:
    """Which goals are met for certain. What was not measured meets nothing."""
    return {name: short is not None and short <= 0 for name, short in shortfalls(goals, found).items()}
