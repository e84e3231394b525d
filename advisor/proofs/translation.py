"""Translation: conditions and effects of rules as formulas over variables.

A condition is known to hold, known not to hold, or unknown, so it makes two formulas: where it `surely` holds, and
where it `maybe` does (it is not known to fail), which is where bans and bounds count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

from advisor.base.interval import Interval
from advisor.facts.facts import declared
from advisor.policy.conditions import Condition, Test, tests_of
from advisor.policy.effects import Atom as Effect
from advisor.policy.rule import Rule
from advisor.policy.view import META, RECIPE_STEPS, REMOVED_SHARE
from advisor.proofs.amounts import AMOUNTS, Amounts, between_starts, comparison, of_amounts
from advisor.proofs.formula import FALSE, TRUE, Cells, Formula, all_of, any_of, atom, negated
from advisor.proofs.variables import ABSENT, MODEL, Variable, answer, of_model, variables
from advisor.recipe.steps import STEPS
from advisor.recipe.steps.quantization import SCHEMES
from advisor.records.training_settings import Training

STRUCTURAL = frozenset(name for name, step in STEPS.items() if step.structural)


class Copy(NamedTuple):
    """Which of several data sets, or recipes, a formula is about: what is added to the names of its variables."""

    amounts: str = ""
    recipe: str = ""


ONE = Copy()


class Translation:
    """The variables of some rules, and formulas over them."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self.tests = tuple(dict.fromkeys([*(test for rule in rules for test in tests_of(rule.when)), *_bounds(rules)]))
        pairs = [pair for rule in rules for pair in rule.then.order]
        self.variables = variables(self.tests, pairs)
        self.key = {name: key for key, one in self.variables.items() for name in one.names}
        self._known: dict[tuple[Any, ...], Formula] = {}

    @cached_property
    def amounts(self) -> Amounts:
        starts = {
            name: [row[0] for row in self.variables[name].rows if row[0] is not None]
            for name in AMOUNTS
            if name in self.variables
        }
        compared = {comparison(test): test for test in self.tests if of_amounts(test)}
        return Amounts({name: between_starts(found) for name, found in starts.items()}, compared)

    def possible(self, *suffixes: str) -> Callable[[Cells], bool]:
        """What cells of amounts have to be, for the solver."""
        return lambda cells: self.amounts.possible(cells, suffixes or ("",))

    def of(self, name: str, copy: Copy, wanted: Callable[[Any], Any]) -> Formula:
        """The cells in which one name has a wanted value."""
        variable = self.variables[self.key[name]]
        place = variable.names.index(name)
        return self._where(variable, copy, lambda row: wanted(row[place]))

    def _where(self, variable: Variable, copy: Copy, wanted: Callable[[tuple[Any, ...]], Any]) -> Formula:
        cells = sum(1 << place for place, row in enumerate(variable.rows) if wanted(row))
        key = self.key[variable.names[0]]
        return atom(key + self.suffix(key, copy), cells, variable.whole)

    def suffix(self, key: str, copy: Copy) -> str:
        """What a copy adds to the name of a variable."""
        if key in AMOUNTS or key in self.amounts.compared:
            return copy.amounts
        return copy.recipe if not (key == MODEL or key in declared() or key.startswith(META)) else ""

    def truth(self, condition: Condition, surely: bool, copy: Copy = ONE) -> Formula:
        """Where a condition surely, or maybe, holds."""
        at = (condition, surely, copy)
        if at not in self._known:
            if isinstance(condition, Test):
                self._known[at] = self._test(condition, surely, copy)
            elif condition.kind == "not":
                self._known[at] = negated(self.truth(condition.parts[0], not surely, copy))
            else:
                join = all_of if condition.kind == "all" else any_of
                self._known[at] = join(self.truth(part, surely, copy) for part in condition.parts)
        return self._known[at]

    def _test(self, test: Test, surely: bool, copy: Copy) -> Formula:
        if test.name == RECIPE_STEPS and len(test.words) and not test.known:
            return any_of(self.has(str(step), copy) for step in test.words)
        if test.name == REMOVED_SHARE:
            return self._removed_share(test, surely, copy)
        there = all_of(self._there(name, copy) for name in test.names())
        known = all_of(self._can_be_known(name) for name in test.names())
        if test.known:
            return all_of([there, known, self.of(test.name, copy, lambda value: value not in (None, ABSENT))])
        wanted = (True,) if surely else (True, None)
        if of_amounts(test):
            both = [self.of(name, copy, lambda value: value is not None) for name in test.names()]
            holds = self.of(comparison(test), copy, bool)
            answers = all_of([*both, holds]) if surely else any_of([*map(negated, both), holds])
        elif test.other:
            answers = self._comparison(test, wanted, copy)
        else:
            answers = self.of(test.name, copy, lambda value: answer(test, value) in wanted)
        return all_of([there, known, answers]) if surely else all_of([there, any_of([negated(known), answers])])

    def _comparison(self, test: Test, wanted: tuple[bool | None, ...], copy: Copy) -> Formula:
        """A choice for every value of the first number: the values of the second that go with it."""
        first, second = ([row[0] for row in self.variables[self.key[name]].rows] for name in test.names())
        found = []
        for one in first:
            fits = [other for other in second if compare(test, one, other) in wanted]
            found.append(all_of([self.of(test.name, copy, same_as([one])), self.of(test.other, copy, same_as(fits))]))
        return any_of(found)

    def _removed_share(self, test: Test, surely: bool, copy: Copy) -> Formula:
        """Nothing is removed without a structural step; with one it hangs on the model, whose config may be unknown."""
        structural = self.steps(copy, lambda there, _: there & STRUCTURAL)
        known = self.of(MODEL, copy, bool)
        nothing = TRUE if test.known or test.answers(0.0) else FALSE
        inside = TRUE if test.known else self.of(REMOVED_SHARE, copy, test.answers)
        something = all_of([known, inside]) if surely or test.known else any_of([negated(known), inside])
        return any_of([all_of([negated(structural), nothing]), all_of([structural, something])])

    def steps(self, copy: Copy, wanted: Callable[[frozenset[str], tuple[str, ...]], Any]) -> Formula:
        """Recipes whose steps and their order are wanted."""
        return self._where(self.variables[RECIPE_STEPS], copy, lambda row: wanted(*row))

    def has(self, step: str, copy: Copy) -> Formula:
        """Recipes with this step."""
        return self._once((step, copy), lambda: self.steps(copy, lambda there, _: step in there))

    def _once(self, at: tuple[Any, ...], make: Callable[[], Formula]) -> Formula:
        if at not in self._known:
            self._known[at] = make()
        return self._known[at]

    def _there(self, name: str, copy: Copy) -> Formula:
        """A setting is there with its step."""
        step = name.split(".", maxsplit=1)[0]
        return self.has(step, copy) if step in STEPS else TRUE

    def _can_be_known(self, name: str) -> Formula:
        """Sizes, and measures of a recipe, are known where the model's config is."""
        step, _, setting = name.partition(".")
        measured = step in STEPS and setting in STEPS[step].measured
        size = step == "model" and name not in (*of_model(), "model.source", "model.revision", "model.licence")
        return self.of(MODEL, ONE, bool) if measured or size else TRUE

    def broken(self, rule: Rule, copy: Copy = ONE) -> Formula:
        """Where a recipe breaks a rule. Orders and warnings count only where the rule surely applies."""
        then = rule.then
        hard: list[Formula] = [TRUE] if then.deny else []
        hard += [self.has(step, copy) for step in then.forbid]
        hard += [negated(self.has(step, copy)) for step in then.require]
        hard += [self._outside(effect, copy) for effect in bounds(rule)]
        soft: list[Formula] = [self._turned(pair, copy) for pair in then.order]
        soft += [TRUE] if then.warn else []
        maybe, surely = (self.truth(rule.when, sure, copy) for sure in (False, True))
        return any_of([all_of([maybe, any_of(hard)]), all_of([surely, any_of(soft)])])

    def _turned(self, pair: tuple[str, str], copy: Copy) -> Formula:
        """Recipes with both steps in the wrong order."""
        first, later = pair

        def wrong(there: frozenset[str], order: tuple[str, ...]) -> bool:
            return first in there and later in there and order.index(first) > order.index(later)

        return self._once((pair, copy), lambda: self.steps(copy, wrong))

    def _outside(self, bound: Effect, copy: Copy) -> Formula:
        """A setting is there and not as it has to be; what is unknown is not as it has to be either."""
        inside = self.of(bound.target, copy, lambda value: within(bound, value))
        absent = self.of(bound.target, copy, lambda value: value is ABSENT)
        known = self._can_be_known(bound.target)
        return all_of([self._there(bound.target, copy), negated(absent), negated(all_of([known, inside]))])

    def sensible(self, copy: Copy = ONE) -> Formula:
        """Recipes that make sense: a backend of int8 has one scheme only."""
        names = ("quantization.backend", "quantization.scheme")
        if not all(name in self.key for name in names):
            return TRUE
        backend, scheme = names
        fitting = []
        for name, offered in SCHEMES.items():
            schemes = any_of([self.is_(scheme, "auto", copy), self.is_(scheme, offered, copy)])
            fitting.append(any_of([negated(self.is_(backend, name, copy)), schemes]))
        return all_of(fitting)

    def is_(self, name: str, value: Any, copy: Copy = ONE) -> Formula:
        """The cell that a value of a setting lies in; TRUE where no rule looks at it."""
        if name not in self.key:
            return TRUE
        return self.of(name, copy, lambda one: one == value and isinstance(one, bool) == isinstance(value, bool))

    def of_recipe(self, key: str) -> bool:
        """Is a variable part of the recipe?"""
        return self.suffix(key, Copy("", "recipe")) == "recipe"


def compare(test: Test, one: Any, other: Any) -> bool | None:
    """The answer of a comparison; what is absent is neither more nor less."""
    return False if ABSENT in (one, other) else test.compares(one, other)


def same_as(values: Sequence[Any]) -> Callable[[Any], bool]:
    """Is a value one of these, and of the same kind?"""
    kinds = {(type(value), value) for value in values}
    return lambda value: (type(value), value) in kinds


def within(bound: Effect, value: Any) -> bool:
    """Does a value keep a limit, or is it allowed?"""
    if bound.kind == "limit":
        return isinstance(value, int | float | Fraction) and bound.value.holds(value)
    return value in bound.value


def bounds(rule: Rule) -> Iterator[Effect]:
    """The limits and allowed values of a rule."""
    yield from (Effect("limit", name, interval) for name, interval in rule.limits.items())
    yield from (Effect("allow_only", name, tuple(values)) for name, values in (rule.then.allow_only or {}).items())


def _bounds(rules: Iterable[Rule]) -> Iterator[Test]:
    """Effects as tests, so that their settings have cells; and what advice writes where no rule prefers anything."""
    named: dict[str, None] = {}
    for rule in rules:
        for bound in bounds(rule):
            named[bound.target] = None
            interval = bound.value if isinstance(bound.value, Interval) else None
            yield Test(bound.target, () if interval else bound.value, interval)
        for name, value in (rule.then.prefer or {}).items():
            named[name] = None
            yield Test(name, (value,))
        named |= dict.fromkeys(name for name in rule.when.names() if name.split(".")[0] in (*STEPS, "training"))
    for name in named:
        part, _, setting = name.partition(".")
        if part in ("finetune", "quantization", "training"):
            yield Test(name, (getattr(Training() if part == "training" else STEPS[part](), setting),))
