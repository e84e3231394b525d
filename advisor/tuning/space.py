"""The space of a search: the recipes that the policy allows and that may meet the goals, and why others are left out.

Axes: layers that stay, how they are chosen, the length of distillation, the width, int8. What the rules refuse, what
exact sizes rule out and what the predicted ranges rule out is never tried; it is listed with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from advisor.advice.candidates import Candidate, given, preferred, size_mb, usual
from advisor.advice.prediction import Prediction
from advisor.base.errors import AdviseError
from advisor.base.frozen import replace
from advisor.facts.facts import Facts
from advisor.families import registry
from advisor.families.family import Family
from advisor.families.heads import with_head
from advisor.families.shape import Shape
from advisor.inspection.probe import Model
from advisor.policy.pack import Policy
from advisor.recipe.levels import WIDTH, WRITES, level_of, narrower
from advisor.recipe.recipe import DataSource, Recipe
from advisor.recipe.steps.distillation import Distillation
from advisor.recipe.steps.finetune import Finetune
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.recipe.steps.matrix_pruning import MatrixPruning
from advisor.recipe.steps.quantization import Quantization
from advisor.recipe.steps.step import Step
from advisor.records.search import Choice, Excluded

AXES = ("layers", "choose", "epochs", "width", "int8")
CHOOSE = ("alternate", "top", "importance")
WIDTHS = (0.75, round(WIDTH, 4))  # shares of the width, beside the whole
LONGER = 2  # distillation takes so many times the epochs that rules prefer, or just these
MOST_DEPTHS, FEWEST = 12, 0.25  # different numbers of layers; the smallest share of them
DEEPER = "deeper"  # than the white paper's levels
Choices = Mapping[str, Choice]
Settings = Mapping[str, Any]  # of training, by their names in a recipe


class Place(NamedTuple):
    """A recipe of the space, judged and predicted, and its choice on each axis."""

    candidate: Candidate
    choices: Choices

    @property
    def recipe(self) -> Recipe:
        return self.candidate.recipe

    @property
    def level(self) -> str:
        return self.candidate.level

    @property
    def cost(self) -> float:
        """The expected share of the baseline's emissions: trials are compared by it before they are measured."""
        said = self.candidate.prediction
        return said.emissions.middle if said.emissions else said.compute or 1.0


class Space(NamedTuple):
    """What may be tried, the first ones to try, and what is left out.

    seeds: the advised recipe, one of each level. every: also what is left out now; trials of an earlier search may be
    among it.
    """

    axes: Mapping[str, tuple[Choice, ...]]
    places: tuple[Place, ...]
    seeds: tuple[Place, ...]
    excluded: tuple[Excluded, ...]
    every: tuple[Place, ...]

    def at(self, choices: Choices) -> Place | None:
        """The recipe of these choices."""
        wanted = dict(choices)
        return next((one for one in self.every if one.choices == wanted), None)


class Question(NamedTuple):
    """What a search is about: everything that decides which recipes there are."""

    policy: Policy
    facts: Facts
    model: Model
    data: DataSource
    name: str


def space(
    question: Question, advised: Candidate, candidates: Sequence[Candidate], training: Settings | None = None
) -> Space:
    """The space around advice.

    Args:
        advised: trial 0. candidates: of advice, the first of which at each level is tried next.
        training: settings that all recipes have, whatever rules prefer.

    Raises:
        AdviseError: nothing of it is as small as the goal asks.
    """
    firsts = [Place(one, _choices(one.recipe)) for one in (advised, *_one_of_each_level(candidates, advised))]
    # A recipe of advice stands where another one with the same choices would.
    every = [*firsts, *(one for one in _places(question) if all(one.choices != each.choices for each in firsts))]
    every = [_with_settings(training, one, question) for one in every]
    firsts = every[: len(firsts)]
    why = [_left_out(one, question.facts, one in firsts) for one in every]
    allowed = [one for one, (_, reason) in zip(every, why, strict=True) if not reason]
    if not allowed:
        raise AdviseError(*_nothing(every, question))
    beaten = [("", "" if one in firsts else _dominated(one, allowed)) for one in every]
    out = [refused if refused[1] else worse for refused, worse in zip(why, beaten, strict=True)]
    kept = [one for one, (_, reason) in zip(every, out, strict=True) if not reason]
    axes = {axis: _ordered([one.choices[axis] for one in kept]) for axis in AXES}
    excluded = tuple(
        Excluded(one.candidate.words, one.level, one.choices, rule, reason)
        for one, (rule, reason) in zip(every, out, strict=True)
        if reason
    )
    seeds = [one for one in firsts if one in kept] or kept[:1]
    return Space(axes, tuple(kept), tuple(seeds), excluded, tuple(every))


def _with_settings(training: Settings | None, place: Place, question: Question) -> Place:
    """The place with these settings of training in its recipe, judged and predicted anew."""
    if not training:
        return place
    recipe = replace(place.recipe, training=replace(place.recipe.training, **training))
    judged = given(question.policy, question.facts, question.model, recipe, place.level)
    return place._replace(candidate=judged)


def _ordered(values: Sequence[Choice]) -> tuple[Choice, ...]:
    """The values of an axis: the whole first, then less and less; names in alphabetical order."""
    distinct = set(values)
    numbers = sorted((one for one in distinct if isinstance(one, int | float)), reverse=True)
    names = sorted(one for one in distinct if isinstance(one, str))
    return (*((None,) if None in distinct else ()), *numbers, *names)


def _places(question: Question) -> Iterator[Place]:
    """Every recipe, whether it is allowed or not."""
    policy, facts, model, data, name = question
    family = with_head(registry.of(facts.model.family, model.config), facts.data.task)
    if family is None or model.config is None:
        raise AdviseError("a search needs a model whose family is described", hint="`advise families` lists them")
    shape = family.shape(model.config)
    fewer = depths(shape) if {"encoder", "decoder"} & set(shape.layers) else ()  # towers, which steps cannot name
    for layers, width in product((None, *fewer), (None, *WIDTHS)):
        steps = (Finetune(), *_structure(family, shape, facts, layers, width), Quantization())
        base = preferred(policy, facts, usual(policy, facts, model, data, name, steps))
        if width is not None and base.step("matrix_pruning") is None:
            continue  # this family cannot be narrowed
        for choose, longer, int8 in product(*_variants(base)):
            recipe = _varied(base, choose, longer, int8)
            found = given(policy, facts, model, recipe)
            cut = found.plan and level_of(found.plan)
            yield Place(found._replace(level=DEEPER if cut is None else cut), _choices(recipe))


def _variants(base: Recipe) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
    chooses = CHOOSE if base.step("layer_removal") else (None,)
    return chooses, (1, LONGER) if base.step("distillation") else (1,), (False, True)


def _varied(base: Recipe, choose: Any, longer: int, int8: bool) -> Recipe:
    steps: list[Step] = []
    for step in base.steps:
        if isinstance(step, LayerRemoval):
            step = replace(step, choose=choose)  # noqa: PLW2901
        if isinstance(step, Distillation):
            step = replace(step, epochs=step.epochs * longer)  # noqa: PLW2901
        steps.append(step)
    return replace(base, steps=tuple(steps if int8 else steps[:-1]))


def _choices(recipe: Recipe) -> Choices:
    """A recipe's value on each axis. width: the hidden size that it asks for, or the first size that it does."""
    removal, narrow = recipe.step("layer_removal"), recipe.step("matrix_pruning")
    found = recipe.step("distillation")
    layers = isinstance(removal, LayerRemoval) and (removal.keep or removal.decoder_keep or removal.encoder_keep)
    sizes = isinstance(narrow, MatrixPruning) and (narrow.hidden_size or narrow.intermediate_size or narrow.heads)
    return {
        "layers": layers or None,
        "choose": removal.choose if isinstance(removal, LayerRemoval) else None,
        "epochs": found.epochs if isinstance(found, Distillation) else None,
        "width": sizes or None,
        "int8": recipe.step("quantization") is not None,
    }


def depths(shape: Shape) -> tuple[int, ...]:
    """How many layers may stay: of the stack that is named last, which the others follow in proportion."""
    whole = list(shape.layers.values())[-1]
    fewest = max(1, math.ceil(whole * FEWEST))
    every = range(fewest, whole)
    usual_ = {round(whole / 3), math.ceil(whole * 2 / 3)} & set(every)
    step = max(1, math.ceil(len(every) / MOST_DEPTHS))
    return tuple(sorted({*every[::step], *usual_}, reverse=True))


def _structure(family: Family, shape: Shape, facts: Facts, layers: int | None, width: float | None) -> tuple[Step, ...]:
    """The steps that cut to so many layers and this share of the width."""
    narrow = narrower(family, shape, width) if width else None
    cut = (_removal(shape, facts, layers), Distillation()) if layers else ()
    return (*cut, *((narrow,) if narrow else ()))


def _removal(shape: Shape, facts: Facts, layers: int) -> LayerRemoval:
    if len(shape.layers) == 1:
        return LayerRemoval(keep=layers)
    whole = shape.layers["decoder"]
    if facts.data.task in WRITES:
        return LayerRemoval(decoder_keep=layers)
    encoder = max(1, math.ceil(shape.layers["encoder"] * layers / whole))
    return LayerRemoval(encoder_keep=encoder, decoder_keep=layers)


def _one_of_each_level(candidates: Sequence[Candidate], advised: Candidate) -> Iterator[Candidate]:
    """The first admissible recipe of each level that the advised one is not of, the shortest last."""
    seen = {advised.level}
    for one in candidates:
        if one.admissible and one.level not in seen and one.plan is not None and not one.recipe.student:
            seen.add(one.level)
            yield one


def _left_out(place: Place, facts: Facts, first: bool) -> tuple[str, str]:
    """The rule that refuses a recipe and its message, or "" and what rules it out; twice "" where nothing does.

    first: one that is tried whatever the predicted ranges say.
    """
    found, goal = place.candidate, facts.goal
    for one in found.violations:
        if one.rule.severity == "error":
            return one.rule.id, one.message
    if found.problems:
        return "", f"does not fit the model: {found.problems[0].text}"
    size = smallest_mb(found)
    if goal.size_mb is not None and size is not None and size > goal.size_mb:
        return "", f"{size:,.1f} MB or more, above {goal.size_mb:g}"
    return "", "" if first else _by_ranges(found.prediction, facts)


def _by_ranges(said: Prediction, facts: Facts) -> str:
    """Why the whole of a predicted range misses a goal."""
    goal = facts.goal
    if said.accuracy and said.accuracy.high < goal.relative_accuracy:
        return f"relative accuracy {said.accuracy} expected, below {goal.relative_accuracy:g}"
    if said.emissions and goal.relative_emissions is not None and said.emissions.low > goal.relative_emissions:
        return f"relative emissions {said.emissions} expected, above {goal.relative_emissions:g}"
    return ""


def _dominated(place: Place, others: Sequence[Place]) -> str:
    """The recipe whose worst is expected to be better than this one's best."""
    own = place.candidate.prediction
    if own.accuracy is None or own.emissions is None:
        return ""
    for other in others:
        said = other.candidate.prediction
        if said.accuracy and said.emissions:
            better = said.accuracy.low >= own.accuracy.high and said.emissions.high <= own.emissions.low
            if better and (said.accuracy, said.emissions) != (own.accuracy, own.emissions):
                return f"{other.candidate.words} is expected to be better in every respect"
    return ""


def smallest_mb(found: Candidate) -> float | None:
    """Megabytes on disk, at least: exact without int8."""
    size, share = size_mb(found.prediction, found.plan), found.prediction.size
    return size * share.low / share.high if size is not None and share is not None else None


def _nothing(every: Sequence[Place], question: Question) -> Iterator[str]:
    goal = question.facts.goal.size_mb
    fitting = [one for one in every if one.candidate.admissible]
    if not fitting:
        yield "the policy leaves no admissible recipe to search"
        return
    sizes = {one.candidate.words: smallest_mb(one.candidate) or math.inf for one in fitting}
    words = min(sizes, key=lambda one: sizes[one])
    yield f"no recipe is as small as {goal:g} MB: the smallest, {words}, has {sizes[words]:,.1f} MB or more"
