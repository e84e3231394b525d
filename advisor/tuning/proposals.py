"""Proposals: which recipes of the space to try next, by Optuna's samplers.

Each round asks a new study that holds what earlier rounds found, so that a search which goes on after a kill proposes
what it would have proposed. What the sampler asks for may not exist, as rules forbid it, or may have been tried: the
untried recipe that lies nearest on the axes is taken.
"""

from __future__ import annotations

import logging
import random
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from advisor.records.search import Choice
from advisor.tuning.space import AXES, Choices, Place, Space

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

Sampler = Literal["gp", "tpe", "random"]
ROUND = 9  # proposals at a time: a third of a third of them is one
UNORDERED = ("choose", "int8")
FIRST = 4  # measured trials before the sampler's model is used


class Told(NamedTuple):
    """A trial that has ended. values: kept accuracy and log of the cost; None where it failed or was stopped.

    constraints: by goal, how far it is missed; at most 0 where it is met.
    """

    choices: Choices
    values: tuple[float, float] | None
    constraints: Mapping[str, float]


def propose(
    space: Space, told: Sequence[Told], tried: Sequence[Choices], count: int, seed: int, by: Sampler = "gp"
) -> list[Place]:
    """So many untried recipes, fewer where there are no more. seed: another for each round."""
    import optuna

    left = [one for one in space.places if dict(one.choices) not in [dict(each) for each in tried]]
    axes = _values(space)
    distributions = {axis: _distribution(axis, values) for axis, values in axes.items()}
    if by == "random" or not distributions or len(left) <= count:
        return random.Random(seed).sample(left, min(count, len(left)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("optuna").setLevel(logging.ERROR)
        study = optuna.create_study(directions=["maximize", "minimize"], sampler=_sampler(by, seed))
        for one in told:
            study.add_trial(_ended(one, axes, distributions))
        found: list[Place] = []
        for _ in range(count):
            asked = study.ask(distributions)
            choices = {axis: _value(axis, asked.params[axis], axes) for axis in distributions}
            nearest = min(left, key=lambda one: _distance(one.choices, choices, axes))
            left.remove(nearest)
            found.append(nearest)
    return found


def _sampler(by: Sampler, seed: int) -> BaseSampler:
    from optuna.samplers import GPSampler, TPESampler

    if by == "gp":
        return GPSampler(seed=seed, n_startup_trials=FIRST, warn_independent_sampling=False)
    return TPESampler(seed=seed, n_startup_trials=FIRST, multivariate=True)


def _values(space: Space) -> dict[str, list[Choice]]:
    """The values of each axis that has several; without None where that only means that nothing is cut."""
    found = {
        axis: [one for one in space.axes[axis] if one is not None or axis not in ("choose", "epochs")] for axis in AXES
    }
    return {axis: values for axis, values in found.items() if len(values) > 1}


def _distribution(axis: str, values: Sequence[Choice]) -> BaseDistribution:
    """Names for what has no order, else places in the order of the values."""
    from optuna.distributions import CategoricalDistribution, IntDistribution

    return CategoricalDistribution(list(values)) if axis in UNORDERED else IntDistribution(0, len(values) - 1)


def _value(axis: str, asked: Any, axes: Mapping[str, Sequence[Choice]]) -> Choice:
    found: Choice = asked if axis in UNORDERED else axes[axis][asked]
    return found


def _ended(one: Told, axes: Mapping[str, Sequence[Choice]], distributions: dict[str, Any]) -> Any:
    """A trial as Optuna keeps it. Without a measurement it has failed: no number stands for what nobody knows."""
    from optuna.trial import TrialState, create_trial

    params = {axis: _param(axis, one.choices, values) for axis, values in axes.items()}
    if one.values is None:
        return create_trial(state=TrialState.FAIL, params=params, distributions=distributions)
    constraints = dict(one.constraints) or None
    return create_trial(values=one.values, params=params, distributions=distributions, constraints=constraints)


def _param(axis: str, choices: Choices, values: Sequence[Choice]) -> Any:
    """A choice as the sampler names it; the first value where the axis says nothing of this recipe."""
    value = choices[axis] if choices[axis] in values else values[0]
    return value if axis in UNORDERED else values.index(value)


def _distance(own: Choices, asked: Choices, axes: Mapping[str, Sequence[Choice]]) -> float:
    """How far two recipes are apart, each axis counting at most 1."""
    total = 0.0
    for axis, wanted in asked.items():
        values, value = axes[axis], own[axis]
        if value not in values:
            continue  # the axis says nothing of this recipe
        ordered = abs(values.index(value) - values.index(wanted)) / (len(values) - 1)
        total += float(value != wanted) if axis in UNORDERED else ordered
    return total
