"""Conflicts: rules that apply at the same time and that no recipe can obey together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any

from advisor.base.interval import Interval
from advisor.policy.effects import Atom, atoms
from advisor.policy.rule import Rule
from advisor.policy.view import RECIPE_STEPS
from advisor.proofs.claims import Counter, Refutation, together
from advisor.proofs.space import describe
from advisor.recipe.steps import STEPS


def conflicts(rules: Sequence[Rule], count: Counter) -> Iterator[Refutation]:
    """Rules that no recipe can obey together. Pairs are enough for intervals, not for allowed values and orders."""
    for one, other in combinations(rules, 2):
        clashes = [text for first in atoms(one) for second in atoms(other) if (text := _clash(first, second))]
        if clashes and (view := together([one, other], count)):
            yield Refutation((one.id, other.id), "; ".join(clashes), describe(view))
    for rule in rules:
        clashes = [text for first, second in combinations(atoms(rule), 2) if (text := _clash(first, second))]
        if clashes:
            yield Refutation((rule.id,), "; ".join(clashes), "wherever it applies")
    yield from _nothing_allowed(rules, count)
    yield from _circles(rules, count)


def _clash(one: Atom, other: Atom) -> str:
    """Why no recipe can obey both; empty where one can."""
    kinds, same = {one.kind, other.kind}, one.target == other.target
    if same and kinds == {"forbid", "require"}:
        return f"{one.target} is required and forbidden"
    if same and kinds == {"limit"} and not one.value.meets(other.value):
        return f"{one.target} must be {one.value} and {other.value}"
    if same and kinds == {"prefer"} and one.value != other.value:
        return f"{one.target} is preferred as {one.value!r} and as {other.value!r}"
    if same and kinds == {"limit", "allow_only"}:
        limit, allowed = (one, other) if one.kind == "limit" else (other, one)
        return "" if any(_fits(limit.value, value) for value in allowed.value) else _neither(limit, allowed)
    if same and "prefer" in kinds and len(kinds) == 2:
        wish, bound = (one, other) if one.kind == "prefer" else (other, one)
        fits = _fits(bound.value, wish.value) if bound.kind == "limit" else wish.value in bound.value
        return "" if fits else f"{wish.target} is preferred as {wish.value!r}, which the other rules out"
    return ""


def _neither(limit: Atom, allowed: Atom) -> str:
    return f"{limit.target} must be {limit.value} and one of {', '.join(map(str, allowed.value))}"


def _fits(interval: Interval, value: Any) -> bool:
    return isinstance(value, int | float) and interval.holds(value)


def _nothing_allowed(rules: Sequence[Rule], count: Counter) -> Iterator[Refutation]:
    for target in {atom.target for rule in rules for atom in atoms(rule) if atom.kind == "allow_only"}:
        mine = [(rule, atom) for rule in rules for atom in atoms(rule) if atom[:2] == ("allow_only", target)]
        for view in count.over(rule.when for rule, _ in mine):
            now = [(rule, atom) for rule, atom in mine if rule.when.truth(view)]
            if now and not set.intersection(*(set(atom.value) for _, atom in now)):
                yield Refutation(tuple(rule.id for rule, _ in now), f"no value of {target} is left", describe(view))
                break


def _circles(rules: Sequence[Rule], count: Counter) -> Iterator[Refutation]:
    """Orders that bite their own tail. One rule after another is dropped, so that only those in the circle are told."""
    pairs = {rule: rule.then.order for rule in rules if rule.then.order}
    if not _circular(pair for each in pairs.values() for pair in each):
        return  # all orders together are possible, so they are wherever some of them apply
    for view in count.over(rule.when for rule in pairs):
        steps = view.get(RECIPE_STEPS)[1]
        there = steps if isinstance(steps, frozenset) else frozenset(STEPS)
        now = {rule: each for rule, each in pairs.items() if rule.when.truth(view)}
        if _circular(pair for each in now.values() for pair in each if there.issuperset(pair)):
            for rule in list(now):
                rest = {other: each for other, each in now.items() if other != rule}
                if _circular(pair for each in rest.values() for pair in each if there.issuperset(pair)):
                    now = rest
            yield Refutation(tuple(rule.id for rule in now), "these orders go in a circle", describe(view))
            return


def _circular(pairs: Iterable[tuple[str, str]]) -> bool:
    left = set(pairs)
    while left:
        ends = {later for _, later in left} - {first for first, _ in left}
        if not ends:
            return True
        left = {pair for pair in left if pair[1] not in ends}
    return False
