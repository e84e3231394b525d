"""What a search costs, told before it starts: the work of every step by exact sizes, at the pace of this machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from advisor.execution.eta import Rows, parts
from advisor.records.search import RUNGS, Forecast
from advisor.tuning.budget import Budget
from advisor.tuning.front import MOST_POINTS
from advisor.tuning.rungs import SHARE
from advisor.tuning.space import Place, Space

if TYPE_CHECKING:
    from advisor.execution.job import Job

SEEDS = 3  # of each point of the front
PROBED = 64  # rows that the pace is measured on
NO_LIMIT = 2**60  # bytes: the teacher's states are taken to fit
SECONDS_A_NODE = 5.0  # to read the data and load a model


class Pace(NamedTuple):
    """How fast this machine works. seconds: for a unit of work, see `eta`. watts, g_per_wh: None where not known."""

    seconds: float
    watts: float | None
    g_per_wh: float | None
    basis: str


class Costs(NamedTuple):
    """Seconds of parts of a search. measuring: seconds that each model is measured for."""

    pace: Pace
    rows: Rows
    measuring: float

    def baseline(self, place: Place) -> float:
        """Of fine-tuning, which all trials share."""
        return self._parts(place)[0]

    def trial(self, place: Place, share: Fraction = Fraction(1)) -> float:
        """Of all steps after fine-tuning with this share of the training steps."""
        plan = place.candidate.plan
        assert plan is not None
        own = zip(plan.steps[1:], self._parts(place)[1:-1], strict=True)
        return SECONDS_A_NODE + sum(found * float(share if one.step.distils else 1) for one, found in own)

    def measured(self, place: Place) -> float:
        """Of measuring time and energy of one trial's models."""
        return self._parts(place)[-1]

    def end(self, places: Sequence[Place]) -> float:
        """Of measuring these with all seeds: one is trained already, the baselines are shared."""
        if not places:
            return 0.0
        more = (SEEDS - 1) * (self.baseline(places[0]) + sum(map(self.trial, places)))
        return more + SEEDS * sum(map(self.measured, places))

    def wh(self, seconds: float) -> float | None:
        """Energy of so many seconds."""
        return None if self.pace.watts is None else self.pace.watts * seconds / 3600

    def _parts(self, place: Place) -> list[float]:
        plan = place.candidate.plan
        assert plan is not None
        return [part.work * self.pace.seconds + part.seconds for part in parts(plan, self.rows, self.measuring)]


def forecast(space: Space, budget: Budget, costs: Costs) -> Forecast:
    """What the whole search is expected to take: all of its trials, or as many as the budget allows, and the end."""
    trials = min(len(space.places), budget.trials or len(space.places))
    every = [costs.trial(place) for place in space.places]
    mean = sum(every) / len(every)
    measured = sum(map(costs.measured, space.places)) / len(space.places)
    seconds, going = costs.baseline(space.places[0]), float(trials)
    levels = len({place.level for place in space.places})
    for share in RUNGS:
        seconds += going * (SECONDS_A_NODE + mean * float(Fraction(share)))
        last, going = going, max(going * SHARE, min(going, levels))
    seconds += last * measured
    points = space.places[: min(MOST_POINTS, math.ceil(last))]
    seconds += costs.end(points)
    if budget.seconds is not None:
        seconds = min(seconds, budget.seconds)
    wh = costs.wh(seconds)
    if budget.wh is not None and wh is not None and wh > budget.wh:
        seconds, wh = seconds * budget.wh / wh, budget.wh
    factor = costs.pace.g_per_wh
    return Forecast(seconds, wh, None if wh is None or factor is None else wh * factor, costs.pace.basis)


def least(space: Space, costs: Costs) -> float:
    """Seconds of the shortest search there is: the first trial and its end."""
    first = space.seeds[0] if space.seeds else space.places[0]
    return costs.baseline(first) + costs.trial(first) + costs.measured(first) + costs.end([first])


def pace(job: Job) -> Pace:
    """The pace of this machine, by the answers of the model to some training rows."""
    from time import perf_counter

    from advisor.compute.machine.device import pick
    from advisor.compute.measure.making import Meter, cost
    from advisor.compute.training.context import loss_of
    from advisor.execution.reading import first

    scorer, readings, _ = first(job)
    context = readings[0].context
    some = context.train.take(PROBED)
    loss_of(scorer, context, some.take(8))
    meter, begun = Meter(job.assumed.country, pick(job.train_on).type == "cuda"), perf_counter()
    loss_of(scorer, context, some)
    seconds, made = perf_counter() - begun, meter.stop()
    work = len(some) * job.plan.family.compute(job.plan.steps[0].before)
    found = cost(made, job.assumed)
    factor = found.g_co2.value / found.wh.value if found.wh.value and found.g_co2.value is not None else None
    watts = None if isinstance(made, str) else made.kwh * 3.6e6 / made.seconds
    return Pace(seconds / work, watts, factor, f"the model's answers to {len(some)} training rows, {seconds:.2g} s")


def costs(job: Job) -> Costs:
    """What searching costs with this model, its data and this machine."""
    data, joined = job.data, min(job.recipe.training.joined_texts, job.data.samples)
    rows = Rows(data.samples, len(data.selection), data.eval_samples, data.unlabelled_samples + joined)
    return Costs(pace(job), rows._replace(states_bytes=NO_LIMIT), job.measuring.seconds)
