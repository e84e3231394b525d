"""How far trials have come: pure questions to the record of a search, from which a killed search goes on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from advisor.records.results import Measured
from advisor.records.search import RUNGS, Reached, Trial
from advisor.tuning.front import Measure, ranks
from advisor.tuning.goals import Goals, shortfalls
from advisor.tuning.proposals import Told
from advisor.tuning.rungs import Look, promoted
from advisor.tuning.space import Place
from advisor.tuning.tree import Node

UNTRAINED, WHOLE = RUNGS[0], RUNGS[-1]


def node(place: Place, share: str) -> Node:
    """The node that a trial is looked at by: without int8, which needs no training, until all training is done."""
    recipe = place.recipe
    if share != WHOLE and recipe.step("quantization"):
        from advisor.base import frozen

        recipe = frozen.replace(recipe, steps=recipe.steps[:-1])
    return Node(recipe, Fraction(share))


def at(trial: Trial, share: str) -> Reached | None:
    """What was seen of a trial at a rung."""
    return next((one for one in trial.rungs if one.share == share), None)


def looks(trials: Iterable[Trial], costs: Mapping[int, float], share: str) -> list[Look]:
    """All trials that reached a rung. Without training the loss tells them apart, as their answers are all poor."""
    found = []
    for trial in trials:
        seen = at(trial, share)
        if seen is not None:
            by_loss = share == UNTRAINED and seen.loss is not None
            quality = -(seen.loss or 0.0) if by_loss else (seen.kept.value or 0.0)
            found.append(Look(trial.number, trial.level, quality, costs[trial.number]))
    return found


def due(trials: Sequence[Trial], costs: Mapping[int, float], share: str, part: float) -> list[Trial]:
    """The trials that are to be looked at on a rung and have not been. part: of a level's trials that goes on."""
    going = [one for one in trials if one.status in ("running", "stopped") and at(one, share) is None]
    if share == UNTRAINED:
        return going
    lower = RUNGS[RUNGS.index(share) - 1]
    chosen = promoted(looks(trials, costs, lower), part)
    return [one for one in going if at(one, lower) and (one.number in chosen or one.origin != "proposed")]


def waiting(trials: Sequence[Trial], costs: Mapping[int, float]) -> list[Trial]:
    """Trials that others were ahead of: those first that came furthest, then by Pareto rank, then by quality."""
    there = {one.number: one for one in trials if one.status == "stopped" and one.rungs}
    found = list[Trial]()
    for share in reversed(RUNGS):
        here = [one for one in looks(there.values(), costs, share) if there[one.number].rungs[-1].share == share]
        rank = ranks([Measure(one.quality, one.cost) for one in here])
        order = sorted(range(len(here)), key=lambda at: (rank[at], -here[at].quality, here[at].number))
        found += [there[here[at].number] for at in order]
    return found


def unmeasured(trials: Sequence[Trial]) -> list[Trial]:
    """Trials with all of their training that nobody has measured."""
    return [one for one in trials if one.status in ("running", "stopped") and at(one, WHOLE)]


def stopped(trial: Trial, why: str = "") -> Trial:
    """A running trial that goes no further now; a later round may take it up again."""
    if trial.status != "running":
        return trial
    last = trial.rungs[-1].share if trial.rungs else "none"
    steps = "no training" if last == UNTRAINED else f"{last} of the training"
    return replace(trial, status="stopped", why=why or f"not among the best of its level after {steps}")


def measure(trial: Trial, objective: str) -> Measure | None:
    """A trial's place on the front; None where it was not measured whole."""
    found: Measured = getattr(trial, objective)
    if trial.status != "measured" or trial.kept.value is None or found.value is None or found.value <= 0:
        return None
    return Measure(trial.kept.value, found.value)


def measures(trials: Sequence[Trial], objective: str) -> dict[int, Measure]:
    """All trials that were measured, by number."""
    found = {one.number: measure(one, objective) for one in trials}
    return {number: one for number, one in found.items() if one is not None}


def goal_numbers(found: Trial) -> dict[str, Measured]:
    """A trial's numbers by the names of goals."""
    return {
        "relative_accuracy": found.kept,
        "relative_emissions": found.emissions,
        "size_mb": found.size_mb,
        "latency_ms": found.latency_ms,
    }


def by_seed(found: Trial) -> list[dict[str, Measured]]:
    """The same for each seed that was trained; only the accuracy that it keeps is another one."""
    numbers = goal_numbers(found)
    return [numbers, *({**numbers, "relative_accuracy": kept} for kept in found.further)]


def told(trials: Sequence[Trial], goals: Goals, objective: str) -> list[Told]:
    """What the sampler is told of each trial that has ended."""
    found = []
    for trial in trials:
        one = measure(trial, objective)
        short = shortfalls(goals, goal_numbers(trial))
        known = {name: value for name, value in short.items() if value is not None}
        whole = one is not None and len(known) == len(goals)
        values = (one.kept, math.log(one.cost)) if one is not None and whole else None
        found.append(Told(trial.choices, values, known))
    return found
