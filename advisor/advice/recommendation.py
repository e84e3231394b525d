"""Advise: from facts and rules to a recipe, with the reason for every step kept and left out.

Pure: the same facts and policy always give the same advice. Of all admissible candidates the greenest that meets the
goal by the middle of its range in the register is taken, or, to be cautious, by the worse end of its predicted range.
Where that is fine-tuning alone and nobody has measured int8 of such a model, int8 is advised without a prediction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from advisor.advice.candidates import (
    NO_EVIDENCE,
    USUALLY,
    Candidate,
    Choosing,
    candidates,
    given,
    greenest,
    size_mb,
    stated,
)
from advisor.advice.prediction import Prediction
from advisor.advice.reasons import Verdict, given_student, notes, verdicts, white_paper_only
from advisor.base.errors import AdviseError, NotMet, PolicyError
from advisor.base.frozen import replace
from advisor.facts.facts import DeviceFacts, Facts, Goal
from advisor.families import registry
from advisor.inspection import languages
from advisor.inspection.probe import Model
from advisor.policy.effects import denies_facts
from advisor.policy.judge import Violation
from advisor.policy.pack import Policy
from advisor.recipe.plan import Plan
from advisor.recipe.recipe import DataSource, Recipe, to_aims

if TYPE_CHECKING:
    from advisor.advice.history import History

REGIMES = (10_000, 25_000, 100_000)  # examples from which on rules allow more, or ranges are better
GPUS = ("cuda", "mps")  # where int8 is not allowed


class Advice(NamedTuple):
    """The recipe, why it is so, and what else was possible."""

    facts: Facts
    policy: Policy
    chosen: Candidate
    candidates: tuple[Candidate, ...]
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]


def advise(
    policy: Policy,
    facts: Facts,
    model: Model,
    data: DataSource,
    name: str,
    choosing: Choosing = USUALLY,
) -> Advice:
    """Advise on a model.

    Args:
        data: where the data come from; what is known of them is taken from the facts.

    Raises:
        AdviseError: no model of this type can do the task.
        NotMet: no admissible recipe is predicted to meet the goal, which shows the nearest and what must give; or a
            rule denies every recipe for these facts.
        PolicyError: the rules contradict each other or leave no recipe.
    """
    history = choosing.history
    found = _stamped(tuple(candidates(policy, facts, model, stated(facts.data, data), name, choosing)), history)
    admissible = [one for one in found if one.admissible]
    if not admissible:
        denied = all(any(denies_facts(one.rule) for one in _errors(each)) for each in found)
        raise (NotMet if denied else PolicyError)(_refused(found, denied))
    if wrong := registry.refused_task(model.model_type, facts.model.kind, facts.data.task):
        raise AdviseError(wrong[0], hint=wrong[1])
    if unwanted := next(languages.unwanted(model, stated(facts.data, data)), None):
        raise AdviseError(f"data.{unwanted[1]}", hint=languages.instead(model))
    meeting = [one for one in admissible if not one.misses]
    if not meeting:
        elsewhere = partial(_meets, policy, model=model, data=data, name=name, choosing=choosing)
        told = _not_met(admissible, facts, choosing.cautious, tuple(_other_facts(facts, elsewhere)))
        raise NotMet("\n  ".join((told, *given_student(found))))
    chosen = _chosen(meeting, admissible)
    why = verdicts(policy, facts, chosen, found)
    said = (*notes(chosen, facts), *_unknown(model), *given_student(found), *_own_runs(history, found))
    if missing := languages.unstated(model, chosen.recipe.data):
        said = (*said, f"{missing}: {languages.STATE_THEM} (--source-lang, --target-lang)")
    said = (*said, *white_paper_only(policy, why))
    return Advice(facts, policy, chosen, found, why, said)


def _unknown(model: Model) -> Iterator[str]:
    """Why its sizes are not known, and that it cannot be run where it needs code of its own."""
    config = model.config or {}
    if config.get("auto_map"):
        yield "it comes with code of its own (auto_map), so its sizes are not known and `advise run` refuses it"
    elif model.unknown:
        yield f"its sizes are not known: {model.unknown}"
    elif flags := registry.uncovered(config):
        yield f"its sizes are not known: nobody tried {', '.join(flags)}"


def account(policy: Policy, facts: Facts, model: Model, recipe: Recipe) -> tuple[Verdict, ...]:
    """Why each kind of step is in a recipe that somebody gave, or not."""
    found = tuple(candidates(policy, facts, model, recipe.data, recipe.name))
    best = min((one for one in found if one.admissible and not one.misses), key=greenest, default=None)
    if best and best.recipe.steps == recipe.steps:
        return verdicts(policy, facts, best, found)
    told = verdicts(policy, facts, given(policy, facts, model, recipe), found)
    stands = "part of this recipe; advice would choose another recipe for these facts"
    return tuple(one._replace(reason=stands) if one.kept and one.step != "finetune" else one for one in told)


def _chosen(meeting: list[Candidate], admissible: list[Candidate]) -> Candidate:
    """The greenest that meets the goal. Where that compresses nothing, int8 that no evidence speaks for or against.

    int8 needs no training, and a run compares it with the model before it; a cut without evidence is never chosen.
    """
    chosen = min(meeting, key=greenest)
    if chosen.recipe.step_names != ("finetune",):
        return chosen
    untried = (one for one in admissible if one.recipe.step_names == ("finetune", "quantization"))
    return next((one for one in untried if NO_EVIDENCE in one.misses), chosen)


def _errors(candidate: Candidate) -> list[Violation]:
    return [one for one in candidate.violations if one.rule.severity == "error"]


def _refused(found: tuple[Candidate, ...], denied: bool) -> str:
    """Why no recipe is admissible: what the rules say of the one with the fewest errors."""
    errors = min(map(_errors, found), key=len)
    head = "the policy denies every recipe for these facts" if denied else "the policy leaves no admissible recipe"
    return head + "".join(f"\n  {one.rule.id}: {one.message}" for one in errors)


def _stamped(found: tuple[Candidate, ...], history: History | None) -> tuple[Candidate, ...]:
    """The candidates, whose recipes say so where own runs had a part in the choice."""
    if history is None or not any(one.narrowed for one in found):
        return found
    return tuple(one._replace(recipe=replace(one.recipe, history=history.stamp(one.narrowed))) for one in found)


def _own_runs(history: History | None, found: tuple[Candidate, ...]) -> Iterator[str]:
    if history is None:
        return
    if not any(one.narrowed for one in found):
        yield (
            f"history: {history.runs} own runs of this model type, task, data size and kind of device; no range is "
            "narrowed, which takes 3 of the same depth, for the accuracy with 400 report rows or more"
        )
    for one in found:
        if one.narrowed:
            words = ", ".join(step.words() for step in one.recipe.steps[1:])
            yield f"history: {words}: {'; '.join(map(str, one.narrowed))}"


def _meets(policy: Policy, facts: Facts, *, model: Model, data: DataSource, name: str, choosing: Choosing) -> bool:
    """Whether any recipe is predicted to meet the goal, were these the facts."""
    found = candidates(policy, facts, model, stated(facts.data, data), name, choosing)
    return any(one.admissible and not one.misses for one in found)


def _other_facts(facts: Facts, meets: Callable[[Facts], bool]) -> Iterator[str]:
    """What else than the goal might change, where that is enough: more examples, or a CPU in place of a GPU."""
    now = facts.data.samples
    for samples in REGIMES:
        if now is not None and samples > now and meets(facts._replace(data=facts.data._replace(samples=samples))):
            yield f"more data ({samples:,} examples)"
            break
    if facts.device.kind in GPUS and meets(facts._replace(device=DeviceFacts("cpu"))):
        yield "a CPU"


def _not_met(admissible: list[Candidate], facts: Facts, cautious: bool, others: tuple[str, ...]) -> str:
    goal = facts.goal
    targets = to_aims(goal)
    wanted = " and ".join(f"{name} {getattr(targets, name)}" for name in targets.bounds())
    head = f"no admissible recipe is predicted to meet {wanted}"
    known = [one for one in admissible if NO_EVIDENCE not in one.misses]
    if not known:
        return f"{head}\n  of the admissible recipes none can be predicted: there is no evidence for this model"
    accurate = [one for one in known if not any("accuracy" in miss for miss in one.misses)]
    nearest = min(accurate or known, key=greenest)
    said = nearest.prediction if cautious else nearest.judged
    gives = " and ".join(_gives(said, nearest.plan, goal, cautious)) or "the size"
    return (
        f"{head}\n"
        f"  nearest: {nearest.words} (relative accuracy {said.accuracy}, relative emissions {said.emissions})\n"
        f"  what must give: {', or '.join((gives, *others))}"
    )


def _gives(said: Prediction, plan: Plan | None, goal: Goal, cautious: bool) -> Iterator[str]:
    """The options with which the nearest recipe would be advised; rounded to the side on which it is met."""
    if not said.accuracy or not said.emissions:
        return
    least, most = (
        (said.accuracy.low, said.emissions.high) if cautious else (said.accuracy.middle, said.emissions.middle)
    )
    if least < goal.relative_accuracy:
        yield f"--min-accuracy {math.floor(least * 100) / 100:g}"
    if goal.relative_emissions is not None and most > goal.relative_emissions:
        yield f"--max-emissions {math.ceil(most * 100) / 100:g}"
    size = size_mb(said, plan)
    if goal.size_mb is not None and size is not None and size > goal.size_mb:
        yield f"--max-size-mb {math.ceil(size)}"
