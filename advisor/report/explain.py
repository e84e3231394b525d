"""Why a recipe is as it is: its findings, and what advice says for the same facts."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.advice.recommendation import Advice, advise
from advisor.base.errors import AdviseError
from advisor.policy.pack import Policy
from advisor.recipe.recipe import Recipe
from advisor.report import advice as report
from advisor.report import findings
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
        runs = one.history.runs
        yield f"it was chosen by ranges that {runs} own runs had narrowed (advise --history), unlike those below\n"


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
    for name in dict.fromkeys([*mine, *best]):
        if name not in best:
            yield f"  {name} is not advised"
        elif name not in mine:
            yield f"  {name} is advised: {best[name].words()}"
        elif mine[name] != best[name]:
            yield f"  {name}: {mine[name]} here, {best[name]} advised"
