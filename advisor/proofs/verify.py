"""Verify: prove things about a policy over the whole space of facts and sets of steps, or refute them with a witness.

Each claim looks at the cells of just those rules that meet in it; rules that share no effect cannot contradict or
replace one another, so leaving them out of the product loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import permutations

from advisor.facts.facts import Value
from advisor.policy.conditions import Group, tests_of
from advisor.policy.effects import SEVERITIES, Atom, atoms
from advisor.policy.pack import Policy
from advisor.policy.rule import Rule
from advisor.policy.view import RECIPE_STEPS, View
from advisor.proofs.claims import Counter, Proof, Refutation, together
from advisor.proofs.conflicts import conflicts
from advisor.proofs.space import DATA, Part, describe, recipe_parts, split

AMOUNTS = ("data.eval_samples",)  # beside those that space takes together
STRICT = ("forbid", "require")
HARD = (*STRICT, "limit", "allow_only")


def verify(policy: Policy) -> Iterator[Proof]:
    """Every claim that the rules alone decide, in turn."""
    for claim, look in CLAIMS.items():
        count = Counter()
        found = tuple(dict.fromkeys(look(policy.rules, count)))
        yield Proof(claim, count.cells, found)


def _admissible(rules: Sequence[Rule], count: Counter) -> Iterator[Refutation]:
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


def _dead(rules: Sequence[Rule], count: Counter) -> Iterator[Refutation]:
    for rule in rules:
        if together([rule], count) is None:
            yield Refutation((rule.id,), "applies nowhere, so it is dead", f"{rule.when} cannot hold")


def _shadowed(rules: Sequence[Rule], count: Counter) -> Iterator[Refutation]:
    """A rule all of whose effects others have wherever it applies, at least as severely, is not needed."""
    for rule in rules:
        mine = atoms(rule)
        if not mine or rule.then.warn or together([rule], count) is None:
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


def _shade(rule: Rule, atom: Atom, rules: Sequence[Rule], count: Counter) -> set[Rule]:
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


def _alike(one: Rule, other: Rule, count: Counter) -> bool:
    """Same effects, same severity, and true of the same situations."""
    if (one.severity, set(atoms(one))) != (other.severity, set(atoms(other))):
        return False
    return all(one.when.truth(view) == other.when.truth(view) for view in count.over([one.when, other.when]))


def _more_data(rules: Sequence[Rule], count: Counter) -> Iterator[Refutation]:
    """What less data allowed, more data does not forbid. Unknown amounts are neither more nor less."""
    errors = [rule for rule in rules if rule.severity == "error"]
    targets = dict.fromkeys(atom[:2] for rule in errors for atom in atoms(rule) if atom.kind in HARD)
    for kind, target in targets:
        mine = [rule for rule in errors if any(atom[:2] == (kind, target) for atom in atoms(rule))]
        if any(name in AMOUNTS or name in DATA for rule in mine for name in rule.when.names()):
            yield from _turning(kind, target, mine, count)


def _turning(kind: str, target: str, rules: Sequence[Rule], count: Counter) -> Iterator[Refutation]:
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


CLAIMS: dict[str, Callable[[Sequence[Rule], Counter], Iterator[Refutation]]] = {
    "no two rules contradict each other": conflicts,
    "for all facts some recipe is admissible": _admissible,
    "every rule applies somewhere": _dead,
    "no rule repeats what others say": _shadowed,
    "more data never forbids what less data allowed": _more_data,
}
