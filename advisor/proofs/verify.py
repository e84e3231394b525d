"""Verify: prove things about a policy over all facts and all recipes, or refute them with a witness.

A claim is proven only where no cell speaks against it, and refuted only by facts, a model and a recipe that exist.
What lies between is said to be undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from advisor.base.errors import AdviseError, PolicyError
from advisor.policy.conditions import Condition, Test
from advisor.policy.effects import SEVERITIES, Atom, denies_facts, effects
from advisor.policy.examples import view_of
from advisor.policy.pack import Policy
from advisor.policy.rule import Rule
from advisor.proofs.admissible import advised, some_recipe
from advisor.proofs.claims import Asking, Found, Proof, Refutation, Undecided, apply
from advisor.proofs.conflicts import conflicts
from advisor.proofs.formula import Formula, negated
from advisor.proofs.more_data import more_data
from advisor.proofs.translation import Translation


def verify(policy: Policy) -> Iterator[Proof]:
    """Every claim that the rules alone decide, in turn."""
    known: Translation | PolicyError
    try:
        known = Translation(policy.rules)
    except PolicyError as error:
        known = error
    denied = any(map(denies_facts, policy.rules))
    for name, look in CLAIMS.items():
        claim = name.replace("for all facts", "for all facts that no rule denies") if denied else name
        if isinstance(known, PolicyError):
            yield Proof(claim, 0, (), (Undecided((), str(known)),))
            continue
        ask = Asking(policy, known)
        found: dict[str, Found] = {}
        try:
            for one in look(ask):
                found.setdefault(str(one), one)
        except PolicyError as error:
            found[str(error)] = Undecided((), str(error))
        refuted = tuple(one for one in found.values() if isinstance(one, Refutation))
        undecided = tuple(one for one in found.values() if isinstance(one, Undecided))
        yield Proof(claim, ask.questions, refuted, undecided)


def _dead(ask: Asking) -> Iterator[Found]:
    """Every rule applies somewhere, and so does every part of a choice in its condition."""
    for rule in ask.rules:
        cells = ask.together([rule])
        if cells is None:
            yield Refutation((rule.id,), "applies nowhere, so it is dead", f"{rule.when} cannot hold")
        elif not (_fires(rule) or ask.real(cells, apply([rule]))):
            yield Undecided((rule.id,), "applies somewhere only if a model and a recipe exist to which it does")
        for part in _choices(rule.when):
            if ask.cells([ask.known.truth(part, surely=True)]) is None:
                yield Refutation((rule.id,), "has a part that never holds", f"{part} cannot hold")


def _fires(rule: Rule) -> bool:
    """Does one of its own examples show that a rule applies?"""
    try:
        return any(rule.when.truth(view_of(example)) is True for example in rule.examples.fires)
    except AdviseError:
        return False


def _choices(condition: Condition) -> Iterator[Condition]:
    """The parts of every `any` in a condition."""
    if isinstance(condition, Test):
        return
    for part in condition.parts:
        if condition.kind == "any":
            yield part
        yield from _choices(part)


def _shadowed(ask: Asking) -> Iterator[Found]:
    """A rule all of whose effects others have wherever it applies, at least as severely, is not needed."""
    for rule in ask.rules:
        mine = effects(rule)
        if not mine or ask.together([rule]) is None:
            continue
        found = [_shades(ask, rule, atom) for atom in mine]
        if any(isinstance(one, Undecided) for one in found):
            yield from (one for one in found if isinstance(one, Undecided))
        shades = [one for one in found if isinstance(one, list)]
        if len(shades) == len(mine) and all(shades):
            others = sorted({other for shade in shades for other in shade}, key=lambda other: other.id)
            alike = [other for other in others if _alike(ask, rule, other)]
            if alike and rule.id > alike[0].id:
                yield Refutation((alike[0].id, rule.id), "these two are the same rule", str(rule.when))
            elif not alike:
                named = " and ".join(other.id for other in others)
                message = f"is never needed: {named} have its effects wherever it applies"
                yield Refutation((rule.id,), message, str(rule.when))


def _shades(ask: Asking, rule: Rule, atom: Atom) -> list[Rule] | Undecided:
    """The fewest rules that have an effect wherever this rule has it; none where they leave a gap that is real."""
    others = [other for other in ask.rules if other.id != rule.id and _covers(other, rule, atom)]
    gap = _gap(ask, rule, atom, others)
    if gap is None:
        for other in list(others):
            rest = [one for one in others if one is not other]
            others = rest if _gap(ask, rule, atom, rest) is None else others
        return others
    if not others:
        return []
    cells, surely = gap

    def left(truth: bool | None) -> bool:
        return truth is True if surely else truth is not False

    def real(view: object) -> bool:
        return left(rule.when.truth(view)) and not any(left(other.when.truth(view)) for other in others)  # type: ignore[arg-type]

    if ask.real(cells, real):
        return []
    return Undecided((rule.id,), "is needed only if a model and a recipe exist to which it alone applies")


def _gap(ask: Asking, rule: Rule, atom: Atom, others: list[Rule]) -> tuple[dict[str, int], bool] | None:
    """Cells in which a rule has an effect and none of the others; for bans and bounds also where it is undecided."""
    for surely in (True, False) if atom.kind not in ("order", "warn", "prefer") else (True,):
        parts: list[Formula] = [ask.known.truth(rule.when, surely)]
        parts += [negated(ask.known.truth(other.when, surely)) for other in others]
        cells = ask.cells(parts)
        if cells is not None:
            return cells, surely
    return None


def _covers(other: Rule, rule: Rule, atom: Atom) -> bool:
    harder = SEVERITIES.index(other.severity) <= SEVERITIES.index(rule.severity)
    return harder and any(one.implies(atom) for one in effects(other))


def _alike(ask: Asking, one: Rule, other: Rule) -> bool:
    """Same effects, same severity, and true of the same situations."""
    if (one.severity, set(effects(one))) != (other.severity, set(effects(other))):
        return False
    truths = [ask.known.truth(rule.when, surely=True) for rule in (one, other)]
    return all(ask.cells([here, negated(there)]) is None for here, there in (truths, truths[::-1]))


CLAIMS: dict[str, Callable[[Asking], Iterator[Found]]] = {
    "no two rules contradict each other": conflicts,
    "for all facts some recipe is admissible": some_recipe,
    "for all facts advice finds an admissible recipe": advised,
    "every rule applies somewhere": _dead,
    "no rule repeats what others say": _shadowed,
    "more data never forbids what less data allowed": more_data,
}
