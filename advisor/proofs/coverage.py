"""Coverage: do a rule's examples come out as they say, and does every part of its condition decide one of them?

Each threshold has to turn the rule on one example: the boundary cases are made by moving the example's own fact to
either side of it. Each word of a list has to appear in an example, and a situation without any of them in another.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from advisor.base.interval import exact, show
from advisor.facts.facts import Value
from advisor.policy.conditions import Test, matches, tests_of
from advisor.policy.examples import failing, view_of
from advisor.policy.rule import Rule
from advisor.policy.view import View
from advisor.proofs.points import points


class Covered(NamedTuple):
    """What a rule's examples cover. wrong: examples that come out otherwise; missing: what none of them decides."""

    rule: str
    examples: int
    cases: int
    needed: int
    wrong: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def share(self) -> float:
        return 1 - len(self.missing) / self.needed if self.needed else 1.0


def cover(rule: Rule) -> Covered:
    """Run a rule's examples and the boundary cases made of them."""
    examples = [*rule.examples.fires, *rule.examples.quiet]
    views = [view_of(one) for one in examples]
    needs = [need for test in tests_of(rule.when) for need in _needs(test)]
    cases = sum(len(_sides(rule, test)) for _, test, end in needs if end is not None) * len(views)
    missing = tuple(words for words, test, end in needs if not _met(rule, test, end, words, views))
    return Covered(rule.id, len(examples), cases, len(needs), tuple(failing(rule)), missing)


Need = tuple[str, Test, Fraction | None]


def _needs(test: Test) -> Iterator[Need]:
    if test.interval:
        for end in (test.interval.low, test.interval.high):
            if end is not None:
                yield f"{test.name} on both sides of {show(end)}", test, end
        return
    if test.known:
        yield f"{test.name} known", test, None
        yield f"{test.name} unknown", test, None
        return
    for word in test.words:
        yield f"{test.name} {word}", test, None
    yield f"{test.name} other than {', '.join(map(str, test.words))}", test, None


def _met(rule: Rule, test: Test, end: Fraction | None, words: str, views: list[View]) -> bool:
    if end is not None:
        return any(_turns(rule, test, end, view) for view in views)
    answers = [(view, test.truth(view)) for view in views]
    if test.known:
        return any(answer is (words == f"{test.name} known") for _, answer in answers)
    if " other than " in words:
        return any(answer is False for _, answer in answers)
    word = words.removeprefix(f"{test.name} ")
    return any(answer and _stands(word, view.get(test.name)[1]) for view, answer in answers)


def _stands(word: str, value: Value) -> bool:
    return word in value if isinstance(value, frozenset) else str(value) == word or matches(word, value)


def _sides(rule: Rule, test: Test) -> list[Value]:
    return [value for value in points(test.name, tests_of(rule.when)) if value is not None]


def _turns(rule: Rule, test: Test, end: Fraction, view: View) -> bool:
    """Does the rule answer otherwise on the two sides of a threshold, all else as in the example?"""
    if test.name not in view.values:
        return False
    near = sorted(_numbers(_sides(rule, test)), key=lambda value: abs(exact(value) - end))
    below = next((value for value in near if exact(value) <= end and not _same(test, value, end, above=True)), None)
    above = next((value for value in near if exact(value) >= end and not _same(test, value, end, above=False)), None)
    if below is None or above is None:
        return False
    one, other = (rule.when.truth(View({**view.values, test.name: value}, view.order)) for value in (below, above))
    return one is not None and other is not None and one != other


def _numbers(values: list[Value]) -> Iterator[int | float]:
    yield from (value for value in values if isinstance(value, int | float) and value < float("inf"))


def _same(test: Test, value: float, end: Fraction, above: bool) -> bool:
    """Does the end itself belong to the other side, so that it cannot stand for this one?"""
    if exact(value) != end or test.interval is None:
        return False
    inside = test.interval.holds(value)
    upper = test.interval.high == end
    return inside if upper != above else not inside
