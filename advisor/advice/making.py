"""Making: what a recipe costs before its model answers anything, in requests that the baseline could answer instead.

Counted in multiplications, which are exact: learning from a row takes three passes of the model, one forward and two
back (one for the gradients of its inputs, one for those of its weights), scoring it one. A joined text is as long as
two rows. Not counted: fine-tuning, without which there would be nothing to serve; the choice of int8's settings; and
what a multiplication costs in training and in serving, which is taken to be the same.
"""

from __future__ import annotations

from typing import NamedTuple

from advisor.advice.ranges import Range
from advisor.facts.facts import DataFacts
from advisor.recipe.plan import Plan, PlannedStep
from advisor.recipe.recipe import Recipe

LEARNING = 3  # passes for each row that is learned from
SCORED = 512  # rows by which matrix pruning chooses what goes, before each increment
MOST_SELECTION = 1_000  # rows that are scored after each epoch; a tenth of fewer


class Making(NamedTuple):
    """requests: of the baseline that emit as much. pays_back: after so many requests to the model; None: never."""

    requests: float
    pays_back: Range | None

    def __str__(self) -> str:
        if self.pays_back is None:
            return f"making it emits as much as {rounded(self.requests)} requests to the baseline and never pays back"
        low, high = rounded(self.pays_back.low), rounded(self.pays_back.high)
        after = f"{low} to {high}" if low != high else low
        return (
            f"making it emits as much as {rounded(self.requests)} requests to the baseline; it pays back after {after}"
        )


def making(plan: Plan | None, recipe: Recipe, data: DataFacts, emissions: Range | None) -> Making | None:
    """What a recipe costs to make; None where the data or the model are not known, or nothing is compressed.

    Args:
        emissions: predicted share of the baseline's emissions for each request.
    """
    if plan is None or plan.problems or data.samples is None or emissions is None or len(recipe.steps) < 2:
        return None
    cost = sum(_passes(step, plan, recipe, data) for step in plan.steps)
    ends = [cost / (1 - share) if share < 1 else None for share in (emissions.low, emissions.high)]
    low, high = ends
    return Making(cost, Range(low, float("inf") if high is None else high) if low is not None else None)


def _passes(planned: PlannedStep, plan: Plan, recipe: Recipe, data: DataFacts) -> float:
    """Rows that pass through the whole baseline at the same cost as a step."""
    step, whole = planned.step, plan.steps[0].before
    samples = data.samples or 0
    if not step.distils:
        return float(step.scored_rows(planned.family, planned.before, planned.after))
    rows = samples + (data.unlabelled_samples or 0) + 2 * min(recipe.training.joined_texts, samples)
    before, after = map(planned.family.compute, (planned.before, planned.after))
    all_ = plan.family.compute(whole)
    share = (before + 3 * after) / 4 / all_  # matrices are pruned on the first half of the way
    selection = min(MOST_SELECTION, samples // 10)
    epochs: int = step.epochs  # type: ignore[attr-defined]  # every step that distils has some
    scored = LEARNING * SCORED * getattr(step, "increments", 0)
    return rows + share * (epochs * (LEARNING * rows + selection) + scored)


def total(made: Making | None, emissions: Range | None, requests: int | None) -> float:
    """Emissions by which recipes are compared: of a request, or of making the model and so many requests to it."""
    if emissions is None:
        return float("inf")
    return emissions.middle if requests is None else emissions.middle * requests + (made.requests if made else 0)


def rounded(count: float) -> str:
    """A number of requests with two digits that count. Example: 31,000."""
    return "any number of" if count == float("inf") else f"{float(f'{count:.2g}'):,.0f}"
