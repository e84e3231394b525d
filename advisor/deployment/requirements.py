"""Demands: what a measured model has to show, by the recipe's gates and by the policy's, and whether it does.

A bound counts as shown only when the whole 95 % interval keeps it; an estimate that keeps it by itself is "not shown".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, NamedTuple

from advisor.base.interval import Interval
from advisor.base.rounding import beside, rounded
from advisor.facts.facts import Facts
from advisor.policy.pack import Policy
from advisor.policy.view import GATES, look
from advisor.recipe.recipe import Recipe
from advisor.records.results import Measured

State = Literal["passed", "missed", "not shown", "not measured"]


class Demand(NamedTuple):
    """A bound on a measured number. rule: the rule that demands it; empty for the recipe's own gate."""

    name: str
    bound: Interval
    rule: str = ""


class Verdict(NamedTuple):
    """Whether a demand is met. needed: about so many examples would show it; 0 where more would not help."""

    state: State
    words: str
    needed: int = 0


def demands(recipe: Recipe, policy: Policy, facts: Facts) -> Iterator[Demand]:
    """The recipe's gates, then those of every rule that applies. An undecided rule counts, as in review."""
    yield from (Demand(name, bound) for name, bound in recipe.gate_bounds().items())
    view = look(facts, recipe)
    for rule in policy.rules:
        limits = {name: bound for name, bound in rule.limits.items() if name in GATES}
        if limits and rule.when.truth(view) is not False:
            yield from (Demand(name.removeprefix("gates."), bound, rule.id) for name, bound in limits.items())


def verdict(bound: Interval, measured: Measured, examples: int) -> Verdict:
    """Judge a number by the end of its interval that lies nearest to the bound.

    Args:
        examples: the report rows behind the interval; 0 where it does not come from rows.
    """
    value = measured.value
    if value is None or not math.isfinite(value):
        return Verdict("not measured", f"not measured: {measured.why_not or 'no number'}")
    shown = beside(value, bound)
    if not bound.holds(value):
        return Verdict("missed", f"missed: {shown}, must be {bound}")
    weak = next((end for end in measured.interval or () if not bound.holds(end)), None)
    if weak is None:
        return Verdict("passed", f"{shown}, must be {bound}{_within(measured)}")
    needed = _needed(bound, value, weak, examples)
    many = f": about {needed:,} examples are needed, there are {examples:,}" if needed else ""
    side = "lower" if weak < value else "upper"
    words = f"not shown: {shown} keeps {bound}, but the {side} end of its 95 % interval is {beside(weak, bound)}{many}"
    return Verdict("not shown", words, needed)


def _within(measured: Measured) -> str:
    return f" (95 % interval {' to '.join(map(rounded, measured.interval))})" if measured.interval else ""


def _needed(bound: Interval, value: float, weak: float, examples: int) -> int:
    """Examples at which an interval of this shape would just reach the bound: its width shrinks with their root."""
    edge = bound.low if weak < value else bound.high
    room = abs(value - float(edge)) if edge is not None else 0.0
    if not room or not examples:
        return 0
    needed = examples * ((value - weak) / room) ** 2
    digits = 10 ** max(0, int(math.log10(needed)) - 1)
    return int(math.ceil(needed / digits) * digits)  # two digits: it is an estimate
