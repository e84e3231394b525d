"""Going on with an earlier search, also with other goals or another budget: nothing that is there is made again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from advisor.advice.candidates import given
from advisor.base import frozen
from advisor.base.interval import Interval
from advisor.recipe.reader import loads
from advisor.recipe.recipe import Aims, to_aims
from advisor.records.search import SearchResult, Trial
from advisor.tuning.ending import judged, restate
from advisor.tuning.front import front
from advisor.tuning.goals import meets
from advisor.tuning.progress import goal_numbers, measures
from advisor.tuning.space import Place, Question, Space


def resumed(earlier: SearchResult, now: SearchResult) -> SearchResult:
    """An earlier search with the goals and the budget of now. Seeds that failed are tried again."""
    goals = {name: Interval.parse(text) for name, text in now.goals.items()}
    trials = tuple(_judged(one, goals) for one in earlier.trials)
    best = front(measures(trials, now.objective))
    same = (earlier.goals, earlier.budget, earlier.requests) == (now.goals, now.budget, now.requests)
    points = tuple(judged(replace(one, refused=""), goals) for one in earlier.front)
    there = [one.trial for one in points]
    found = replace(
        earlier,
        goals=now.goals,
        budget=now.budget,
        requests=now.requests,
        axes=now.axes,
        excluded=now.excluded,
        notes=now.notes,
        trials=trials,
        frontier=tuple(best),
        front=points,
        looked=tuple(one for one in earlier.looked if one in there),
    )
    return found if same else _asked_anew(found)


def _asked_anew(found: SearchResult) -> SearchResult:
    """With other goals or another budget: what ended the search before need not end it now."""
    last = max((one.round for one in found.trials), default=0)
    return replace(found, stopped="", nearest="", forecast=None, looked=(), asked_after=last)


def _judged(trial: Trial, goals: Mapping[str, Interval]) -> Trial:
    failed = any(one.value is None for one in trial.further)
    trial = _allowed(replace(trial, further=() if failed else trial.further))
    return replace(trial, meets=meets(goals, goal_numbers(trial))) if trial.status == "measured" else trial


def _allowed(trial: Trial) -> Trial:
    """The trial as it was before a rule refused it for the goals of that time."""
    if trial.status != "refused":
        return trial
    return replace(trial, status="stopped" if trial.measured_in is None else "measured", why="")


def without_refused(found: SearchResult, space: Space) -> SearchResult:
    """The search without the recipes that rules forbid for its goals: they go no further and leave the front.

    Points that were measured on the report rows stay, as such a look is never hidden, and meet no goal.

    Args:
        space: with the recipes that were tried, judged for the goals of now.
    """
    goals = {name: Interval.parse(text) for name, text in found.goals.items()}
    why = {one.number: _refusal(space, one) for one in found.trials}
    trials = tuple(_refused(one, why[one.number]) if why[one.number] else one for one in found.trials)
    points = tuple(judged(replace(one, refused=why[one.trial]), goals) for one in found.front)
    return replace(found, trials=trials, frontier=tuple(front(measures(trials, found.objective))), front=points)


def _refused(trial: Trial, why: str) -> Trial:
    return replace(trial, status="refused", why=why, meets=None)


def _refusal(space: Space, trial: Trial) -> str:
    """The rule that refuses a trial now, in words; "" where none does, or where it has failed anyway."""
    place = space.at(trial.choices)
    if place is None or trial.status == "failed":
        return ""
    broken = [one for one in place.candidate.violations if one.rule.severity == "error"]
    return f"forbidden for these goals by {broken[0].rule.id}: {broken[0].message}" if broken else ""


def restated(out: Path, found: SearchResult, goal: Aims) -> None:
    """Let the recipe files of points that were measured earlier state the goal of now, which their rules allow."""
    for one in found.front:
        if not one.refused:
            restate(out, one, goal)


def with_tried(space: Space, asked: Question, trials: Sequence[Trial]) -> Space:
    """The space with trials as they were made: for other goals rules may prefer other settings of the same choices."""
    tried = [_as_made(space, asked, trial) for trial in trials]
    others = [one for one in space.every if all(one.choices != each.choices for each in tried)]
    return space._replace(every=(*tried, *others))


def _as_made(space: Space, asked: Question, trial: Trial) -> Place:
    recipe, _ = loads(json.dumps(dict(trial.recipe)), trial.name)
    now = space.at(trial.choices)
    if now is not None and (now.recipe.steps, now.recipe.training) == (recipe.steps, recipe.training):
        return now
    recipe = frozen.replace(recipe, goal=to_aims(asked.facts.goal))
    found = given(asked.policy, asked.facts, asked.model, recipe, trial.level)
    return Place(found, trial.choices)
