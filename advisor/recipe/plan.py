"""Plan: a recipe applied to one model: the config and the exact parameter count after every step."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from advisor.facts.facts import Value
from advisor.families import registry
from advisor.families.family import Config, Family
from advisor.recipe.recipe import Recipe
from advisor.recipe.steps.step import Step, Unfit


class PlannedStep(NamedTuple):
    """A step with the model's config before and after it. parameters: exact, with the task's head."""

    step: Step
    before: Config
    after: Config
    parameters: int


class Problem(NamedTuple):
    """A setting that does not fit the model; empty where the step as a whole does not."""

    step: str
    setting: str
    text: str


class Plan(NamedTuple):
    """All steps of a recipe for one model. problems: what does not fit; the plan continues without that step."""

    family: Family
    labels: int
    baseline_parameters: int
    steps: tuple[PlannedStep, ...]
    problems: tuple[Problem, ...]
    measures: Mapping[str, Value]

    @property
    def teacher(self) -> Config:
        """The config of what distillation learns from: the model as it is fine-tuned."""
        return next((one.after for one in self.steps if one.step.name == "finetune"), self.steps[0].before)

    @property
    def cuts(self) -> list[str]:
        """The names of everything that the steps cut, as the family's description has them."""
        found = (cut for one in self.steps for cut in self.family.cuts(one.before, one.after))
        return list(dict.fromkeys(found))

    @property
    def parameters(self) -> int:
        return self.steps[-1].parameters if self.steps else self.baseline_parameters


def plan(recipe: Recipe, config: Config, labels: int = 2) -> Plan | None:
    """Plan a recipe for the model with this config; None where its family is not described."""
    family = registry.of_config(config)
    if family is None:
        return None
    at: dict[str, Any] = dict(config)
    count = baseline = family.parameters(config, labels)
    steps: list[PlannedStep] = []
    problems: list[Problem] = []
    measures: dict[str, Value] = {}
    for step in recipe.steps:
        try:
            after = step.resized(family, at)
        except ValueError as error:
            wrong = error.wrong if isinstance(error, Unfit) else {"": str(error)}
            problems += [Problem(step.name, setting, text) for setting, text in wrong.items()]
            continue
        found = step.measures(family, at, after)
        measures |= {f"{step.name}.{name}": value for name, value in found.items()}  # type: ignore[misc]
        count = count if after == at else family.parameters(after, labels)
        steps.append(PlannedStep(step, at, after, count))
        at = after
    measures["recipe.removed_share"] = float(round(1 - Fraction(count, baseline), 6))
    return Plan(family, labels, baseline, tuple(steps), tuple(problems), measures)
