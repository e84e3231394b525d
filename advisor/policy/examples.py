"""Examples of rules: a situation in a few words, made into a view, so that every rule carries its own test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from advisor.base.errors import PolicyError, suggest
from advisor.facts.facts import DataFacts, DeviceFacts, Facts, Goal, ModelFacts, declared
from advisor.facts.tasks import current
from advisor.inspection import probe
from advisor.policy.rule import Rule
from advisor.policy.view import META, View, known, look
from advisor.recipe.plan import plan
from advisor.recipe.recipe import ModelSource, Recipe
from advisor.recipe.steps import STEPS
from advisor.recipe.steps.step import Step

KEYS = (
    "model",
    "samples",
    "unlabelled_samples",
    "eval_samples",
    "task",
    "device",
    "min_accuracy",
    "max_emissions",
    "steps",
)


FREE = ("training.", "gates.")  # what an example may say of a recipe by its full name


def view_of(example: Mapping[str, Any]) -> View:
    """The view of an example: base checkpoints by family name; what is left out is unknown.

    A fact that has no short word is given by its full name, as in `model.parameters: 6000000000`.

    Raises:
        PolicyError: it uses a word that examples do not know.
    """
    free = tuple(name for name in known() if name.startswith(FREE))
    for key in example:
        if key not in (*KEYS, *free) and key not in declared() and not key.startswith(META):
            raise PolicyError(f"an example cannot say {key!r}", hint=suggest(key, (*KEYS, *declared(), *free)))
    model = probe.model(example["model"]) if "model" in example else None
    stated = current({"task": example.get("task")})
    samples, unlabelled = example.get("samples"), example.get("unlabelled_samples", 0)
    data = DataFacts(samples, example.get("eval_samples"), unlabelled, **stated)
    goal = Goal(example.get("min_accuracy", 0.95), example.get("max_emissions"))
    facts = Facts(model.facts if model else ModelFacts(), data, DeviceFacts(example.get("device")), goal)
    for name in example.keys() & declared().keys():
        group, fact = name.split(".")
        value = frozenset(example[name]) if isinstance(example[name], list) else example[name]
        facts = facts._replace(**{group: getattr(facts, group)._replace(**{fact: value})})
    free_values = {name: value for name, value in example.items() if name.startswith((META, *FREE))}
    view = _view(example, facts, model)
    return View({**view.values, **free_values}, view.order)


def _view(example: Mapping[str, Any], facts: Facts, model: probe.Model | None) -> View:
    if "steps" not in example:
        return look(facts)
    device: Any = example.get("device", "cpu")
    steps = tuple(_step(item) for item in example["steps"])
    recipe = Recipe(1, "example", model.source if model else ModelSource("example"), device, steps)
    planned = plan(recipe, model.config) if model and model.config else None
    return look(facts, recipe, planned.measures if planned else {})


def _step(item: str | Mapping[str, Any]) -> Step:
    name, settings = (item, {}) if isinstance(item, str) else next(iter(item.items()))
    if name not in STEPS:
        raise PolicyError(f"an example names an unknown step {name!r}", hint=suggest(name, STEPS))
    return STEPS[name](**settings)


def failing(rule: Rule) -> list[str]:
    """The examples of a rule that do not come out as they say; empty when all do."""
    wrong = [
        f"{rule.id} should fire on {one} and does not"
        for one in rule.examples.fires
        if rule.when.truth(view_of(one)) is not True
    ]
    return wrong + [
        f"{rule.id} should be quiet on {one} and is not"
        for one in rule.examples.quiet
        if rule.when.truth(view_of(one)) is not False
    ]
