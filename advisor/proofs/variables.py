"""Variables: the facts, and the parts of a recipe, that some rules look at, each with a value for every cell.

Facts that hang together are one variable with values for all of them: a model's family with what it fixes, a recipe's
steps with their order, and shares of the same layers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import permutations, product
from typing import Any, NamedTuple

from advisor.base.errors import PolicyError
from advisor.base.interval import exact
from advisor.facts.facts import Value
from advisor.families import registry
from advisor.policy.conditions import Test
from advisor.policy.view import GATES, META, RECIPE_STEPS
from advisor.proofs.amounts import AMOUNTS, comparison, corners, of_amounts, runs_of
from advisor.proofs.points import between, domain, ends, points
from advisor.proofs.space import OF_FAMILY
from advisor.recipe.steps import STEPS

ABSENT = "\0absent"  # no value of anything
MODEL = "model"
SHARES = ("layer_removal.removed_share", "layer_removal.keep_share", "layer_removal.encoder_removed_share")


class Variable(NamedTuple):
    """What varies together: its names, and a row of values for each cell."""

    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def whole(self) -> int:
        return (1 << len(self.rows)) - 1


def variables(tests: Sequence[Test], pairs: Iterable[tuple[str, str]]) -> dict[str, Variable]:
    """A variable for everything that the tests look at, and for a recipe's steps. pairs: orders that rules want."""
    found = {MODEL: _models(), RECIPE_STEPS: _steps(tuple(dict.fromkeys(pairs)))}
    found |= {
        comparison(test): Variable((comparison(test),), ((True,), (False,))) for test in tests if of_amounts(test)
    }
    compared = _compared([test for test in tests if not of_amounts(test)])
    tests = [*tests, *(test for name in AMOUNTS if name in compared for test in corners(name, tests))]
    for name in dict.fromkeys(name for test in tests for name in test.names()):
        key = SHARES[0] if name in SHARES else name
        if name in (RECIPE_STEPS, *of_model()) or key in found:
            continue
        if key in SHARES:
            found[key] = _distinct(_shares([test for test in tests if test.name in SHARES]), tests)
        elif name in compared and name not in AMOUNTS:
            found[key] = Variable((name,), tuple((one,) for one in _comparable(name, compared[name], tests)))
        else:
            asked = [test for test in tests if test.name == name]
            if name in AMOUNTS and name in compared:
                asked += _beside(name, compared[name], tests)
            one = Variable((name,), tuple((value,) for value in _values(name, asked)))
            found[key] = one if name in AMOUNTS else _distinct(one, tests)
    return found


def of_model() -> tuple[str, ...]:
    """The facts that a model's family fixes."""
    return tuple(f"model.{name}" for name in OF_FAMILY)


def _values(name: str, tests: Sequence[Test]) -> Iterator[Value]:
    if name in AMOUNTS:
        yield from (int(run.low) for run in runs_of(name, tests))
        yield from [None] if domain(name).unknown else []
        return
    yield from points(name, tests)
    yield from [ABSENT] if name.startswith(META) or name in GATES else []


@cache
def _models() -> Variable:
    """Every family, with its config and without. A type without notes may have any form, or not be described at all."""
    rows: list[tuple[Any, ...]] = []
    for name in registry.names():
        family = registry.find(name)
        if family:
            facts = family.facts(family.config)
            rows.append((*(getattr(facts, key) for key in OF_FAMILY), True))
            rows.append((name, family.kind, None, None, None, False))
    for kind, name in registry.OTHERS.items():
        rows.append((name, kind, None, None, kind != "encoder", False))
        rows.append((name, kind, None, None, None, False))
        rows += [(name, kind, *form, kind != "encoder", True) for form in product((False, True), repeat=2)]
    return Variable((*of_model(), MODEL), tuple(rows))


@cache
def _steps(pairs: tuple[tuple[str, str], ...]) -> Variable:
    """Every set of steps, at least one, in every order that the pairs tell apart; the usual recipes first."""
    rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for size in range(1, len(STEPS) + 1):
        for order in permutations(STEPS, size):
            there = frozenset(order)
            turned = tuple(order.index(one) < order.index(two) for one, two in pairs if {one, two} <= there)
            rows.setdefault((there, turned), (there, order))
    return Variable((RECIPE_STEPS, "order"), tuple(rows.values()))


def _shares(tests: Sequence[Test]) -> Variable:
    """Shares of the layers that go, that stay, and that go from the encoder; something goes, and not all."""
    removed, kept, encoder = (points(name, tests) for name in SHARES)
    cuts = {exact(one) for one in (*removed, *encoder) if isinstance(one, int | float | Fraction)}
    cuts |= {1 - exact(one) for one in kept if isinstance(one, int | float | Fraction)}
    inner = [
        middle for low, high in zip(sorted(cuts), sorted(cuts)[1:], strict=False) for middle in between(low, high, 1)
    ]
    shares = [share for share in sorted({*cuts, *inner}) if 0 < share < 1]
    return Variable(
        SHARES, tuple((one, 1 - one, part) for one in shares for part in (Fraction(0), *shares) if part <= one)
    )


def _compared(tests: Sequence[Test]) -> dict[str, tuple[str, ...]]:
    """For every name that rules compare with another, all that hang together with it.

    Raises:
        PolicyError: a comparison is not covered.
    """
    groups: list[set[str]] = []
    for test in tests:
        if test.other:
            mine = {test.name, test.other}
            for group in [one for one in groups if one & mine]:
                groups.remove(group)
                mine |= group
            groups.append(mine)
    for group in groups:
        counted = len(group & set(AMOUNTS))
        for name in sorted(group):
            kind = "share" if name in (*SHARES, *of_model()) else domain(name).kind
            if kind == "share" or counted > 1 or (counted and kind != "integer"):
                raise PolicyError(f"not decided: comparisons of {name} with {_others(name, group)} are not covered")
    return {name: tuple(sorted(group)) for group in groups for name in group}


def _others(name: str, group: set[str]) -> str:
    return " and ".join(sorted(group - {name}))


def _beside(name: str, group: tuple[str, ...], tests: Sequence[Test]) -> Iterator[Test]:
    """Tests of an amount at every value of the numbers that it is compared with, so that no cell lies on both sides."""
    for other in group:
        if other != name:
            values = (value for value in _comparable(other, group, tests) if isinstance(value, int))
            yield from (Test(name, words=(value,)) for value in values)


def _comparable(name: str, group: tuple[str, ...], tests: Sequence[Test]) -> Iterator[Value]:
    """Values of a number that is compared: between two thresholds enough for every order of the group's numbers."""
    bounds = [end for one in group for end in (domain(one).low, domain(one).high) if abs(end) < math.inf]
    cuts = [*bounds, *(end for test in tests if test.name in group for end in ends(test))]
    asked = [test for test in tests if test.name == name]
    asked += [Test(name, words=(cut,)) for cut in dict.fromkeys(cuts)]  # type: ignore[arg-type]
    yield from points(name, asked, spread=len(group) + 1 + len(set(group) & set(AMOUNTS)))
    yield from [ABSENT] if name.startswith(META) or name in GATES else []


def _distinct(variable: Variable, tests: Sequence[Test]) -> Variable:
    """The first row for every pattern of answers, so that no two cells are alike."""
    mine = [test for test in tests if test.name in variable.names]
    found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in variable.rows:
        values = dict(zip(variable.names, row, strict=True))
        found.setdefault(tuple(answer(test, values[test.name]) for test in mine), row)
    return variable._replace(rows=tuple(found.values()))


def answer(test: Test, value: Any) -> bool | None:
    """A test's answer to a value, if it is there at all."""
    return False if value is ABSENT else test.answers(value)
