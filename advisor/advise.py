"""Advise: from facts and rules to a recipe, with the reason for every step kept and left out.

Pure: the same facts and policy always give the same advice. All admissible recipes are enumerated (no
compression, 2/3 of the layers, 1/3, 1/3 with matrix pruning; each with and without int8); the greenest that
meets the goal by the middle of its predicted range is taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, NamedTuple

from advisor import families
from advisor.errors import NotMet, PolicyError
from advisor.facts import DataFacts, Facts, Goal
from advisor.levels import LEVELS, structure
from advisor.plan import Plan, plan
from advisor.policy.counterfactual import opening
from advisor.policy.judge import Violation, preferences, violations
from advisor.policy.pack import Policy
from advisor.policy.view import View, look
from advisor.predict import Prediction, predict
from advisor.probe import Model
from advisor.recipe import DataSource, Recipe, to_targets
from advisor.step import Step
from advisor.steps import STEPS
from advisor.steps.finetune import Finetune
from advisor.steps.quantization import Quantization


class Candidate(NamedTuple):
    """One recipe that might be advised. `misses`: the goals that it is predicted to miss, in words."""

    recipe: Recipe
    level: str
    plan: Plan | None
    prediction: Prediction
    judged: Prediction
    violations: tuple[Violation, ...]
    misses: tuple[str, ...]

    @property
    def admissible(self) -> bool:
        return not self.problems and not any(one.rule.severity == "error" for one in self.violations)

    @property
    def problems(self) -> Mapping[str, str]:
        """What does not fit the model, by step."""
        return self.plan.problems if self.plan else {}

    @property
    def words(self) -> str:
        return ", ".join(step.words() for step in self.recipe.steps)


class Verdict(NamedTuple):
    """Why a step is in the recipe or not, the rules behind it, and with what facts it would become allowed."""

    step: str
    kept: bool
    reason: str
    rules: tuple[str, ...] = ()
    opens: str = ""


class Advice(NamedTuple):
    """The recipe, why it is so, and what else was possible."""

    facts: Facts
    policy: Policy
    chosen: Candidate
    candidates: tuple[Candidate, ...]
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]


def advise(policy: Policy, facts: Facts, model: Model, data: DataSource, name: str) -> Advice:
    """Advise on a model.

    Args:
        data: where the data come from; what is known of them is taken from the facts.

    Raises:
        NotMet: no admissible recipe is predicted to meet the goal; shows the nearest and what must give.
        PolicyError: the rules contradict each other or leave no recipe.
    """
    candidates = tuple(_candidates(policy, facts, model, stated(facts.data, data), name))
    admissible = [one for one in candidates if one.admissible]
    if not admissible:
        broken = {one.rule.id for candidate in candidates for one in candidate.violations}
        raise PolicyError(f"the policy leaves no admissible recipe: see {', '.join(sorted(broken))}")
    meeting = [one for one in admissible if not one.misses]
    if not meeting:
        raise NotMet(_not_met(admissible, facts.goal))
    chosen = min(meeting, key=_emissions)
    view = look(facts, chosen.recipe, chosen.plan.measures if chosen.plan else {})
    verdicts = tuple(
        Verdict(step, True, _why_kept(step, chosen), _rules_about(step, policy, view))
        if step in chosen.recipe.step_names
        else _left_out(step, candidates, policy, facts)
        for step in STEPS
    )
    notes = (*_notes(chosen, facts), *_white_paper_only(policy, verdicts))
    return Advice(facts, policy, chosen, candidates, verdicts, notes)


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
    )


def _candidates(policy: Policy, facts: Facts, model: Model, data: DataSource, name: str) -> Iterator[Candidate]:
    family = families.find(facts.model.family or "")
    device: Any = facts.device.kind
    targets = to_targets(facts.goal)
    for level in LEVELS:
        steps = structure(level, family, model.config)
        if steps is None:
            continue
        for int8 in (False, True):
            whole = (Finetune(), *steps, *((Quantization(),) if int8 else ()))
            recipe = Recipe(1, name, model.source, device, whole, data, targets, policy=policy.stamp)
            yield _candidate(policy, facts, model, recipe, level)


def _candidate(policy: Policy, facts: Facts, model: Model, recipe: Recipe, level: str) -> Candidate:
    wishes = preferences(policy, look(facts, recipe))
    recipe = replace(recipe, steps=tuple(_preferred(step, wishes) for step in recipe.steps))
    planned = plan(recipe, model.config or {}, facts.data.labels or 2)
    found = violations(policy, look(facts, recipe, planned.measures if planned else {}))
    family, int8 = families.find(facts.model.family or ""), recipe.step("quantization") is not None
    prediction = predict(planned, family, facts.data.samples, int8)
    judged = predict(planned, family, facts.data.samples, int8, family.judged_as if family else "")
    misses = tuple(_misses(judged, facts.goal, planned))
    return Candidate(recipe, level, planned, prediction, judged, tuple(found), misses)


def _preferred(step: Step, wishes: dict[str, tuple[Any, str]]) -> Step:
    names = {item.name for item in fields(step)}
    chosen = {name: wishes[f"{step.name}.{name}"][0] for name in names if f"{step.name}.{name}" in wishes}
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


def _emissions(candidate: Candidate) -> tuple[float, float, int]:
    judged = candidate.judged
    if judged.emissions is None or judged.accuracy is None:
        return (float("inf"), 0.0, 0)
    return (judged.emissions.middle, -judged.accuracy.middle, len(candidate.recipe.steps))


def _not_met(admissible: list[Candidate], goal: Goal) -> str:
    targets = to_targets(goal)
    wanted = " and ".join(
        f"{item.name} {getattr(targets, item.name)}" for item in fields(targets) if getattr(targets, item.name)
    )
    head = f"no admissible recipe is predicted to meet {wanted}"
    known = [one for one in admissible if one.judged.accuracy and one.judged.emissions]
    if not known:
        return f"{head}\n  of the admissible recipes none can be predicted: there is no evidence for this model"
    accurate = [one for one in known if not any("accuracy" in miss for miss in one.misses)]
    nearest = min(accurate or known, key=_emissions)
    return (
        f"{head}\n"
        f"  nearest: {nearest.words} (relative accuracy {nearest.judged.accuracy}, "
        f"relative emissions {nearest.judged.emissions})\n"
        f"  what must give: {' and '.join(_gives(nearest, goal)) or 'the size'}, more data, or another device"
    )


def _gives(nearest: Candidate, goal: Goal) -> Iterator[str]:
    """The options with which the nearest recipe would be advised; rounded to the side on which it is met."""
    accuracy, emissions = nearest.judged.accuracy, nearest.judged.emissions
    if accuracy and accuracy.middle < goal.relative_accuracy:
        yield f"--min-accuracy {math.floor(accuracy.middle * 100) / 100:g}"
    if goal.relative_emissions is not None and emissions and emissions.middle > goal.relative_emissions:
        yield f"--max-emissions {math.ceil(emissions.middle * 100) / 100:g}"
    size = size_mb(nearest.judged, nearest.plan)
    if goal.size_mb is not None and size is not None and size > goal.size_mb:
        yield f"--max-size-mb {math.ceil(size)}"


def _left_out(step: str, candidates: tuple[Candidate, ...], policy: Policy, facts: Facts) -> Verdict:
    others = [one for one in candidates if step in one.recipe.step_names]
    if step == "distillation":
        return Verdict(step, False, "nothing to repair: no layer or matrix is removed")
    if not others:
        return Verdict(step, False, "this model has no shape to cut, or its family is not described")
    open_ = [one for one in others if one.admissible]
    if not open_ and all(step in one.problems for one in others):
        return Verdict(step, False, others[0].problems[step])
    if not open_:
        mildest = min(others, key=lambda one: sum(v.rule.severity == "error" for v in one.violations))
        blame = _blame(step, mildest)
        return Verdict(
            step,
            False,
            "; ".join(dict.fromkeys(one.message for one in blame)),
            tuple(dict.fromkeys(one.rule.id for one in blame)),
            opening(policy, look(facts, mildest.recipe, mildest.plan.measures if mildest.plan else {})),
        )
    best = min(open_, key=lambda one: (len(one.misses), _emissions(one)))
    if best.misses:
        return Verdict(step, False, f"would miss the goal: {best.misses[0]} ({best.words})")
    return Verdict(step, False, "not needed: the recipe without it is predicted to be at least as green")


def _blame(step: str, mildest: Candidate) -> list[Violation]:
    """What keeps a step out of the mildest recipe that has it, about that step first."""
    errors = [one for one in mildest.violations if one.rule.severity == "error"]
    return [one for one in errors if step in one.at] or errors


def _why_kept(step: str, chosen: Candidate) -> str:
    judged = chosen.judged
    if step == "finetune":
        return "the baseline of every comparison, and the teacher"
    if step == "distillation":
        return "repairs every structural change, from the fine-tuned teacher"
    words = next(one.words() for one in chosen.recipe.steps if one.name == step)
    return (
        f"{words}: in the greenest admissible recipe that meets the goal "
        f"(relative accuracy {judged.accuracy}, emissions {judged.emissions})"
    )


def _rules_about(step: str, policy: Policy, view: View) -> tuple[str, ...]:
    """The rules that shape a kept step: those that demand or bound it here, and those that other data or another
    device would make forbid it."""
    found = []
    for rule in policy.rules:
        then, applies = rule.then, rule.when.truth(view) is True
        settings = [*(then.limit or {}), *(then.allow_only or {}), *(then.prefer or {})]
        bounds = step in then.require or any(name.startswith(f"{step}.") for name in settings)
        elsewhere = not applies and not any(name.startswith("model.") for name in rule.when.names())
        if (applies and bounds) or (elsewhere and step in then.forbid):
            found.append(rule.id)
    return tuple(found)


def _notes(chosen: Candidate, facts: Facts) -> Iterator[str]:
    own = chosen.prediction.accuracy
    if own and own.low < facts.goal.relative_accuracy <= 1 and own.low < own.high:
        yield (
            f"it may miss the goal: relative accuracy is predicted as {own}, wanted {facts.goal.relative_accuracy:g}; "
            "the gate decides on the measured model"
        )
    if chosen.prediction != chosen.judged:
        yield f"chosen by BERT's ranges (opt-follows-bert); OPT's own range is {own}, on weaker evidence"
    if chosen.plan and not chosen.plan.family.executable:
        yield f"{chosen.plan.family.title} models cannot be executed yet: advise run does not take this recipe"
    if facts.goal.latency_ms is not None:
        yield "latency cannot be predicted; the gate decides on the measured model"
    for one in chosen.violations:
        severity = "" if one.rule.severity == "note" else f"{one.rule.severity} "
        yield f"{severity}{one.rule.id}: {one.message}"


def _white_paper_only(policy: Policy, verdicts: tuple[Verdict, ...]) -> Iterator[str]:
    """The rules behind the verdicts that nobody but the white paper supports."""
    named = {name for verdict in verdicts for name in verdict.rules}
    alone = [rule.id for rule in policy.rules if rule.id in named and rule.white_paper_only]
    if alone:
        yield f"{', '.join(alone)}: on the evidence of the white paper alone"
