"""Differ: where one policy is stricter or looser than another, with a situation for each difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from advisor.policy.effects import SEVERITIES, Atom, atoms
from advisor.policy.pack import Policy
from advisor.policy.rule import Rule
from advisor.policy.view import View
from advisor.proofs.space import cells, describe


class Difference(NamedTuple):
    """What the new policy says otherwise than the old. kind: stricter, looser or other."""

    kind: str
    message: str
    rules: tuple[str, ...]
    witness: str


def differences(old: Policy, new: Policy) -> Iterator[Difference]:
    """Every effect in which the two differ somewhere; for each the first situation for each pair of rules at work."""
    targets = dict.fromkeys(
        atom[:2] for policy in (old, new) for rule in policy.rules for atom in atoms(rule) if atom.kind != "warn"
    )
    for kind, target in targets:
        yield from _at(kind, target, _having(old, kind, target), _having(new, kind, target))
    yield from _warnings(old, new)


def _having(policy: Policy, kind: str, target: str) -> list[tuple[Rule, Atom]]:
    return [(rule, atom) for rule in policy.rules for atom in atoms(rule) if atom[:2] == (kind, target)]


Effects = Sequence[tuple[Rule, Atom]]


def _at(kind: str, target: str, old: Effects, new: Effects) -> Iterator[Difference]:
    seen: set[tuple[str, tuple[str, ...], tuple[str, ...]]] = set()
    for view in cells(rule.when for rule, _ in (*old, *new)):
        before, after = _applying(old, view), _applying(new, view)
        less = [one for one in after if not _covered(one, before)]
        more = [one for one in before if not _covered(one, after)]
        label = "other" if less and more else "stricter" if less else "looser"
        key = (label, _ids(more), _ids(less))
        if (less or more) and key not in seen:
            seen.add(key)
            message = f"{kind} {target}: {_said(before)} before, {_said(after)} now"
            yield Difference(label, message, tuple(dict.fromkeys((*_ids(more), *_ids(less)))), describe(view))


def _applying(effects: Effects, view: View) -> list[tuple[Rule, Atom]]:
    """An undecided rule counts, as it does in every judgement."""
    return [(rule, atom) for rule, atom in effects if rule.when.truth(view) is not False]


def _covered(one: tuple[Rule, Atom], others: Effects) -> bool:
    rule, atom = one
    worst = SEVERITIES.index(rule.severity)
    return any(other.implies(atom) and SEVERITIES.index(by.severity) <= worst for by, other in others)


def _ids(effects: Effects) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rule.id for rule, _ in effects))


def _said(effects: Effects) -> str:
    return ", ".join(f"{_value(atom)} ({rule.severity}, {rule.id})" for rule, atom in effects) or "nothing"


def _value(atom: Atom) -> str:
    said: dict[str, Any] = {"forbid": "forbidden", "require": "required", "order": "ordered"}
    return str(said.get(atom.kind, atom.value))


def _warnings(old: Policy, new: Policy) -> Iterator[Difference]:
    """Rules that only warn or document are named by their ids."""
    before, after = ({rule.id: rule for rule in policy.rules if not atoms(rule)} for policy in (old, new))
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            kind, message = ("stricter", "new") if one is None else ("looser", "gone")
            rule = after[name] if one is None else one
            article = "an" if rule.severity == "error" else "a"
            yield Difference(kind, f"{article} {rule.severity} that is {message}", (name,), str(rule.when))
        elif (one.when, one.then.warn, one.severity) != (other.when, other.then.warn, other.severity):
            yield Difference("other", f"{one.severity} before, {other.severity} now", (name,), str(other.when))
