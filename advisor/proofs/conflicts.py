"""Conflicts: rules that apply at the same time and that no recipe can obey together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from typing import Any

from advisor.policy.effects import Atom, atoms
from advisor.policy.rule import Rule
from advisor.proofs.claims import Asking, Found, Refutation, Undecided, apply, witness
from advisor.proofs.formula import all_of, any_of
from advisor.proofs.situations import Situation
from advisor.proofs.translation import ONE, bounds, within
from advisor.proofs.variables import ABSENT
from advisor.recipe.steps import STEPS


def conflicts(ask: Asking) -> Iterator[Found]:
    """Rules that no recipe can obey together: pairs, bounds that leave no value, and orders in a circle."""
    for rule in ask.rules:
        clashes = [text for first, second in combinations(atoms(rule), 2) if (text := _clash(first, second))]
        if clashes:
            yield Refutation((rule.id,), "; ".join(clashes), "wherever it applies")
    for one, other in combinations(ask.rules, 2):
        clashing = [(first, text) for first in atoms(one) for second in atoms(other) if (text := _clash(first, second))]
        if clashing:
            yield from _pair(ask, (one, other), clashing)
    for key in dict.fromkeys(ask.known.key[bound.target] for rule in ask.rules for bound in bounds(rule)):
        yield from _no_value(ask, key)
    yield from _circles(ask)


def _pair(ask: Asking, pair: Sequence[Rule], clashing: Sequence[tuple[Atom, str]]) -> Iterator[Found]:
    """Two rules that clash, where they apply to a recipe that has the step that they are about."""
    atom = clashing[0][0]
    step = atom.target.split(".")[0]
    about = [ask.known.has(step, ONE)] if step in STEPS and atom.kind not in ("forbid", "require") else []
    cells = ask.together(pair, *about)
    if cells is None:
        return
    message = "; ".join(dict.fromkeys(text for _, text in clashing))
    yield _found(ask.real(cells, apply(pair)), pair, message)


def _found(situation: Situation | None, rules: Sequence[Rule], message: str) -> Found:
    names = tuple(rule.id for rule in rules)
    if situation is None:
        return Undecided(names, f"{message}, if a model and a recipe exist to which they apply together")
    return Refutation(names, message, witness(situation, rules), situation)


def _clash(one: Atom, other: Atom) -> str:
    """Why no recipe can obey both, for effects of which pairs are enough; empty where one can."""
    kinds = {one.kind, other.kind}
    if one.target != other.target:
        return ""
    if kinds == {"forbid", "require"}:
        return f"{one.target} is required and forbidden"
    if kinds == {"prefer"} and one.value != other.value:
        return f"{one.target} is preferred as {one.value!r} and as {other.value!r}"
    if "prefer" in kinds and kinds & {"limit", "allow_only"}:
        wish, bound = (one, other) if one.kind == "prefer" else (other, one)
        fits = within(bound, wish.value)
        return "" if fits else f"{wish.target} is preferred as {wish.value!r}, which the other rules out"
    return ""


def _no_value(ask: Asking, key: str) -> Iterator[Found]:
    """Bounds on the same setting, or on shares of the same layers, that leave no value of it."""
    variable = ask.known.variables[key]
    mine = [(rule, bound) for rule in ask.rules for bound in bounds(rule) if ask.known.key[bound.target] == key]
    rows = [dict(zip(variable.names, row, strict=True)) for row in variable.rows]
    rows = [row for row in rows if ABSENT not in row.values()]

    def excluded(chosen: Sequence[tuple[Rule, Atom]]) -> bool:
        return all(any(not within(bound, row[bound.target]) for _, bound in chosen) for row in rows)

    if not excluded(mine):
        return  # all together leave some value, so they do wherever some of them apply
    about = [ask.known.has(key.split(".", maxsplit=1)[0], ONE)] if key.split(".", maxsplit=1)[0] in STEPS else []
    surely = {rule.id: ask.known.truth(rule.when, surely=True) for rule, _ in mine}
    left = (any_of(surely[rule.id] for rule, bound in mine if not within(bound, row[bound.target])) for row in rows)
    cells = ask.cells([*left, *about])
    if cells is None:
        return

    def empty(situation_view: Any) -> bool:
        return excluded([(rule, bound) for rule, bound in mine if rule.when.truth(situation_view) is True])

    situation = ask.real(cells, empty)
    if situation is None:
        rules = tuple(dict.fromkeys(rule.id for rule, _ in mine))
        yield Undecided(rules, f"no value of {key} may be left, if a model exists to which they apply together")
        return
    now = [(rule, bound) for rule, bound in mine if rule.when.truth(situation.view) is True]
    for one in list(now):
        rest = [other for other in now if other is not one]
        now = rest if excluded(rest) else now
    yield _found(situation, list(dict.fromkeys(rule for rule, _ in now)), _words(key, [bound for _, bound in now]))


def _words(key: str, bounds_: Sequence[Atom]) -> str:
    told = " and ".join(f"{bound.target} {_bound(bound)}" for bound in bounds_)
    return f"no value of {key} is left: {told}" if told else f"no value of {key} is left"


def _bound(bound: Atom) -> str:
    return str(bound.value) if bound.kind == "limit" else f"one of {', '.join(map(str, bound.value))}"


def _circles(ask: Asking) -> Iterator[Found]:
    """Orders that bite their own tail, the shortest circle first."""
    ordering = {
        pair: [rule for rule in ask.rules if pair in rule.then.order] for rule in ask.rules for pair in rule.then.order
    }
    steps = list(dict.fromkeys(step for pair in ordering for step in pair))
    for size in range(1, len(steps) + 1):
        for circle in permutations(steps, size):
            pairs = list(zip(circle, (*circle[1:], circle[0]), strict=True))
            if circle[0] != min(circle) or not all(pair in ordering for pair in pairs):
                continue
            there = all_of(ask.known.has(step, ONE) for step in circle)
            links = (any_of(ask.known.truth(rule.when, surely=True) for rule in ordering[pair]) for pair in pairs)
            cells = ask.cells([there, *links])
            if cells is not None:
                yield _circle(ask, cells, [ordering[pair] for pair in pairs])
                return


def _circle(ask: Asking, cells: dict[str, int], links: Sequence[Sequence[Rule]]) -> Found:
    message = "these orders go in a circle"
    situation = ask.real(cells, lambda view: all(any(rule.when.truth(view) for rule in link) for link in links))
    if situation is None:
        return _found(None, [rule for link in links for rule in link], message)
    applying = [next(rule for rule in link if rule.when.truth(situation.view)) for link in links]
    return _found(situation, sorted(dict.fromkeys(applying), key=lambda rule: rule.id), message)
