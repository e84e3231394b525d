"""Going on with an earlier search, also with other goals or another budget: nothing that is there is made again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from advisor.advice.candidates import given
from advisor.base import frozen
from advisor.base.interval import Interval
from advisor.recipe.reader import loads
from advisor.recipe.recipe import to_aims
from advisor.records.search import SearchResult, Trial
from advisor.tuning.ending import judged
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
    points = tuple(judged(one, goals) for one in earlier.front)
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
    trial = replace(trial, further=() if failed else trial.further)
    return replace(trial, meets=meets(goals, goal_numbers(trial))) if trial.status == "measured" else trial


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
