"""Candidates: every recipe that might be advised, judged by the rules and predicted.

No compression, 2/3 of the layers, 1/3, 1/3 with matrix pruning, and a given student where one is named; each with and
without int8.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard, TypeVar

from advisor.advice.making import Making, making, total
from advisor.advice.prediction import Prediction, predict
from advisor.base.frozen import names, replace
from advisor.facts.facts import DataFacts, Facts, Goal, Value
from advisor.families import registry
from advisor.families.family import Config, Family
from advisor.inspection.probe import Model
from advisor.policy.judge import Violation, preferences, violations
from advisor.policy.pack import Policy
from advisor.policy.view import look
from advisor.recipe.levels import LEVELS, structure
from advisor.recipe.plan import Plan, Problem, plan
from advisor.recipe.recipe import DataSource, ModelSource, Recipe, to_aims, to_hardware
from advisor.recipe.steps.distillation import Distillation
from advisor.recipe.steps.finetune import Finetune
from advisor.recipe.steps.quantization import Quantization
from advisor.recipe.steps.step import Step
from advisor.records.training_settings import Training

if TYPE_CHECKING:  # only a user who asks for it pays for reading the past
    from advisor.advice.history import History, Narrowed

NO_EVIDENCE = "there is no evidence to predict it from"
LONGEST, TOKENS_STEP = 512, 64  # what advice lets a text grow to, and in what steps


class Choosing(NamedTuple):
    """What else decides than facts and rules. history: the user's own runs, which narrow the predicted ranges.

    cautious: a goal is met where the worse end of the predicted range meets it, not where the register's middle does.
    """

    history: History | None = None
    cautious: bool = False


USUALLY = Choosing()


T = TypeVar("T")


STUDENT = "student"  # in place of a level: no own run of a level narrows what is expected of it


class Candidate(NamedTuple):
    """One recipe that might be advised. `misses`: the goals that it is predicted to miss, in words.

    judged: the ranges by which it is chosen: the register's, by their middle, or to be cautious the predicted ones.
    narrowed: what the user's own runs made of its ranges. making: what it costs to make.
    """

    recipe: Recipe
    level: str
    plan: Plan | None
    prediction: Prediction
    judged: Prediction
    violations: tuple[Violation, ...]
    misses: tuple[str, ...]
    narrowed: tuple[Narrowed, ...] = ()
    making: Making | None = None

    @property
    def admissible(self) -> bool:
        return not self.problems and not any(one.rule.severity == "error" for one in self.violations)

    @property
    def problems(self) -> Sequence[Problem]:
        """What does not fit the model, by step."""
        return self.plan.problems if self.plan else ()

    @property
    def words(self) -> str:
        return ", ".join(step.words() for step in self.recipe.steps)


def stated(facts: DataFacts, source: DataSource) -> DataSource:
    """The data as the recipe states it: where it comes from, and all that was decided on."""
    what: dict[str, Any] = {"task": facts.task, "problem_type": facts.problem_type}
    return replace(
        source,
        **what,
        samples=facts.samples,
        eval_samples=facts.eval_samples,
        unlabelled_samples=facts.unlabelled_samples or None,
        labels=facts.labels,
        mean_tokens=facts.mean_tokens,
    )


def recipe_of(facts: Facts, source: ModelSource, steps: tuple[Step, ...], data: DataSource, name: str) -> Recipe:
    """A recipe that states all facts that it was decided on. data: where they come from, with what is known of them."""
    device: Any = facts.device.kind
    source = replace(source, revision=facts.model.revision, licence=facts.model.licence)
    hardware, meta = to_hardware(facts.device), {key: value for key, value in facts.meta if _is_scalar(value)}
    return Recipe(1, name, source, device, steps, data, to_aims(facts.goal), hardware=hardware, meta=meta)


def _is_scalar(value: Value) -> TypeGuard[str | int | float | bool]:
    return isinstance(value, str | int | float | bool)


def candidates(
    policy: Policy,
    facts: Facts,
    model: Model,
    data: DataSource,
    name: str,
    choosing: Choosing = USUALLY,
) -> Iterator[Candidate]:
    """All of them, mildest first."""
    family = registry.of(facts.model.family, model.config)
    for level, steps in _structures(family, model, facts.data.task or ""):
        for int8 in (False, True):
            whole = (Finetune(), *steps, *((Quantization(),) if int8 else ()))
            yield _candidate(policy, facts, model, usual(policy, facts, model, data, name, whole), level, choosing)


def usual(policy: Policy, facts: Facts, model: Model, data: DataSource, name: str, steps: tuple[Step, ...]) -> Recipe:
    """A recipe of these steps with the usual settings of training."""
    training = _training(registry.of(facts.model.family, model.config), model.config, facts.data)
    return replace(recipe_of(facts, model.source, steps, data, name), training=training, policy=policy.stamp)


def _structures(family: Family | None, model: Model, task: str) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """The levels that there are with their steps, and the given student."""
    for level in LEVELS:
        steps = structure(level, family, model.config, task)
        if steps is not None:
            yield level, steps
    if model.student:
        yield STUDENT, (Distillation(student=model.student.source.source),)


def _training(family: Family | None, config: Config | None, data: DataFacts) -> Training:
    """The usual settings; texts twice as long as the mean are not cut, as far as the model has positions for them."""
    usual = Training().max_tokens
    wanted = max(usual, min(LONGEST, TOKENS_STEP * math.ceil(2 * (data.mean_tokens or 0) / TOKENS_STEP)))
    most = family.longest(config) if family and config else None
    return Training(max_tokens=max(2, min(most or wanted, wanted)))


def _candidate(policy: Policy, facts: Facts, model: Model, recipe: Recipe, level: str, choosing: Choosing) -> Candidate:
    return given(policy, facts, model, preferred(policy, facts, recipe), level, choosing)


def preferred(policy: Policy, facts: Facts, recipe: Recipe) -> Recipe:
    """The recipe with the settings that rules prefer."""
    wishes = preferences(policy, look(facts, recipe))
    steps = tuple(_preferred(step.name, step, wishes) for step in recipe.steps)
    training = _preferred("training", recipe.training, wishes)
    shortest = min(training.max_tokens, recipe.training.max_tokens)  # a model has only so many positions
    return replace(recipe, steps=steps, training=replace(training, max_tokens=shortest))


def given(
    policy: Policy,
    facts: Facts,
    model: Model,
    recipe: Recipe,
    level: str = "",
    choosing: Choosing = USUALLY,
) -> Candidate:
    """A recipe judged and predicted as it stands."""
    planned = plan(recipe, model.config or {}, facts.data.labels or 2, model.student_config)
    found = violations(policy, look(facts, recipe, planned.measures if planned else {}))
    family, int8 = registry.of(facts.model.family, model.config), recipe.step("quantization") is not None
    prediction = predict(planned, family, facts.data, int8)
    judged = predict(planned, family, facts.data, int8, family.judged_as if family else "", measured=False)
    narrowed: tuple[Narrowed, ...] = ()
    history, cautious = choosing
    if history and not (planned and planned.problems):
        prediction, narrowed = history.narrow(prediction, int8)
        judged, _ = history.narrow(judged, int8)
    judged = prediction if cautious else judged
    misses = tuple(_misses(judged, facts.goal, planned, cautious))
    cost = making(planned, recipe, facts.data, prediction.emissions)
    return Candidate(recipe, level, planned, prediction, judged, tuple(found), misses, narrowed, cost)


def _preferred(part: str, settings: T, wishes: dict[str, tuple[Any, str]]) -> T:
    """The settings of a part of a recipe, with the values that rules prefer."""
    chosen = {name: wishes[f"{part}.{name}"][0] for name in names(settings) if f"{part}.{name}" in wishes}
    return replace(settings, **chosen) if chosen else settings


def _misses(prediction: Prediction, goal: Goal, planned: Plan | None, cautious: bool) -> Iterator[str]:
    if prediction.accuracy is None or prediction.emissions is None:
        yield NO_EVIDENCE
        return
    accuracy, emissions = prediction.accuracy, prediction.emissions
    least, most = (accuracy.low, emissions.high) if cautious else (accuracy.middle, emissions.middle)
    ends = ("lower end", "upper end") if cautious else ("middle", "middle")
    if round(least, 9) < goal.relative_accuracy:
        yield f"relative accuracy {accuracy}, {ends[0]} below {goal.relative_accuracy:g}"
    if goal.relative_emissions is not None and most > goal.relative_emissions:
        yield f"relative emissions {emissions}, {ends[1]} above {goal.relative_emissions:g}"
    if goal.size_mb is not None:
        size = size_mb(prediction, planned)
        if size is None:
            yield "its size is not known, as the family is not described"
        elif size > goal.size_mb:
            yield f"size {size:,.0f} MB, above {goal.size_mb:g}"


def size_mb(prediction: Prediction, planned: Plan | None) -> float | None:
    """Megabytes on disk, at most: 4 bytes for each parameter of the baseline, times the upper end of the share."""
    if planned is None or prediction.size is None:
        return None
    return planned.baseline_parameters * 4 / 1e6 * prediction.size.high


def greenest(candidate: Candidate) -> tuple[float, float, int]:
    """Sorts the greenest first; of equally green ones the more accurate, then the shorter.

    Where the number of requests is known, the making of a model counts with what it emits while it serves.
    """
    judged = candidate.judged
    if judged.emissions is None or judged.accuracy is None:
        return (float("inf"), 0.0, 0)
    emitted = total(candidate.making, judged.emissions, candidate.recipe.goal.requests)
    return (emitted, -judged.accuracy.middle, len(candidate.recipe.steps))
