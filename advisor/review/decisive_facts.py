"""Decisive facts: those that make a rule fire on a recipe, each with the place in the file that says it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from advisor.base.interval import Interval
from advisor.base.yamlfile import Document
from advisor.policy.conditions import Test
from advisor.policy.judge import said
from advisor.policy.rule import Rule
from advisor.policy.view import RECIPE_STEPS, View
from advisor.recipe.recipe import Recipe
from advisor.recipe.steps import STEPS
from advisor.review.findings import Cause, Path_, Place, at

OF_ALL_STEPS = {"recipe.removed_share": "removed share of parameters"}
CONFIG, NAME = "(its config)", "(its name)"


def causes(rule: Rule, recipe: Recipe, document: Document, view: View) -> Iterator[Cause]:
    """One cause for each decisive test of a rule, including tests of the recipe's own steps and settings."""
    for test in rule.when.decisive(view):
        if test.name == RECIPE_STEPS:
            yield from _steps(test, recipe, document)
        elif not test.known:
            yield _cause(test, recipe, document, view)


def _steps(test: Test, recipe: Recipe, document: Document) -> Iterator[Cause]:
    for step in recipe.step_names:
        if step in test.words:
            yield Cause(
                test.name, f"{step} is a step", Place.of(document, path_of((step,), recipe, document), key=True)
            )


def _cause(test: Test, recipe: Recipe, document: Document, view: View) -> Cause:
    path = path_of(tuple(test.name.split(".")), recipe, document)
    words = said(view.get(test.name)[1]) + bound(test.interval)
    if test.name.startswith("model.") and path[-1] != test.name.split(".")[1]:
        config_known = view.get("model.hidden_size")[1] is not None
        words = f"{_short(test.name)} {words} {CONFIG if config_known else NAME}"
    elif path == ("steps",):
        words = f"{OF_ALL_STEPS.get(test.name, _short(test.name))} {words}"
    elif test.name.split(".")[-1] != path[-1] and len(path) > 1:
        words = f"{_short(test.name)} {words}"
    if path in document.marks:
        return Cause(test.name, words, Place.of(document, path))
    return Cause(test.name, words + (", by default" if test.name.startswith("goal.") else ""))


def names_a_part(path: Path_) -> bool:
    """Is the name of a part to blame (a step, the list of steps) rather than a value?"""
    return path == ("steps",) or (path[:1] == ("steps",) and len(path) == 3)


def value_at(path: Path_, recipe: Recipe, document: Document) -> str:
    """What a finding is about, as JSON: a value, or of a step and of the list of steps only the names."""
    if names_a_part(path):
        return json.dumps(path[2] if len(path) == 3 else recipe.step_names)
    return at(document.value, path)


def bound(interval: Interval | None) -> str:
    """The bound that a number was compared with, in brackets."""
    return f" ({interval})" if interval else ""


def _short(name: str) -> str:
    return name.split(".", 1)[1].replace("_", " ")


def path_of(name: Sequence[str], recipe: Recipe, document: Document) -> Path_:
    """Where a recipe states a fact, a step, or one of a step's settings or measures; else the nearest part."""
    first, *rest = name
    if first in ("model", "device") and rest:
        at = ("hardware" if first == "device" else first, *rest)
        if at in document.marks:
            return at
    if first == "meta":
        return tuple(name) if tuple(name) in document.marks else ("meta",)
    if first == "model":
        return ("model", "family") if recipe.model.family else ("model", "source")
    if first == "device":
        return ("device",)
    if tuple(name) == ("data", "distillation_texts"):
        return ("data", "samples")
    steps = recipe.step_names
    if first not in steps:
        return tuple(name) if first in ("data", "goal", "gates", "training") else ("steps",)
    step: Path_ = ("steps", steps.index(first), first)
    settings = [setting for one in rest for setting in STEPS[first].measured.get(one, (one,))]
    return next(((*step, one) for one in settings if (*step, one) in document.marks), step)
