"""Variables: the facts, and the parts of a recipe, that some rules look at, each with a value for every cell.

Facts that hang together are one variable with values for all of them: a model's family with what it fixes, a recipe's
steps with their order, shares of the same layers, and numbers that a rule compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from advisor.proofs.amounts import AMOUNTS, runs_of
from advisor.proofs.points import between, domain, ends, points
from advisor.recipe.steps import STEPS

ABSENT = "\0absent"  # no value of anything
MODEL = "model"
OF_FAMILY = ("family", "kind", "fused_projections", "shared_layers", "generative")
SHARES = ("layer_removal.removed_share", "layer_removal.keep_share", "layer_removal.encoder_removed_share")
MOST_VALUES = 20_000  # of one variable


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
    joined = _compared(tests)
    names = dict.fromkeys(name for test in tests for name in test.names())
    for name in names:
        if any(name in group for group in joined) or name in (RECIPE_STEPS, *of_model()):
            continue
        key = SHARES[0] if name in SHARES else name
        if key not in found:
            mine = [test for test in tests if test.name in (SHARES if key in SHARES else (name,))]
            found[key] = (
                _shares(mine) if key in SHARES else Variable((name,), tuple((one,) for one in _values(name, mine)))
            )
    found |= {group[0]: _joint(group, tests) for group in joined}
    return {key: _distinct(one, tests) if key not in AMOUNTS else one for key, one in found.items()}


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
    """Every family, with its config and without; of one that is not described the config says only its kind."""
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


def _compared(tests: Sequence[Test]) -> list[tuple[str, ...]]:
    """Names that rules compare with each other, in groups."""
    groups: list[set[str]] = []
    for test in tests:
        if test.other:
            mine = {test.name, test.other}
            for group in [one for one in groups if one & mine]:
                groups.remove(group)
                mine |= group
            groups.append(mine)
    for name in (name for group in groups for name in sorted(group)):
        if name in (*AMOUNTS, *SHARES, *of_model()) or domain(name).kind == "share":
            raise PolicyError(f"not decided: comparisons of {name} with other values are not covered")
    return [tuple(sorted(group)) for group in groups]


def _joint(names: tuple[str, ...], tests: Sequence[Test]) -> Variable:
    """Numbers that are compared: between two thresholds there are enough values for every order of theirs."""
    cuts = tuple(dict.fromkeys(word for test in tests if test.name in names for word in ends(test)))
    values = []
    for name in names:
        asked = [test for test in tests if test.name == name]
        asked += [Test(name, words=(cut,)) for cut in cuts if domain(name).kind in ("integer", "number", "any")]  # type: ignore[arg-type]
        found = points(name, asked, spread=len(names) + 1)
        values.append([*found, *([ABSENT] if name.startswith(META) or name in GATES else [])])
    if values and _count(values) > MOST_VALUES:
        raise PolicyError(f"not decided: comparisons of {', '.join(names)} make more than {MOST_VALUES:,} cells")
    return Variable(names, tuple(product(*values)))


def _count(values: Sequence[Sequence[Value]]) -> int:
    count = 1
    for each in values:
        count *= len(each)
    return count


def _distinct(variable: Variable, tests: Sequence[Test]) -> Variable:
    """The first row for every pattern of answers, so that no two cells are alike."""
    mine = [test for test in tests if test.name in variable.names]
    if MODEL in variable.names or RECIPE_STEPS in variable.names or not mine:
        return variable
    found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in variable.rows:
        values = dict(zip(variable.names, row, strict=True))
        found.setdefault(tuple(answer(test, values) for test in mine), row)
    return variable._replace(rows=tuple(found.values()))


def answer(test: Test, values: Mapping[str, Any]) -> bool | None:
    """A test's answer where its value is there."""
    value = values[test.name]
    if value is ABSENT or (test.other and values[test.other] is ABSENT):
        return False
    return test.compares(value, values[test.other]) if test.other else test.answers(value)
