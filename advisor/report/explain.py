"""Why a recipe is as it is: its findings, and what advice says for the same facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from advisor.advice.recommendation import Advice, advise
from advisor.base.errors import AdviseError
from advisor.base.frozen import names
from advisor.base.interval import show
from advisor.policy.pack import Policy
from advisor.recipe.recipe import Recipe
from advisor.recipe.steps.step import Step
from advisor.report import advice as report
from advisor.report import findings
from advisor.report.style import plural
from advisor.review.outcome import Reviewed


def recipe(policy: Policy, reviewed: Reviewed, width: int, colour: bool) -> str:
    """The recipe's own words, what the rules say of it, and the advice for its facts with all alternatives."""
    lines = [f"{reviewed.recipe.name}: {_words(reviewed.recipe)}", ""]
    lines += [findings.text(one, width, colour, reviewed.document.text) + "\n" for one in reviewed.findings] or [
        "the rules find nothing\n"
    ]
    try:
        advised = advise(policy, reviewed.facts, reviewed.model, reviewed.recipe.data, reviewed.recipe.name)
    except AdviseError as error:
        return "\n".join([*lines, f"for these facts: {error}"]) + "\n"
    lines += _narrowed(reviewed.recipe)
    return "\n".join([*lines, *_compared(reviewed.recipe, advised), "", report.explanation(advised, width, colour)])


def _narrowed(one: Recipe) -> Iterator[str]:
    if one.history:
        runs = plural(one.history.runs, "own run")
        yield f"it was chosen by ranges that {runs} had narrowed (advise --history), unlike those below\n"


def _words(one: Recipe) -> str:
    return ", ".join(step.words() for step in one.steps)


def _compared(given: Recipe, advised: Advice) -> Iterator[str]:
    """Where the recipe leaves the advice for its own facts, setting by setting."""
    best = {step.name: step for step in advised.chosen.recipe.steps}
    mine = {step.name: step for step in given.steps}
    if list(best.values()) == list(given.steps):
        yield "it is what advice gives for these facts:"
        return
    yield "advice for these facts differs:"
    yield from list(_differing(mine, best)) or ["  the same steps, in another order"]


def _differing(mine: Mapping[str, Step], best: Mapping[str, Step]) -> Iterator[str]:
    for name in dict.fromkeys([*mine, *best]):
        if name not in best:
            yield f"  {name} is not advised"
        elif name not in mine:
            yield f"  {name} is advised: {best[name].words()}"
        else:
            for setting in names(type(mine[name])):
                here, there = (_said(getattr(step, setting)) for step in (mine[name], best[name]))
                if here != there:
                    yield f"  {name}.{setting}: {here} here, {there} advised"


def _said(value: Any) -> str:
    if value is None:
        return "not set"
    return show(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
