"""Space: the finitely many cells that some conditions tell apart, each with one situation that stands for it.

Every fact has a domain and every condition is a list of words or an interval, so situations that answer all tests
alike form one cell. Facts that hang together (a family and its kind; examples, unlabelled texts and their sum; a
recipe's steps and their settings) are one dimension; only what can be true together is in it. A fact that nothing
tests is left out of the product.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, product

from advisor.base.errors import PolicyError
from advisor.base.interval import near
from advisor.facts.facts import Value, declared
from advisor.families import registry
from advisor.policy.conditions import Condition, Group, Test, tests_of
from advisor.policy.view import META, RECIPE_STEPS, REMOVED_SHARE, View
from advisor.proofs.points import ends, points, subsets
from advisor.recipe.steps import STEPS

Part = Mapping[str, Value]  # what is so in one dimension
SPREAD = 2  # values between two thresholds, so that two that are compared come in every order
MOST_CELLS, MOST_TESTS = 1_000_000, 1_000  # a pack that needs more is refused instead of making the engine hang
DATA = ("data.samples", "data.unlabelled_samples", "data.distillation_texts")
# What a family fixes; its sizes are free.
OF_FAMILY = ("family", "kind", "fused_projections", "shared_layers", "generative")


def cells(conditions: Iterable[Condition]) -> Iterator[View]:
    """One situation for each cell that the conditions tell apart.

    Raises:
        PolicyError: there are more than MOST_CELLS.
    """
    facts, recipes = split(conditions)
    return (View({**view.values, **part}) for view in facts for part in recipes or [{}])


def split(conditions: Iterable[Condition]) -> tuple[Iterator[View], list[Part]]:
    """The cells of the facts, and those of recipes (none where no recipe is tested), apart from each other."""
    tests = tests_of(Group("all", tuple(conditions)))
    _refuse_more_than(MOST_TESTS, len(tests), "tests", tests)
    facts = [distinct(parts, tests) for parts in dimensions(tests)]
    recipes = distinct(recipe_parts(tests), tests) if any(_of_recipe(test.name) for test in tests) else []
    _refuse_more_than(MOST_CELLS, math.prod(len(parts) for parts in [*facts, recipes or [{}]]), "cells", tests)
    joined = (chain.from_iterable(part.items() for part in parts) for parts in product(*facts))
    return (View(dict(items)) for items in joined), recipes


def _refuse_more_than(most: int, count: int, what: str, tests: Sequence[Test]) -> None:
    if count > most:
        names = ", ".join(sorted({test.name for test in tests}))
        raise PolicyError(
            f"{count:,} {what} are more than the {most:,} that are looked at together: {names}",
            hint="write fewer rules that test so many facts or thresholds at once",
        )


def describe(view: View) -> str:
    """A situation in words; what is unknown says so."""
    return ", ".join(f"{name} {_words(value)}" for name, value in view.values.items()) or "always"


def _words(value: Value) -> str:
    if value is None or isinstance(value, bool):
        return {None: "unknown", True: "yes", False: "no"}[value]
    if isinstance(value, int | float):
        return near(value) if value < math.inf else "not set"
    return f"[{', '.join(sorted(value))}]" if isinstance(value, frozenset) else str(value)


def distinct(parts: Iterable[Part], tests: Sequence[Test]) -> list[Part]:
    """The first of the parts for every pattern of answers to the tests on them."""
    parts = list(parts)
    about = [test for test in tests if any(test.name in part for part in parts)]
    found: dict[tuple[bool | None, ...], Part] = {}
    for part in parts:
        view = View(part)
        found.setdefault(tuple(test.truth(view) for test in about), part)
    return list(found.values())


def dimensions(tests: Sequence[Test]) -> Iterator[list[Part]]:
    """The dimensions of facts that the tests need, each with points in all of its cells."""
    names = dict.fromkeys(name for test in tests for name in test.names())
    groups = {"model.": _models, "data.": _data, "device.": _single, "goal.": _single, META: _optional}
    for group, build in groups.items():
        mine = [name for name in names if name.startswith(group)]
        if mine:
            yield from build(mine, tests)


def _optional(names: Sequence[str], tests: Sequence[Test]) -> Iterator[list[Part]]:
    """What a recipe may leave out."""
    for name in names:
        yield [{}, *({name: value} for value in points(name, tests, SPREAD))]


def _single(names: Sequence[str], tests: Sequence[Test]) -> Iterator[list[Part]]:
    for name in names:
        yield [{name: value} for value in points(name, tests, SPREAD)]


def _models(names: Sequence[str], tests: Sequence[Test]) -> Iterator[list[Part]]:
    """Families with what they fix, crossed with free sizes; of a model that is not described no size is known."""
    fixed = [name for name in names if name.removeprefix("model.") in OF_FAMILY]
    free = [name for name in names if name not in fixed]
    sizes = list(_product({name: [value for value in points(name, tests) if value is not None] for name in free}))
    unknown: Part = dict.fromkeys(free)
    yield [
        {**{name: family[name] for name in fixed}, **size}
        for family, described in _families()
        for size in (sizes if described else [unknown])
    ]


@cache
def _families() -> tuple[tuple[Part, bool], ...]:
    """What each family fixes, and whether its sizes are known. Of types without notes both occur, in every form."""
    found: list[tuple[Part, bool]] = []
    for name in registry.names():
        family = registry.find(name)
        if family:
            facts = family.facts(family.config)
            found.append(({f"model.{key}": getattr(facts, key) for key in OF_FAMILY}, True))
    for kind, name in registry.OTHERS.items():
        known: Part = {"family": name, "kind": kind, "generative": kind != "encoder"}
        found.append(({f"model.{key}": known.get(key) for key in OF_FAMILY}, False))
        for fused, shared in product((False, True), repeat=2):
            form = {**known, "fused_projections": fused, "shared_layers": shared}
            found.append(({f"model.{key}": form[key] for key in OF_FAMILY}, True))
    return tuple(found)


def _data(names: Sequence[str], tests: Sequence[Test]) -> Iterator[list[Part]]:
    yield from _single([name for name in names if name not in DATA], tests)
    if any(name in DATA for name in names):
        yield list(_amounts(tests))


def _amounts(tests: Sequence[Test]) -> Iterator[Part]:
    """Examples, unlabelled texts and their sum: a point in every cell of the plane that the thresholds cut up."""
    samples, unlabelled, texts = (cuts(name, tests) for name in DATA)
    mores = [0, *_around(unlabelled + [both - one for both in texts for one in samples])]
    _refuse_more_than(MOST_CELLS, len(mores) * 5 * len(samples + texts), "points", tests)
    for more in mores:
        for count in [1, *_around(samples + [both - more for both in texts])]:
            if count >= 1 and more >= 0:
                yield dict(zip(DATA, (count, more, count + more), strict=True))
    yield dict(zip(DATA, (None, 0, None), strict=True))


def _around(ends: Iterable[int]) -> list[int]:
    # Two strict bounds can meet in a corner, so the nearest whole number inside may be two away.
    return sorted({end + offset for end in ends for offset in (-2, -1, 0, 1, 2)})


def cuts(name: str, tests: Sequence[Test]) -> list[int]:
    """The whole numbers at which tests of a fact change their answer."""
    return [math.floor(end) for test in tests if test.name == name for end in ends(test)]


def _product(values: Mapping[str, Sequence[Value]]) -> Iterator[Part]:
    return (dict(zip(values, chosen, strict=True)) for chosen in product(*values.values()))


def recipe_parts(tests: Sequence[Test]) -> Iterator[Part]:
    """Every set of steps with the tested settings of those that are in it."""
    tested = dict.fromkeys(name for test in tests for name in test.names() if _of_recipe(name))
    settings = {name: points(name, tests, SPREAD) for name in tested if name not in (RECIPE_STEPS, REMOVED_SHARE)}
    for steps in subsets(list(STEPS)):
        there = (*steps, "training", "gates")
        here = {name: values for name, values in settings.items() if name.split(".")[0] in there}
        structural = any(STEPS[step].structural for step in steps)
        here[REMOVED_SHARE] = points(REMOVED_SHARE, tests) if structural else [0.0]
        yield from ({RECIPE_STEPS: steps, **part} for part in _product(here))


def _of_recipe(name: str) -> bool:
    return name not in declared() and not name.startswith(META)
