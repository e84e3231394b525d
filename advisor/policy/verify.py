"""Verify: prove things about a policy over the whole space of facts and sets of steps, or refute them with a witness.

Each claim looks at the cells of just those rules that meet in it; rules that share no effect cannot contradict or
replace one another, so leaving them out of the product loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import combinations, permutations
from typing import Any, NamedTuple

from advisor.errors import PolicyError
from advisor.facts import Value
from advisor.interval import Interval
from advisor.policy.conditions import Condition, Group, tests_of
from advisor.policy.pack import Policy
from advisor.policy.rule import Rule
from advisor.policy.space import DATA, Part, cells, describe, recipe_parts, split
from advisor.policy.view import RECIPE_STEPS, View
from advisor.steps import STEPS

SEVERITIES = ("error", "warning", "note")
AMOUNTS = ("data.eval_samples",)  # beside those that space takes together
STRICT = ("forbid", "require")
MOST_LOOKS = 3_000_000  # about half a minute; far beyond any pack that people can keep in mind
HARD = (*STRICT, "limit", "allow_only")


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


class Refutation(NamedTuple):
    """A claim that does not hold: the rules at fault, what they do, and a situation in which they do it."""

    rules: tuple[str, ...]
    message: str
    witness: str

    def __str__(self) -> str:
        return f"{', '.join(self.rules)}: {self.message}\n  for example: {self.witness}"


class Proof(NamedTuple):
    """A claim, how many cells it was looked at in, and what refutes it; proven when nothing does."""

    claim: str
    cells: int
    refutations: tuple[Refutation, ...]


@cache
def atoms(rule: Rule) -> tuple[Atom, ...]:
    """The effects of a rule, one by one. Warnings are told, not obeyed, so they are none."""
    then = rule.then
    found = [Atom("forbid", step) for step in then.forbid] + [Atom("require", step) for step in then.require]
    found += [Atom("limit", name, interval) for name, interval in rule.limits.items()]
    found += [Atom("allow_only", name, tuple(values)) for name, values in (then.allow_only or {}).items()]
    found += [Atom("order", " before ".join(pair), pair) for pair in then.order]
    return (*found, *(Atom("prefer", name, value) for name, value in (then.prefer or {}).items()))


def verify(policy: Policy) -> Iterator[Proof]:
    """Every claim that the rules alone decide, in turn."""
    for claim, look in CLAIMS.items():
        count = _Counter()
        found = tuple(dict.fromkeys(look(policy.rules, count)))
        yield Proof(claim, count.cells, found)


class _Counter:
    """Goes through cells and counts them."""

    def __init__(self) -> None:
        self.cells = 0

    def over(self, conditions: Iterable[Condition]) -> Iterator[View]:
        for view in cells(conditions):
            self.cells += 1
            if self.cells > MOST_LOOKS:
                raise PolicyError(f"not proven: more than {MOST_LOOKS:,} cells for one claim", hint="split the pack")
            yield view


def _together(rules: Sequence[Rule], count: _Counter) -> View | None:
    """A situation in which all of these rules apply."""
    conditions = [rule.when for rule in rules]
    return next((view for view in count.over(conditions) if all(one.truth(view) for one in conditions)), None)


def _conflicts(rules: Sequence[Rule], count: _Counter) -> Iterator[Refutation]:
    """Pairs are enough for intervals; sets of allowed values and orders are taken all together."""
    for one, other in combinations(rules, 2):
        clashes = [text for first in atoms(one) for second in atoms(other) if (text := _clash(first, second))]
        if clashes and (view := _together([one, other], count)):
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


def _nothing_allowed(rules: Sequence[Rule], count: _Counter) -> Iterator[Refutation]:
    for target in {atom.target for rule in rules for atom in atoms(rule) if atom.kind == "allow_only"}:
        mine = [(rule, atom) for rule in rules for atom in atoms(rule) if atom[:2] == ("allow_only", target)]
        for view in count.over(rule.when for rule, _ in mine):
            now = [(rule, atom) for rule, atom in mine if rule.when.truth(view)]
            if now and not set.intersection(*(set(atom.value) for _, atom in now)):
                yield Refutation(tuple(rule.id for rule, _ in now), f"no value of {target} is left", describe(view))
                break


def _circles(rules: Sequence[Rule], count: _Counter) -> Iterator[Refutation]:
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


def _admissible(rules: Sequence[Rule], count: _Counter) -> Iterator[Refutation]:
    """For all facts there has to be a recipe that no error rule refuses; fine-tuning alone is tried first."""
    errors = [rule for rule in rules if rule.severity == "error" and any(atom.kind in STRICT for atom in atoms(rule))]
    conditions = [rule.when for rule in errors]
    facts, _ = split(conditions)
    recipes = sorted(recipe_parts(tests_of(Group("all", tuple(conditions)))), key=_plain_first)
    for view in facts:
        count.cells += 1
        whole = [View({**view.values, **part}) for part in recipes]
        if not any(_obeyed(errors, one) for one in whole):
            blamed = tuple(rule.id for rule in errors if not all(_obeyed([rule], one) for one in whole))
            yield Refutation(blamed, "no set of steps is left", describe(view))
            return


def _plain_first(part: Part) -> tuple[bool, int]:
    return (part[RECIPE_STEPS] != frozenset({"finetune"}), len(part))


def _obeyed(rules: Sequence[Rule], view: View) -> bool:
    """Does a recipe obey what it must and must not contain? Bounds that contradict each other are conflicts."""
    steps = view.get(RECIPE_STEPS)[1]
    assert isinstance(steps, frozenset)
    return all(
        (atom.target in steps) == (atom.kind == "require") or rule.when.truth(view) is False
        for rule in rules
        for atom in atoms(rule)
        if atom.kind in STRICT
    )


def _dead(rules: Sequence[Rule], count: _Counter) -> Iterator[Refutation]:
    for rule in rules:
        if _together([rule], count) is None:
            yield Refutation((rule.id,), "applies nowhere, so it is dead", f"{rule.when} cannot hold")


def _shadowed(rules: Sequence[Rule], count: _Counter) -> Iterator[Refutation]:
    """A rule all of whose effects others have wherever it applies, at least as severely, is not needed."""
    for rule in rules:
        mine = atoms(rule)
        if not mine or rule.then.warn or _together([rule], count) is None:
            continue
        shades = [_shade(rule, atom, rules, count) for atom in mine]
        if all(shades):
            others = tuple(sorted({other.id for shade in shades for other in shade}))
            alike = [other for other in rules if other.id in others and _alike(rule, other, count)]
            if alike and rule.id > alike[0].id:
                yield Refutation((alike[0].id, rule.id), "these two are the same rule", str(rule.when))
            elif not alike:
                message = f"is never needed: {' and '.join(others)} have its effects wherever it applies"
                yield Refutation((rule.id,), message, str(rule.when))


def _shade(rule: Rule, atom: Atom, rules: Sequence[Rule], count: _Counter) -> set[Rule]:
    """The rules that together have an effect wherever this rule applies; none where they leave a gap."""
    others = [other for other in rules if other.id != rule.id and _covers(other, rule, atom)]
    shade: set[Rule] = set()
    for view in count.over([rule.when, *(other.when for other in others)]) if others else ():
        if rule.when.truth(view):
            now = {other for other in others if other.when.truth(view)}
            if not now:
                return set()
            shade.add(min(now, key=lambda other: other.id))
    return shade


def _covers(other: Rule, rule: Rule, atom: Atom) -> bool:
    harder = SEVERITIES.index(other.severity) <= SEVERITIES.index(rule.severity)
    return harder and any(one.implies(atom) for one in atoms(other))


def _alike(one: Rule, other: Rule, count: _Counter) -> bool:
    """Same effects, same severity, and true of the same situations."""
    if (one.severity, set(atoms(one))) != (other.severity, set(atoms(other))):
        return False
    return all(one.when.truth(view) == other.when.truth(view) for view in count.over([one.when, other.when]))


def _more_data(rules: Sequence[Rule], count: _Counter) -> Iterator[Refutation]:
    """What less data allowed, more data does not forbid. Unknown amounts are neither more nor less."""
    errors = [rule for rule in rules if rule.severity == "error"]
    targets = dict.fromkeys(atom[:2] for rule in errors for atom in atoms(rule) if atom.kind in HARD)
    for kind, target in targets:
        mine = [rule for rule in errors if any(atom[:2] == (kind, target) for atom in atoms(rule))]
        if any(name in AMOUNTS or name in DATA for rule in mine for name in rule.when.names()):
            yield from _turning(kind, target, mine, count)


def _turning(kind: str, target: str, rules: Sequence[Rule], count: _Counter) -> Iterator[Refutation]:
    """The first place where an effect sets in, or tightens, as amounts grow and all else stays."""
    groups: dict[tuple[tuple[str, Value], ...], list[View]] = {}
    for view in count.over(rule.when for rule in rules):
        rest = tuple(item for item in view.values.items() if item[0] not in (*AMOUNTS, *DATA))
        groups.setdefault(rest, []).append(view)
    for views in groups.values():
        for less, more in permutations(views, 2):
            now = [rule for rule in rules if rule.when.truth(more) is not False] if _grows(less, more) else []
            before = [atom for rule in rules if rule.when.truth(less) is not False for atom in atoms(rule)]
            new = [rule for rule in now for atom in atoms(rule) if atom[:2] == (kind, target) if _new(atom, before)]
            if new:
                message = f"{_DOES[kind]} {target} only when there is more data"
                yield Refutation((new[0].id,), message, f"allowed at {describe(less)}; not at {describe(more)}")
                return


_DOES = {"forbid": "forbids", "require": "requires", "limit": "limits", "allow_only": "narrows"}


def _new(atom: Atom, before: Iterable[Atom]) -> bool:
    return not any(one.implies(atom) for one in before)


def _grows(less: View, more: View) -> bool:
    pairs = [(less.get(name)[1], more.get(name)[1]) for name in (*AMOUNTS, *DATA) if name in less.values]
    known = [(one, other) for one, other in pairs if isinstance(one, int) and isinstance(other, int)]
    return len(known) == len(pairs) and all(one <= other for one, other in known)


CLAIMS: dict[str, Callable[[Sequence[Rule], _Counter], Iterator[Refutation]]] = {
    "no two rules contradict each other": _conflicts,
    "for all facts some recipe is admissible": _admissible,
    "every rule applies somewhere": _dead,
    "no rule repeats what others say": _shadowed,
    "more data never forbids what less data allowed": _more_data,
}
