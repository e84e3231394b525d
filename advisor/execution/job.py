"""Job: a recipe with the real model and data that it is to be run on, judged by the rules."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.advice.reasons import Verdict
from advisor.advice.recommendation import account
from advisor.base.errors import AdviseError
from advisor.base.yamlfile import Document
from advisor.facts.facts import DataFacts
from advisor.facts.tasks import OF_TASK, Metric, metrics
from advisor.families import registry
from advisor.inspection import probe
from advisor.inspection.recipe_facts import facts_of
from advisor.policy.pack import Policy
from advisor.recipe.plan import Plan
from advisor.recipe.recipe import Recipe
from advisor.records.carbon import Assumptions
from advisor.records.measuring import Measuring
from advisor.review.outcome import Reviewed
from advisor.review.review import review
from advisor.review.waivers.apply import Waiving, waive
from advisor.review.waivers.reader import stated

if TYPE_CHECKING:
    from advisor.compute.data.dataset import TaskData


@dataclass(frozen=True, slots=True)
class Job:
    """A recipe with the real model and data that it is to be run on. verdicts: why each step is in it or not.
    requests: that the model will answer, which its making is weighed against.

    trust_remote_code: code that comes with the model's tokenizer may be executed.
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

    @property
    def plan(self) -> Plan:
        assert self.reviewed.plan is not None
        return self.reviewed.plan

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The task's metrics, the one that counts first."""
        found, wanted = metrics(self.data.source, self.data.task), self.recipe.data.metric
        return (wanted, *(one for one in found if one != wanted)) if wanted else found


def prepare(policy: Policy, recipe: Recipe, document: Document, data: TaskData, base: Path, train_on: str) -> Job:
    """Derive the facts from the real model and data and judge the recipe by them. No weights are loaded.

    Raises:
        AdviseError: the model is not here, or its family cannot be executed.
    """
    model = probe.model(recipe.model.source, len(data.label_names), base)
    _refuse_unexecutable(model, data.task)
    if recipe.data.metric not in (None, *OF_TASK[data.task]):
        message = f"{recipe.data.metric} is not a metric for {data.task}"
        raise AdviseError(document.fault(message, ("data", "metric"), f"one of {', '.join(OF_TASK[data.task])}"))
    labels = len(data.label_names)
    measured = DataFacts(data.samples, data.eval_samples, data.unlabelled_samples, None, data.task, labels)
    facts = facts_of(recipe, model.facts, measured)
    reviewed = review(policy, recipe, document, facts, model)
    why = account(policy, facts, model, recipe)
    return Job(recipe, model, data, reviewed, train_on, why)


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


def _refuse_unexecutable(model: probe.Model, task: str) -> None:
    kind = model.facts.family or ""
    if flags := registry.uncovered(model.config or {}):
        raise AdviseError(
            f"its tensors are not known, so it cannot be run: nobody tried {', '.join(flags)}",
            hint="`advise families` lists the families that can be run",
        )
    family = registry.of_config(model.config or {})
    if family is None or not family.executable:
        known = registry.executable()
        raise AdviseError(
            f"models of the kind {kind} can be advised on, but cannot be run yet",
            hint=f"{', '.join(known[:-1])} and {known[-1]} can",
        )
    if task == "regression" and family.text_to_text:
        raise AdviseError(
            f"a regression cannot be run with {kind}: it answers with words, not with a number",
            hint="use a BERT, GPT-2 or OPT, or turn the labels into classes",
        )
