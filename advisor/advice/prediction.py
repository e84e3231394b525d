"""Predict accuracy, time and emissions as ranges with their sources, and size exactly.

Ranges are those of the evidence register, of a cut and of int8 multiplied end by end, then widened until they hold
what this project has measured itself. Emissions and time are relative to the fine-tuned baseline on the same device;
accuracy likewise.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from advisor.advice.measured import Seen, asked, comparable, coverage
from advisor.advice.ranges import RUNTIME, Cut, Effect, Range, cut_effect, cut_of, int8_effect
from advisor.facts.facts import DataFacts
from advisor.families.counts import vocabularies
from advisor.families.family import Family
from advisor.families.label_head import by_words
from advisor.recipe.plan import Plan

WHOLE = Range(1.0, 1.0)
NOTHING = Effect(WHOLE, WHOLE, WHOLE, "")  # of a recipe without a cut, or without int8
QUANTITIES = ("accuracy", "time", "emissions")


class Prediction(NamedTuple):
    """What a recipe is expected to give, as shares of the baseline. None: no evidence, so nothing is said.

    basis: where the ranges come from. compute: share of the multiplications in the blocks, exact. beyond_chance: what
    comparable runs kept of that which the baseline has above the best constant answer. seen: those runs.
    fp32_in_runtime: time of the model before int8 in the runtime that serves int8.
    """

    accuracy: Range | None
    time: Range | None
    emissions: Range | None
    size: Range | None
    parameters: int | None
    basis: tuple[str, ...]
    compute: float | None = None
    beyond_chance: Range | None = None
    seen: Seen = Seen()
    fp32_in_runtime: Range | None = None


def predict(
    plan: Plan | None, family: Family | None, data: DataFacts, int8: bool, group: str = "", measured: bool = True
) -> Prediction:
    """Predict a recipe's effect.

    Args:
        plan: None for a model whose family is not described; then only int8 can be predicted.
        group: whose ranges to use; by default the family's own. measured: widen them for this project's own runs.
    """
    if plan and plan.problems:
        return Prediction(None, None, None, None, None, ())
    group = group or (family.predicted_as if family else "")
    cut = cut_of(plan) if plan else None
    said = _exact(plan, cut, int8)
    if plan and plan.given:  # what a given student keeps depends on what it was trained on before
        return said
    cuts = bool(cut and (cut.compute != 1 or cut.layers != 1 or cut.narrowed))
    structure = _cut(group, cut, data) if cut and cuts else NOTHING
    quantized = _int8(group, family, data) if int8 else NOTHING
    if structure is None or quantized is None:
        return said
    seen, before, task = Seen(), Seen(), asked(data.task, data.problem_type)
    if measured and cut and data.samples is not None:
        before = comparable(group, data.samples, cut.compute, False, task=task) if cuts else before
        seen = comparable(group, data.samples, cut.compute, True, task=task) if int8 else before
    ranges: dict[str, Any] = {
        name: seen.widened(name, before.widened(name, getattr(structure, name)).times(getattr(quantized, name)))
        for name in QUANTITIES
    }
    seen = seen if seen.points else before
    basis = (structure.basis, quantized.basis, _own(seen, int8))
    runtime = RUNTIME.get(group) if int8 else None
    return said._replace(
        fp32_in_runtime=structure.time.times(runtime) if runtime else None,
        **ranges,
        basis=tuple(one for one in basis if one),
        beyond_chance=seen.span("beyond_chance"),
        seen=seen,
    )


def of_recipe(plan: Plan | None, family: Family | None, data: DataFacts, int8: bool) -> Prediction:
    """The same of a recipe as somebody wrote it; without an accuracy where a cut is not repaired by distillation.

    Ranges of accuracy are those of models that distillation has repaired.
    """
    said = predict(plan, family, data, int8)
    if plan is None or plan.repaired:
        return said
    basis = tuple(one for one in said.basis if one != _own(said.seen, int8))  # which is about the accuracy
    return said._replace(accuracy=None, beyond_chance=None, basis=basis)


def _cut(group: str, cut: Cut, data: DataFacts) -> Effect | None:
    return None if data.samples is None else cut_effect(group, cut, data.samples, asked(data.task, data.problem_type))


def _int8(group: str, family: Family | None, data: DataFacts) -> Effect | None:
    """What int8 does; None for a language model, whose perplexity says nothing of an accuracy."""
    return None if data.task == "text-generation" else int8_effect((family.int8_as if family else "") or group)


def _own(seen: Seen, int8: bool) -> str:
    """How far the ranges are to be trusted, by what this project has measured itself."""
    count = len(seen.points)
    if not count:
        return ""
    runs = f"{count} measured run{'s' if count > 1 else ''}{seen.before(int8)}"
    held = f"{coverage(seen.data_sets):.0%} of further data sets or more"
    return f"{runs}, after which each end of the accuracy holds on {held}"


def _exact(plan: Plan | None, cut: Cut | None, int8: bool) -> Prediction:
    """What is known without evidence: size, parameters and multiplications."""
    parameters = plan.parameters if plan else None
    compute = cut.compute if cut and plan and plan.steps else None
    return Prediction(None, None, None, size_share(plan, int8), parameters, (), compute)


def size_share(plan: Plan | None, int8: bool) -> Range | None:
    """Share of the baseline's bytes: exact without int8; with it, embeddings may stay in fp32 or not (Q08).

    Of the output embeddings of a model that classifies by words, the file may hold the rows of the labels alone.
    """
    if plan is None:
        return None
    share = plan.parameters / plan.baseline_parameters
    if not int8:
        return Range(share, share)
    family, config = plan.last if plan.steps else (plan.family, {})
    embeddings = family.embeddings(config) / plan.parameters
    outputs = sum(vocabularies(family.structure(config))[1:]) if by_words(family) else 0
    return Range(share * (1 - outputs / plan.parameters) * 0.25, share * (embeddings + (1 - embeddings) * 0.25))
