"""Candidates: every recipe that might be advised, judged by the rules and predicted.

No compression, 2/3 of the layers, 1/3, 1/3 with matrix pruning; each with and without int8.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

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
from advisor.recipe.recipe import DataSource, ModelSource, Recipe, to_hardware, to_targets
from advisor.recipe.steps.finetune import Finetune
from advisor.recipe.steps.quantization import Quantization
from advisor.recipe.steps.step import Step
from advisor.records.training_settings import Training

if TYPE_CHECKING:  # only a user who asks for it pays for reading the past
    from advisor.advice.history import History, Narrowed


class Candidate(NamedTuple):
    """One recipe that might be advised. `misses`: the goals that it is predicted to miss, in words.

    narrowed: what the user's own runs made of its ranges.
    """

    recipe: Recipe
    level: str
    plan: Plan | None
    prediction: Prediction
    judged: Prediction
    violations: tuple[Violation, ...]
    misses: tuple[str, ...]
    narrowed: tuple[Narrowed, ...] = ()

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
    task: Any = facts.task
    return replace(
        source,
        task=task,
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
    return Recipe(1, name, source, device, steps, data, to_targets(facts.goal), hardware=hardware, meta=meta)


def _is_scalar(value: Value) -> TypeGuard[str | int | float | bool]:
    return isinstance(value, str | int | float | bool)


def candidates(
    policy: Policy, facts: Facts, model: Model, data: DataSource, name: str, history: History | None = None
) -> Iterator[Candidate]:
    """All of them, mildest first. history: own runs, which narrow the predictions."""
    family = registry.of(facts.model.family, model.config)
    training = _training(family, model.config)
    for level in LEVELS:
        steps = structure(level, family, model.config, facts.data.task or "")
        if steps is None:
            continue
        for int8 in (False, True):
            whole = (Finetune(), *steps, *((Quantization(),) if int8 else ()))
            recipe = replace(recipe_of(facts, model.source, whole, data, name), training=training, policy=policy.stamp)
            yield _candidate(policy, facts, model, recipe, level, history)


def _training(family: Family | None, config: Config | None) -> Training:
    """The usual settings; texts no longer than the model has positions for."""
    most = family.longest(config) if family and config else None
    return Training(max_tokens=max(2, min(most, Training().max_tokens))) if most else Training()


def _candidate(
    policy: Policy, facts: Facts, model: Model, recipe: Recipe, level: str, history: History | None
) -> Candidate:
    wishes = preferences(policy, look(facts, recipe))
    recipe = replace(recipe, steps=tuple(_preferred(step, wishes) for step in recipe.steps))
    return given(policy, facts, model, recipe, level, history)


def given(
    policy: Policy, facts: Facts, model: Model, recipe: Recipe, level: str = "", history: History | None = None
) -> Candidate:
    """A recipe judged and predicted as it stands."""
    planned = plan(recipe, model.config or {}, facts.data.labels or 2)
    found = violations(policy, look(facts, recipe, planned.measures if planned else {}))
    family, int8 = registry.of(facts.model.family, model.config), recipe.step("quantization") is not None
    prediction = predict(planned, family, facts.data.samples, int8)
    judged = predict(planned, family, facts.data.samples, int8, family.judged_as if family else "")
    narrowed: tuple[Narrowed, ...] = ()
    if history and not (planned and planned.problems):
        prediction, narrowed = history.narrow(prediction, (level, int8))
        judged, _ = history.narrow(judged, (level, int8))
    misses = tuple(_misses(judged, facts.goal, planned))
    return Candidate(recipe, level, planned, prediction, judged, tuple(found), misses, narrowed)


def _preferred(step: Step, wishes: dict[str, tuple[Any, str]]) -> Step:
    settings = names(step)
    chosen = {name: wishes[f"{step.name}.{name}"][0] for name in settings if f"{step.name}.{name}" in wishes}
    return replace(step, **chosen) if chosen else step


def _misses(prediction: Prediction, goal: Goal, planned: Plan | None) -> Iterator[str]:
    if prediction.accuracy is None or prediction.emissions is None:
        yield "there is no evidence to predict it from"
        return
    if round(prediction.accuracy.middle, 9) < goal.relative_accuracy:
        yield f"relative accuracy {prediction.accuracy}, middle below {goal.relative_accuracy:g}"
    if goal.relative_emissions is not None and prediction.emissions.middle > goal.relative_emissions:
        yield f"relative emissions {prediction.emissions}, middle above {goal.relative_emissions:g}"
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
    """Sorts the greenest first; of equally green ones the more accurate, then the shorter."""
    judged = candidate.judged
    if judged.emissions is None or judged.accuracy is None:
        return (float("inf"), 0.0, 0)
    return (judged.emissions.middle, -judged.accuracy.middle, len(candidate.recipe.steps))
