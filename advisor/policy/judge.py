"""Judge a recipe by the rules: the same judgement serves advice, check and run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from advisor.base.errors import PolicyError
from advisor.base.interval import near
from advisor.facts.facts import Value
from advisor.policy.pack import Policy
from advisor.policy.rule import Rule
from advisor.policy.view import RECIPE_STEPS, REMOVED_SHARE, View, is_text

Path_ = tuple[str, ...]
ABSENT = "(not there)"  # no value of any fact or setting
MOST_REMEMBERED, MOST_POLICIES = 2_048, 16


class Violation(NamedTuple):
    """A rule that a recipe breaks. `at`: the part to blame, as step and setting, or the step that is missing.

    unknown: the facts without which the rule is undecided; then it counts as if it applied.
    """

    rule: Rule
    message: str
    at: Path_
    unknown: tuple[str, ...] = ()

    @property
    def undecided(self) -> bool:
        return bool(self.unknown)


def violations(policy: Policy, view: View) -> list[Violation]:
    """All that a recipe breaks. An undecided deny, forbid, require, limit or allow_only counts as if it applied."""
    look = view.values.get
    found: list[Violation] = []
    for rule, names, seen in _remembered(policy.rules):
        key = (view.order, *[look(name, ABSENT) for name in names])
        if key not in seen:
            if len(seen) >= MOST_REMEMBERED:
                seen.clear()
            seen[key] = tuple(broken(rule, view))
        found += seen[key]
    return found


Seen = dict[tuple[Any, ...], tuple[Violation, ...]]


def _remembered(rules: tuple[Rule, ...]) -> list[tuple[Rule, tuple[str, ...], Seen]]:
    """For each rule what it looks at, and what it said: many recipes differ only in what a rule does not look at."""
    known, memory = _MEMORY.get(id(rules), ((), []))
    if known is not rules:
        if len(_MEMORY) >= MOST_POLICIES:
            _MEMORY.clear()
        memory = [(rule, _names(rule), {}) for rule in rules]
        _MEMORY[id(rules)] = (rules, memory)
    return memory


_MEMORY: dict[int, tuple[tuple[Rule, ...], list[tuple[Rule, tuple[str, ...], Seen]]]] = {}


def _names(rule: Rule) -> tuple[str, ...]:
    """All facts and settings that a rule looks at, in its condition and in its effects."""
    return tuple(dict.fromkeys([*rule.when.names(), *(rule.then.limit or {}), *(rule.then.allow_only or {})]))


def broken(rule: Rule, view: View) -> Iterator[Violation]:
    """All in which a recipe breaks one rule."""
    truth = rule.when.truth(view)
    if truth is not False:
        unknown = _unknown(rule, view) if truth is None else ()
        yield from (Violation(rule, *wrong, unknown) for wrong in _hard(rule, view))
    if truth is True:
        yield from (Violation(rule, *wrong) for wrong in _soft(rule, view))


def _unknown(rule: Rule, view: View) -> tuple[str, ...]:
    return tuple(dict.fromkeys(test.name for test in rule.when.decisive(view) if test.truth(view) is None))


def _hard(rule: Rule, view: View) -> Iterator[tuple[str, Path_]]:
    then = rule.then
    if then.deny:
        yield then.deny, _denied(rule, view)
    for step in view.order:
        if step in then.forbid:
            yield f"{step} is forbidden: {situation(rule, view)}", (step,)
    for step in then.require:
        if step not in view.order:
            yield f"{step} is required: {situation(rule, view)}", (step,)
    yield from _out_of_bounds(rule, view)
    for name, allowed in (rule.then.allow_only or {}).items():
        there, value = view.get(name)
        if there and value not in allowed:
            yield f"{name} is {value!r}, only {' or '.join(map(repr, allowed))} is allowed", _at(name)


def _out_of_bounds(rule: Rule, view: View) -> Iterator[tuple[str, Path_]]:
    for name, interval in rule.limits.items():
        there, value = view.get(name)
        if there and value is None:
            yield f"{name} must be {interval}, and is unknown here", _at(name)
        elif there and not isinstance(value, int | float | Fraction):
            yield f"{name} must be {interval}, got {value!r}", _at(name)
        elif isinstance(value, int | float | Fraction) and not interval.holds(value):
            yield f"{name} is {near(value)}, must be {interval}: {situation(rule, view)}", _at(name)


def _soft(rule: Rule, view: View) -> Iterator[tuple[str, Path_]]:
    for first, later in rule.then.order:
        if first in view.order and later in view.order and view.order.index(first) > view.order.index(later):
            yield f"{first} must come before {later}", (first,)
    if rule.then.warn:
        yield rule.then.warn, _blamed(rule, view)


def _blamed(rule: Rule, view: View) -> Path_:
    """The step whose settings a warning is about, or the only one that it asks for; else what it says of the data."""
    names = list(rule.when.names())
    tested = [name.split(".")[0] for name in names]
    data = next((name for name in names if name.startswith("data.")), "")
    if data and not any(name == RECIPE_STEPS or name.split(".")[0] in view.order for name in names):
        return _at(data)
    only = [test.words[0] for test in rule.when.decisive(view) if test.name == RECIPE_STEPS and len(test.words) == 1]
    return tuple([str(step) for step in [*tested, *only] if step in view.order][:1])


def _denied(rule: Rule, view: View) -> Path_:
    """What a refusal of the whole recipe is about: the first fact or setting that decides it."""
    names = [test.name for test in rule.when.decisive(view) if test.name not in (RECIPE_STEPS, REMOVED_SHARE)]
    names.sort(key=lambda name: name.startswith("model.") and not is_text(name))  # nobody writes a config's sizes
    return _at(names[0]) if names else _blamed(rule, view)


def _at(name: str) -> Path_:
    return tuple(name.split("."))


def situation(rule: Rule, view: View) -> str:
    """The facts that make a rule apply, with their values, in words; the rule's title where no fact does."""
    parts = []
    for test in rule.when.decisive(view):
        if not test.name.startswith("recipe.") and not test.known:
            bound = f" ({test.interval or f'{test.sign} {test.other}'})" if test.interval or test.other else ""
            name = "device" if test.name == "device.kind" else test.name.split(".", 1)[1].replace("_", " ")
            parts.append(f"{name} {said(view.get(test.name)[1])}{bound}")
    return ", ".join(parts) or rule.title


def said(value: Value) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return near(value) if value not in (float("inf"),) else "not set"
    return ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)


def preferences(policy: Policy, view: View) -> dict[str, tuple[Any, str]]:
    """The preferred value of each setting and the rule that prefers it.

    Raises:
        PolicyError: two rules prefer different values.
    """
    found: dict[str, tuple[Any, str]] = {}
    for rule in _applying(policy.rules, view):
        for name, value in (rule.then.prefer or {}).items():
            other = found.setdefault(name, (value, rule.id))
            if other[0] != value:
                raise PolicyError(f"conflict: {rule.id} prefers {name} {value!r}, {other[1]} prefers {other[0]!r}")
    return found


def _applying(rules: Iterable[Rule], view: View) -> Iterator[Rule]:
    return (rule for rule in rules if rule.when.truth(view) is True)
