"""Causes: the facts that make a rule fire on a recipe, each with the place in the file that says it."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.findings import Cause, Path_, Place
from advisor.policy.conditions import Test
from advisor.policy.judge import said
from advisor.policy.rule import Rule
from advisor.policy.view import RECIPE_STEPS, View
from advisor.recipe import Recipe
from advisor.yamlfile import Document

CONFIG = "says the model's config"


def causes(rule: Rule, recipe: Recipe, document: Document, view: View) -> Iterator[Cause]:
    """One cause for each decisive test of a rule, those of the recipe's own steps and settings among them."""
    for test in rule.when.decisive(view):
        if test.name == RECIPE_STEPS:
            yield from _steps(test, recipe, document)
        elif not test.known:
            yield _cause(test, recipe, document, view)


def _cause(test: Test, recipe: Recipe, document: Document, view: View) -> Cause:
    words = said(view.get(test.name)[1]) + (f" ({test.interval})" if test.interval else "")
    group, _, name = test.name.partition(".")
    if group == "model":
        path: Path_ = ("model", "family") if recipe.model.family else ("model", "source")
        words = words if name == "family" and recipe.model.family else f"{name.replace('_', ' ')} {words}, {CONFIG}"
        return Cause(test.name, words, place_of(document, path))
    return Cause(test.name, words, place_of(document, _path(test.name, recipe)))


def _steps(test: Test, recipe: Recipe, document: Document) -> Iterator[Cause]:
    for place, step in enumerate(recipe.step_names):
        if step in test.words:
            path = ("steps", place, step)
            mark = document.keys.get(path) or document.mark(path)
            where = Place(document.name, mark.line, mark.column, mark.end_line, mark.end_column)
            yield Cause(test.name, step, where)


def _path(name: str, recipe: Recipe) -> Path_:
    """Where the recipe says a fact or a step's setting."""
    group, _, rest = name.partition(".")
    if group == "device":
        return ("device",)
    if name == "data.distillation_texts":
        return ("data", "samples")
    if group in recipe.step_names:
        return ("steps", recipe.step_names.index(group), group, rest)
    return (group, rest)


def place_of(document: Document, path: Path_) -> Place | None:
    """The place of a value that the recipe says itself, or None."""
    mark = document.marks.get(path)
    return Place(document.name, mark.line, mark.column, mark.end_line, mark.end_column) if mark else None
