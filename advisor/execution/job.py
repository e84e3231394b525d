"""Job: a recipe with the real model and data that it is to be run on, judged by the rules."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.advice.reasons import Verdict
from advisor.advice.recommendation import account
from advisor.base.errors import AdviseError
from advisor.base.yamlfile import Document
from advisor.facts.facts import DataFacts
from advisor.facts.tasks import (
    BESIDE,
    SPEECH,
    WRITERS,
    Metric,
    metrics,
    no_int8,
    possible,
)
from advisor.families import registry
from advisor.families.heads import with_head
from advisor.families.input_sizes import misfit
from advisor.families.label_head import order
from advisor.inspection import given_student, probe
from advisor.inspection.recipe_facts import facts_of
from advisor.policy.pack import Policy
from advisor.recipe.plan import Plan
from advisor.recipe.recipe import Recipe
from advisor.recipe.steps.finetune import Finetune
from advisor.recipe.steps.quantization import Quantization
from advisor.records.carbon import Assumptions
from advisor.records.measuring import Measuring
from advisor.review.decisive_facts import path_of
from advisor.review.outcome import Reviewed
from advisor.review.review import placed, review
from advisor.review.waivers.apply import Waiving, waive
from advisor.review.waivers.reader import stated

if TYPE_CHECKING:
    from advisor.compute.data.dataset import TaskData
    from advisor.compute.tasks.task import Task


@dataclass(frozen=True, slots=True)
class Job:
    """A recipe with the real model and data that it is to be run on. verdicts: why each step is in it or not.
    requests: that the model will answer, which its making is weighed against.

    trust_remote_code: code that comes with the model's tokenizer may be executed. track: with which tracker. share: of
    the training steps that distil, which are taken; a search looks at recipes with a part of them first.
    """

    recipe: Recipe
    model: probe.Model
    data: TaskData = field(repr=False)
    reviewed: Reviewed
    train_on: str
    verdicts: tuple[Verdict, ...] = ()
    trust_remote_code: bool = False
    assumed: Assumptions = Assumptions()
    measuring: Measuring = Measuring()
    requests: int | None = None
    track: str | None = None
    share: Fraction = Fraction(1)

    @property
    def plan(self) -> Plan:
        assert self.reviewed.plan is not None
        return self.reviewed.plan

    @property
    def task(self) -> Task:
        """The task on this data, with the recipe's settings of it."""
        from advisor.compute.tasks.registry import task_of

        training = self.recipe.training
        data = self.recipe.data
        languages = {"source_lang": data.source_lang or "", "target_lang": data.target_lang or ""}
        settings = {"prefix": data.prefix or "", "beams": training.beams, **languages}
        names = self.data.label_names
        own = {**settings, "max_new_tokens": training.max_new_tokens, "unanswerable": self.data.unanswerable}
        own |= {"image_size": training.image_size, "max_seconds": training.max_seconds}
        return task_of(self.data.task, names, self.data.problem_type, **own)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The task's metrics, the one that counts first."""
        found = metrics(self.data.source, self.data.task, self.data.problem_type)
        wanted = self.recipe.data.metric
        return (wanted, *(one for one in found if one != wanted)) if wanted else found


def prepare(  # noqa: PLR0913 - what is run, and where it may lie
    policy: Policy,
    recipe: Recipe,
    document: Document,
    data: TaskData,
    base: Path,
    train_on: str,
    *,
    beside: Path = Path(),
) -> Job:
    """Derive the facts from the real model and data and judge the recipe by them. No weights are loaded.

    Args:
        base: the folder that a relative path to the model starts from.
        beside: the recipe's folder, which a relative path to a given student may start from.

    Raises:
        AdviseError: the model or its student is not here, its family cannot be executed, the student does not fit, or
            the model is to be taken as it is and answers with other labels.
    """
    model = probe.model(recipe.model.source, len(data.label_names), base, data.task, recipe.model.revision)
    refuse_task(recipe, document, model)
    refuse_unexecutable(model, data.task, data.problem_type)
    _refuse_unwritten(recipe, data.task, document)
    model = _with_student(recipe, document, model, data, beside)
    _refuse_other_labels(recipe, document, model, data)
    able = [one for one in possible(data.task, data.problem_type) if one not in BESIDE]
    if recipe.data.metric not in (None, *able):
        message = f"{recipe.data.metric} is not a metric for {data.problem_type or data.task}"
        raise AdviseError(document.fault(message, ("data", "metric"), f"one of {', '.join(able)}"))
    labels = len(data.label_names) or None
    measured = DataFacts(data.samples, data.eval_samples, data.unlabelled_samples, None, data.task, labels)
    measured = measured._replace(problem_type=data.problem_type)
    facts = facts_of(recipe, model.facts, measured)
    reviewed = review(policy, recipe, document, facts, model)
    why = account(policy, facts, model, recipe)
    return Job(recipe, model, data, reviewed, train_on, why)


def refuse_task(recipe: Recipe, document: Document, model: probe.Model) -> None:
    """Raise an AdviseError where no model of this type can do the task that the recipe states."""
    if wrong := registry.refused_task(model.model_type, model.facts.kind, recipe.data.task):
        raise AdviseError(document.fault(wrong[0], ("data", "task"), wrong[1]))


def excused(job: Job, policy: Policy, how: Waiving) -> Job:
    """The job with its findings marked that waivers excuse. Those in comments go to the recipe: its copy has none.

    Raises:
        AdviseError: a file of waivers cannot be read.
    """
    document = job.reviewed.document
    waived = waive(job.reviewed.findings, [document], policy, how._replace(unused=False))
    own = (*job.recipe.waivers, *(stated(document) if how.inline else ()))
    return replace(
        job, recipe=replace(job.recipe, waivers=own), reviewed=replace(job.reviewed, findings=waived.findings)
    )


def _with_student(recipe: Recipe, document: Document, model: probe.Model, data: TaskData, beside: Path) -> probe.Model:
    """The model with the student that the recipe names."""
    source = recipe.student
    if source is None:
        return model
    labels = len(data.label_names)
    with placed(document, path_of(("distillation", "student"), recipe, document)):
        student = probe.model(source, labels, Path() if probe.located(source) else beside, data.task)
        found = given_student.fitted(model, student, labels, recipe.training.max_tokens)
        refuse_unexecutable(student, data.task, data.problem_type)
        training, written = recipe.training, recipe.training.max_new_tokens if data.task == SPEECH else None
        if wrong := misfit(student.config or {}, training.image_size, training.max_seconds, written):
            setting, message, near = wrong
            raise AdviseError(f"cannot be the student: {message}", hint=f"training: {{{setting}: {near}}}")
    return found


def _refuse_other_labels(recipe: Recipe, document: Document, model: probe.Model, data: TaskData) -> None:
    """Refuse to take a model as it is that was not fine-tuned for the task and the labels of the data.

    Raises:
        AdviseError: it has no head for the task, or one for other labels; says which.
    """
    finetune, family = recipe.step("finetune"), registry.of_config(model.config or {})
    if not isinstance(finetune, Finetune) or finetune.trains or family is None:
        return
    try:
        order(model.config or {}, data.label_names, with_head(family, data.task))
    except ValueError as error:
        message = f"{recipe.model.source} cannot be taken as it is (epochs: 0): {error}"
        hint = "fine-tune it (epochs: 3)"
        if data.label_names:
            hint += ", or name the labels of the data as the model does"
        path = path_of(("finetune", "epochs"), recipe, document)
        raise AdviseError(document.fault(message, path, hint)) from None


def refuse_unexecutable(model: probe.Model, task: str, problem_type: str | None) -> None:
    """Raise an AdviseError where models of this family cannot be run as this task."""
    kind = model.model_type
    if (model.config or {}).get("auto_map"):
        raise AdviseError(
            f"{model.source.source} comes with code of its own (auto_map), which is not run",
            hint="give a model of a class of transformers",
        )
    if model.folder and (model.folder / "config.json").is_file():
        from advisor.compute.structure.loading_checks import refuse_unknown_activation

        refuse_unknown_activation(model.folder)
    if flags := registry.uncovered(model.config or {}):
        raise AdviseError(
            f"its tensors are not known, so it cannot be run: nobody tried {', '.join(flags)}",
            hint="`advise families` lists the families that can be run",
        )
    if wrong := registry.refused_task(kind, model.facts.kind, task):
        raise AdviseError(wrong[0], hint=wrong[1])
    if model.unknown:
        raise AdviseError(f"its tensors are not known, so it cannot be run: {model.unknown}")
    family = registry.of_config(model.config or {})
    if family is None or not with_head(family, task).executable:
        raise AdviseError(
            f"models of the kind {kind} can be advised on, but cannot be run yet",
            hint=f"run {registry.either(registry.executable(task))}",
        )
    if family.text_to_text and problem_type in ("regression", "multi_label_classification"):
        what = "a regression" if problem_type == "regression" else "a text with several labels"
        raise AdviseError(
            f"{what} cannot be run with {kind}: it answers with one word, not with numbers",
            hint="use a BERT, GPT-2 or OPT, or turn the labels into classes",
        )


def _refuse_unwritten(recipe: Recipe, task: str, document: Document) -> None:
    """Raise an AdviseError for what a task that writes cannot do."""
    if task not in WRITERS:
        return
    step = recipe.step("quantization")
    if isinstance(step, Quantization) and (wrong := no_int8(task, step.backends())):
        place = ("steps", recipe.step_names.index("quantization"), "quantization")
        raise AdviseError(document.fault(wrong, place, "leave scheme and backend out: they are chosen by the CPU"))
