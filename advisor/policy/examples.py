"""Examples of rules: a situation in a few words, made into a view, so that every rule carries its own test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from advisor.base.constraints import Bound
from advisor.base.errors import PolicyError, suggest
from advisor.base.validation import Mistake, validate
from advisor.base.yamlfile import Path_
from advisor.facts.facts import DataFacts, DeviceFacts, Facts, Goal, ModelFacts, declared
from advisor.facts.tasks import current
from advisor.inspection import probe
from advisor.policy.rule import Rule, Text
from advisor.policy.view import META, View, known, look
from advisor.recipe.assembly import step_of
from advisor.recipe.plan import plan
from advisor.recipe.recipe import ModelSource, Recipe
from advisor.recipe.steps import STEPS
from advisor.recipe.steps.step import Step
from advisor.records.training_settings import Training

Count = Annotated[int, Bound(ge=0)]


@dataclass(frozen=True, slots=True)
class Said:
    """What an example says in a word of its own."""

    model: Text | None = None
    samples: Count | None = None
    unlabelled_samples: Count = 0
    eval_samples: Count | None = None
    task: Text | None = None
    device: Literal["cpu", "cuda", "mps", "edge"] | None = None
    min_accuracy: float = 0.95
    max_emissions: float | None = None
    steps: tuple[Any, ...] = ()


KEYS = tuple(item.name for item in fields(Said))
FREE = ("training.", "gates.")  # what an example may say of a recipe by its full name


def mistakes_of(example: Mapping[str, Any], at: Path_) -> list[Mistake]:
    """All that is wrong with the values of an example. at: where it stands in its file."""
    _, found = validate(Said, {name: value for name, value in example.items() if name in KEYS}, at)
    steps = example.get("steps")
    for place, entry in enumerate(steps if isinstance(steps, list) else ()):
        found += step_of(entry, (*at, "steps", place))[1]
    for name, value in example.items():
        if name.startswith("training."):
            found += validate(Training, {name.partition(".")[2]: value}, at)[1]
        elif name not in KEYS and not _suits(name, value):
            found.append(Mistake((*at, name), f"{'.'.join(map(str, at))}: {name} cannot be {value!r:.40}"))
    return found


def _suits(name: str, value: Any) -> bool:
    """Is a value of the type of the fact or gate that has the name, or at least a plain one?"""
    kind = declared()[name].type if name in declared() else "number" if name.startswith("gates.") else ""
    if kind in ("integer", "number"):
        types: tuple[type, ...] = (int,) if kind == "integer" else (int, float)
        return value is None or (isinstance(value, types) and not isinstance(value, bool))
    if kind == "set":
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    scalar = bool if kind == "flag" else str if kind else (str, int, float, bool)
    return value is None or isinstance(value, scalar)


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
