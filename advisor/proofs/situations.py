"""Situations: real facts, a real model and a real recipe in some cells, so that nothing is claimed that cannot be.

Cells take a model's sizes and a recipe's measures as free numbers. Here configs and settings are tried until a model
and a recipe have them; what none has stays undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from itertools import islice, product
from typing import Any, NamedTuple

from advisor.advice.candidates import recipe_of, stated
from advisor.base.interval import show
from advisor.facts.facts import DataFacts, DeviceFacts, Facts, Goal, ModelFacts
from advisor.facts.tasks import USUAL
from advisor.families import registry
from advisor.inspection.probe import Model, checkpoint
from advisor.policy.view import META, RECIPE_STEPS, View, look
from advisor.proofs.formula import Cells
from advisor.proofs.models import models
from advisor.proofs.space import describe
from advisor.proofs.translation import ONE, Copy, Translation
from advisor.proofs.variables import ABSENT, MODEL
from advisor.recipe.plan import plan
from advisor.recipe.recipe import AS_BOUND, DataSource, Gates, Recipe
from advisor.recipe.steps import STEPS
from advisor.records.training_settings import Training

MOST_TRIED = 400  # models and recipes for one cell
PER_TRIED = 10  # that are looked at for each that is tried: many recipes cannot be carried out on their model
SAMPLES = 1000  # where no rule asks for the examples


class Situation(NamedTuple):
    """Facts, the model that they are of, and a recipe; the view is what rules see of all three."""

    facts: Facts
    model: Model
    recipe: Recipe
    view: View


def find(
    known: Translation,
    cells: Cells,
    wanted: Callable[[Situation], bool],
    copy: Copy = ONE,
    amounts: int = 0,
    most: int = MOST_TRIED,
) -> Situation | None:
    """The first situation in some cells that is as wanted; None where none was found.

    Args:
        amounts: which of the data sets that the cells tell of, where they tell of less and more.
        most: how many are tried, of at most PER_TRIED times as many that are looked at.
    """
    tried = islice(_situations(known, cells, copy, amounts), most * PER_TRIED)
    possible = islice((one for one in tried if one), most)
    return next((one for one in possible if wanted(one)), None)


def _situations(known: Translation, cells: Cells, copy: Copy, amounts: int) -> Iterator[Situation | None]:
    """All models with all recipes; None for a recipe that cannot be carried out on its model."""
    values = _values(known, cells, copy)
    suffixes = ("less", "more") if copy.amounts else ("",)
    numbers = known.amounts.numbers(cells, suffixes)
    if numbers is None:
        return
    data = given_data({**values, **numbers[amounts]})
    for model in models(known.tests, values, data.labels or 2):
        facts = facts_of(values, model.facts, data)
        for recipe in recipes(known, values, facts, model):
            planned = plan(recipe, model.config, data.labels or 2) if model.config else None
            impossible = planned is not None and planned.problems
            measures = planned.measures if planned else {}
            yield None if impossible else Situation(facts, model, recipe, look(facts, recipe, measures))


def _values(known: Translation, cells: Cells, copy: Copy) -> dict[str, Any]:
    """The values of the first cell of every variable that is not free, and of a model and a recipe in any case."""
    found: dict[str, Any] = {}
    for key, variable in known.variables.items():
        mask = cells.get(key + known.suffix(key, copy), variable.whole)
        if mask == variable.whole and key not in (MODEL, RECIPE_STEPS):
            continue
        row = variable.rows[(mask & -mask).bit_length() - 1]
        found |= dict(zip(variable.names, row, strict=True))
    return {name: value for name, value in found.items() if value is not ABSENT}


def given_data(values: Mapping[str, Any]) -> DataFacts:
    """Data as they may be: a class has an example, only a regression has one label, only texts a kind of labels."""
    given = {name[5:]: value for name, value in values.items() if name.startswith("data.")}
    labels = given.get("labels")
    if "samples" not in given:
        given["samples"] = max(SAMPLES, labels or 0)
    if given.get("task") not in (None, USUAL):
        given["problem_type"] = None
    elif labels == 1 and "problem_type" not in given:
        given["problem_type"] = "regression"
    return DataFacts(**{**given, "distillation_texts": None})


def facts_of(values: Mapping[str, Any], model: ModelFacts, data: DataFacts) -> Facts:
    """Facts with the values of some cells; what no rule asks for is as advice has it by default."""
    device = {name[7:]: value for name, value in values.items() if name.startswith("device.")}
    goal = {name[5:]: value for name, value in values.items() if name.startswith("goal.")}
    goal = {name: None if value == float("inf") else value for name, value in goal.items()}
    texts = {name: values[f"model.{name}"] for name in ("source", "revision", "licence") if f"model.{name}" in values}
    meta = tuple(sorted((name.removeprefix(META), value) for name, value in values.items() if name.startswith(META)))
    if texts.get("source"):
        texts["source"] = checkpoint(texts["source"])
    return Facts(model._replace(**texts), data, DeviceFacts(**{"kind": "cpu", **device}), Goal(**goal), meta)


def recipes(known: Translation, values: Mapping[str, Any], facts: Facts, model: Model) -> Iterator[Recipe]:
    """Recipes with the steps and settings that are wanted; of sizes to keep several."""
    gates = {name[6:]: value for name, value in values.items() if name.startswith("gates.")}
    training = Training(**{name[9:]: one for name, one in values.items() if name.startswith("training.")})
    data = stated(facts.data, DataSource(source=facts.data.source))
    source = replace(model.source, source=facts.model.source or model.source.source)
    for steps in product(*(_steps(step, values, model) for step in values["order"])):
        recipe = recipe_of(facts, source, steps, data, "example")
        yield replace(recipe, gates=_gates(gates) if gates else None, training=training)


def _gates(values: Mapping[str, float]) -> Gates:
    return Gates(**{name: f"{AS_BOUND[name]} {show(one).replace(',', '')}" for name, one in values.items()})


def _steps(name: str, values: Mapping[str, Any], model: Model) -> Iterator[Any]:
    """One step with the settings that are wanted, and with several sizes where it needs some that no rule names."""
    names = {item.name for item in fields(STEPS[name])}
    given = {one: values[f"{name}.{one}"] for one in names if f"{name}.{one}" in values}
    family = registry.of_config(model.config or {})
    if family is None or model.config is None or not STEPS[name].structural:
        yield STEPS[name](**given)
        return
    shape = family.shape(model.config)
    options: dict[str, list[Any]] = {}
    if name == "layer_removal":
        single = len(shape.layers) == 1
        for stack, depth in shape.layers.items():
            key = "keep" if single else f"{stack}_keep"
            options[key] = [*range(depth - 1, 0, -1)] if single else [None, *_some(depth)]
    else:
        heads = range(shape.heads, 0, -1)
        options["hidden_size"] = [None, *(count * shape.head_size for count in heads)]
        options["intermediate_size"] = [None, *_some(shape.intermediate_size)]
    options = {key: [given[key]] if given.get(key) else found for key, found in options.items() if key in names}
    for chosen in product(*options.values()):
        yield STEPS[name](**{**given, **dict(zip(options, chosen, strict=True))})


def _some(size: int) -> list[int]:
    """Smaller sizes: a few shares of it, rounded and not."""
    shares = (0.95, 0.75, 0.6, 0.5, 0.3, 0.1)
    found = [max(1, int(size * share)) for share in shares]
    return list(dict.fromkeys([*found, *(max(1, one // 64 * 64) for one in found), 1]))


def words_of(view: View, names: Iterable[str]) -> str:
    """What a situation is, as far as some rules ask."""
    return describe(View({name: view.values[name] for name in names if name in view.values}, view.order))
