"""View: all that a rule may look at, the facts and a recipe's steps, as one table of names and values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Literal, NamedTuple, get_args, get_origin, get_type_hints

from advisor.base.frozen import names
from advisor.facts.facts import Facts, Value, declared
from advisor.families import registry
from advisor.recipe.recipe import AS_BOUND, Recipe
from advisor.recipe.steps import STEPS
from advisor.recipe.steps.step import Step
from advisor.records.training_settings import Training

RECIPE_STEPS = "recipe.steps"
REMOVED_SHARE = "recipe.removed_share"  # of all parameters, by all steps together
# What a rule may limit besides settings: the bounds that a recipe itself puts on its measured model.
GATES = tuple(f"gates.{name}" for name in AS_BOUND)
TRAINING = tuple(f"training.{name}" for name in names(Training))  # which rules may limit too
META = "meta."  # keys that a pack declares


class View(NamedTuple):
    """Values by full name (`data.samples`, `recipe.steps`, `layer_removal.keep`), None where unknown."""

    values: Mapping[str, Value]
    order: tuple[str, ...] = ()

    def get(self, name: str) -> tuple[bool, Value]:
        """Is there such a thing here, and its value. A setting of an absent step is not there."""
        return name in self.values, self.values.get(name)


@lru_cache(maxsize=4)  # advice looks at the same facts for every candidate
def _values(facts: Facts) -> dict[str, Value]:
    return facts.values()


def look(facts: Facts, recipe: Recipe | None = None, measures: Mapping[str, Value] | None = None) -> View:
    """The view of some facts and, if given, of a recipe with the measures of its plan."""
    values = dict(_values(facts))
    steps = recipe.steps if recipe else ()
    values[RECIPE_STEPS] = frozenset(step.name for step in steps)
    values[REMOVED_SHARE] = None if any(step.structural for step in steps) else 0.0
    for step in steps:
        values |= {f"{step.name}.{name}": None for name in step.measured}
        values |= {f"{step.name}.{name}": getattr(step, name) for name in names(step)}
    values |= _training(recipe.training) if recipe else {}
    values |= _gates(recipe) if recipe and recipe.gates else {}
    return View(values | dict(measures or {}), tuple(step.name for step in steps))


@lru_cache(maxsize=64)  # most recipes train alike
def _training(training: Training) -> dict[str, Value]:
    return {f"training.{name}": getattr(training, name) for name in names(training)}


def _gates(recipe: Recipe) -> dict[str, Value]:
    """The bounds of the recipe's own gates. Without gates of its own it has its goal's, which advice has judged."""
    bounds = recipe.gates.bounds() if recipe.gates else {}
    ends = {name: bound.low if AS_BOUND[name] == ">=" else bound.high for name, bound in bounds.items()}
    return {f"gates.{name}": float(end) for name, end in ends.items() if end is not None}


def settings(step: type[Step]) -> tuple[str, ...]:
    """What rules may say about a step: its settings and its measures."""
    return (*names(step), *step.measured)


@cache
def known() -> dict[str, tuple[object, ...]]:
    """Every name that a condition may test, with the words it may take (empty: numbers, or any)."""
    words = {"category", "set", "flag"}
    found: dict[str, tuple[object, ...]] = {
        name: fact.domain if fact.type in words else () for name, fact in declared().items()
    }
    found["model.family"] = (*registry.names(), *registry.OTHERS.values())
    found |= {name: (True, False) for name, fact in declared().items() if fact.type == "flag"}
    found[RECIPE_STEPS] = tuple(STEPS)
    found[REMOVED_SHARE] = ()
    found |= {f"training.{name}": _words(Training, name) for name in names(Training)}
    found |= dict.fromkeys(GATES, ())
    for step in STEPS.values():
        found |= {f"{step.name}.{setting}": _words(step, setting) for setting in settings(step)}
    return found


def is_text(name: str) -> bool:
    """Does a fact take any text, which words and patterns match?"""
    fact = declared().get(name)
    return fact is not None and fact.type == "text"


def _words(step: type, setting: str) -> tuple[object, ...]:
    """The words that a setting may take; empty for a number."""
    hint = get_type_hints(step).get(setting)
    return get_args(hint) if get_origin(hint) is Literal else ()
