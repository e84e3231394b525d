"""Plan: a recipe applied to one model: the config and the exact parameter count after every step.

Distillation into a given student goes on with that student: from there on steps and sizes are those of its family.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from advisor.facts.facts import Value
from advisor.facts.tasks import no_int8
from advisor.families import registry
from advisor.families.family import Config, Family
from advisor.families.heads import with_head
from advisor.families.input_sizes import fitted
from advisor.recipe.recipe import Recipe
from advisor.recipe.steps.distillation import Distillation
from advisor.recipe.steps.quantization import Quantization
from advisor.recipe.steps.step import Step, Unfit


class PlannedStep(NamedTuple):
    """A step with the model's config before and after it. parameters: exact, with the task's head.

    family: of that model. Before distillation into a given student, the model is that student as it comes.
    """

    step: Step
    before: Config
    after: Config
    parameters: int
    family: Family

    @property
    def given(self) -> bool:
        """Whether it distils into a given student."""
        return is_given(self.step)


class Problem(NamedTuple):
    """A setting that does not fit the model; empty where the step as a whole does not."""

    step: str
    setting: str
    text: str


class Plan(NamedTuple):
    """All steps of a recipe for one model. problems: what does not fit; the plan continues without that step.

    family, baseline_parameters: of the model that is fine-tuned, which is the teacher.
    """

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
    def given(self) -> PlannedStep | None:
        """The step that distils into a given student, where there is one."""
        return next((one for one in self.steps if one.given), None)

    @property
    def last(self) -> tuple[Family, Config]:
        """The model after all steps."""
        return self.steps[-1].family, self.steps[-1].after

    @property
    def repaired(self) -> bool:
        """Whether a step that distils follows the last cut of layers."""
        steps = [one.step for one in self.steps]
        last = max((place for place, step in enumerate(steps) if step.name == "layer_removal"), default=-1)
        return last < 0 or any(step.distils for step in steps[last:])

    @property
    def cuts(self) -> list[str]:
        """The names of everything that the steps cut, as the family's description has them."""
        found = (cut for one in self.steps for cut in one.family.cuts(one.before, one.after))
        return list(dict.fromkeys(found))

    @property
    def parameters(self) -> int:
        return self.steps[-1].parameters if self.steps else self.baseline_parameters

    def compute_share(self, after: PlannedStep) -> float:
        """The exact share of the multiplications in the blocks that is left after one of its steps."""
        return after.family.compute(after.after) / self.family.compute(self.steps[0].before)


def is_given(step: Step) -> bool:
    """Whether a step distils into a given student."""
    return isinstance(step, Distillation) and step.student is not None


def plan(recipe: Recipe, config: Config, labels: int = 2, student: Config | None = None) -> Plan | None:
    """Plan a recipe for the model with this config.

    Args:
        student: the config of the student that the recipe names.

    Returns:
        None where the family of the model or of its student is not described, or the student's config is not given.
    """
    training = recipe.training
    config = fitted(config, training.image_size, training.max_seconds)
    student = fitted(student, training.image_size, training.max_seconds) if student else None
    own = registry.of_config(config)
    other = registry.of_config(student) if student else None
    place = next((place for place, step in enumerate(recipe.steps) if is_given(step)), None)
    if own is None or (place is not None and other is None):
        return None
    own = with_head(own, recipe.data.task)
    other = with_head(other, recipe.data.task) if other else None
    family, at = own, dict(config)
    count = baseline = whole = own.parameters(config, labels)
    steps: list[PlannedStep] = []
    problems: list[Problem] = []
    measures: dict[str, Value] = {}
    for number, step in enumerate(recipe.steps):
        if number == place and student and other:
            family, at = other, dict(student)
            count = whole = other.parameters(student, labels)
        try:
            _refuse_cut(step, number < (place or 0), own, family)
            _refuse_int8(step, recipe.data.task)
            after = step.resized(family, at)
        except ValueError as error:
            wrong = error.wrong if isinstance(error, Unfit) else {"": str(error)}
            problems += [Problem(step.name, setting, text) for setting, text in wrong.items()]
            continue
        found = step.measures(family, at, after)
        measures |= {f"{step.name}.{name}": value for name, value in found.items()}  # type: ignore[misc]
        count = count if after == at else family.parameters(after, labels)
        steps.append(PlannedStep(step, at, after, count, family))
        at = after
    measures["recipe.removed_share"] = float(round(1 - Fraction(count, whole), 6))
    return Plan(own, labels, baseline, tuple(steps), tuple(problems), measures)


def _refuse_int8(step: Step, task: str | None) -> None:
    """Raise a ValueError where the step is int8 by a backend that cannot serve the task."""
    if isinstance(step, Quantization) and (wrong := no_int8(task, step.backends())):
        raise ValueError(wrong)


def _refuse_cut(step: Step, before_student: bool, own: Family, family: Family) -> None:
    """Refuse to cut where a given student makes the cut pointless, or rules would judge the cut of another family.

    Raises:
        ValueError: the step cuts such a model.
    """
    if not step.structural:
        return
    if before_student:
        raise ValueError("what it removes is lost, as distillation goes on with a given student: leave it out")
    if family is not own:
        raise ValueError(
            f"the rules judge cuts of {own.title}, and the given student is a {family.title}: "
            "cut it in a recipe of its own, in which it is the model"
        )
