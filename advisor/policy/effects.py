"""Effects: what rules do, one by one, and which of them includes which."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from advisor.facts.facts import declared
from advisor.policy.rule import Rule
from advisor.policy.view import META

SEVERITIES = ("error", "warning", "note")


class Atom(NamedTuple):
    """One effect of a rule on one step or setting. `value`: the interval, the allowed or the preferred value."""

    kind: str
    target: str
    value: Any = None

    def implies(self, other: Atom) -> bool:
        """Does whoever obeys this one obey the other too?"""
        if (self.kind, self.target) != (other.kind, other.target):
            return False
        if self.kind == "limit":
            return bool(self.value.within(other.value))
        if self.kind == "allow_only":
            return set(self.value) <= set(other.value)
        return bool(self.value == other.value)


@cache
def atoms(rule: Rule) -> tuple[Atom, ...]:
    """The effects of a rule that a recipe can obey, one by one; a warning is none of them."""
    then = rule.then
    found = [Atom("deny", "the recipe")] if then.deny else []
    found += [Atom("forbid", step) for step in then.forbid] + [Atom("require", step) for step in then.require]
    found += [Atom("limit", name, interval) for name, interval in rule.limits.items()]
    found += [Atom("allow_only", name, tuple(values)) for name, values in (then.allow_only or {}).items()]
    found += [Atom("order", " before ".join(pair), pair) for pair in then.order]
    return (*found, *(Atom("prefer", name, value) for name, value in (then.prefer or {}).items()))


def effects(rule: Rule) -> tuple[Atom, ...]:
    """All effects of a rule, its warning among them."""
    return (*atoms(rule), *([Atom("warn", rule.then.warn)] if rule.then.warn else []))


def denies_facts(rule: Rule) -> bool:
    """Does a rule deny all recipes for some facts, whatever is in them?"""
    names = rule.when.names()
    return rule.severity == "error" and bool(rule.then.deny) and all(map(is_fact, names))


def is_fact(name: str) -> bool:
    """Is it a fact, or a key of `meta`, and no part of what is done to the model?"""
    return name in declared() or name.startswith(META)
