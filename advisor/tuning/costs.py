"""What a search costs, told before it starts: the work of every step by exact sizes, at the pace of this machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import mean
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from advisor.execution.eta import Part, Rows, parts
from advisor.records.search import RUNGS, Forecast
from advisor.tuning.budget import Budget
from advisor.tuning.carrier import Carrier
from advisor.tuning.front import MOST_POINTS
from advisor.tuning.proposals import ROUND
from advisor.tuning.rungs import SHARE
from advisor.tuning.space import Place, Space

if TYPE_CHECKING:
    from advisor.execution.job import Job

SEEDS = 3  # of each point of the front
PROBED = 64  # rows that the pace is measured on
NO_LIMIT = 2**60  # bytes: the teacher's states are taken to fit
SECONDS_A_NODE = 5.0  # to read the data and load a model


class Pace(NamedTuple):
    """How fast this machine works. seconds: for a unit of work, see `eta`. watts, g_per_wh: None where not known.

    slower: how many times as long a worker takes for it, which has a part of the cores.
    """

    seconds: float
    watts: float | None
    g_per_wh: float | None
    basis: str
    slower: float = 1.0


class Costs(NamedTuple):
    """Seconds of parts of a search, as one process takes them. measuring: seconds that each model is measured for.

    workers: that make steps at the same time.
    """

    pace: Pace
    rows: Rows
    measuring: float
    workers: int = 1

    def baseline(self, place: Place) -> float:
        """Of fine-tuning, and of the teacher's answers to all texts: what all trials share."""
        first, *others, _ = self._parts(place)
        return self._step(first) + self.pace.seconds * max((one.teacher for one in others), default=0.0)

    def trial(self, place: Place, share: Fraction = Fraction(1)) -> float:
        """Of all steps after fine-tuning with this share of the training steps."""
        plan = place.candidate.plan
        assert plan is not None
        own = zip(plan.steps[1:], self._parts(place)[1:-1], strict=True)
        return SECONDS_A_NODE + sum(self._step(part, share if one.step.distils else Fraction(1)) for one, part in own)

    def measured(self, place: Place) -> float:
        """Of measuring time and energy of one trial's models."""
        return self._step(self._parts(place)[-1])

    def further(self, places: Sequence[Place], tuned: bool = False) -> float:
        """Of training these with the other seeds; tuned: their baselines, which all share, are there."""
        if not places:
            return 0.0
        return (SEEDS - 1) * ((0.0 if tuned else self.baseline(places[0])) + sum(map(self.trial, places)))

    def end(self, places: Sequence[Place]) -> float:
        """Of measuring these with all seeds."""
        return SEEDS * sum(map(self.measured, places))

    def together(self, seconds: float, most: float = math.inf) -> float:
        """By the clock, of so many seconds of steps; most: that there are to be made at the same time."""
        return seconds * self.pace.slower / max(1.0, min(self.workers, most))

    def wh(self, seconds: float) -> float | None:
        """Energy of so many seconds of one process, however many share them."""
        return None if self.pace.watts is None else self.pace.watts * seconds / 3600

    def _parts(self, place: Place) -> list[Part]:
        plan = place.candidate.plan
        assert plan is not None
        return parts(plan, self.rows, self.measuring)

    def _step(self, part: Part, share: Fraction = Fraction(1)) -> float:
        """Seconds of a part without its teacher; the finished model is judged whatever the share."""
        trained = (part.work - part.teacher - part.scored) * float(share)
        return self.pace.seconds * (trained + part.scored) + part.seconds


@dataclass(frozen=True, slots=True)
class Taken:
    """What work takes. clock: seconds on the wall; work: of one process that does all of it."""

    clock: float
    work: float

    def __add__(self, other: Taken) -> Taken:
        return Taken(self.clock + other.clock, self.work + other.work)


def forecast(space: Space, budget: Budget, costs: Costs) -> Forecast:
    """What the whole search is expected to take: all of its trials, or as many as the budget allows, and the end."""
    found = _whole(space, min(len(space.places), budget.trials or len(space.places)), costs)
    seconds, wh = found.clock, costs.wh(found.work)
    share = min(1.0, 1 / (budget.takes(seconds, wh) or 1.0))  # what the budget leaves of it
    wh, factor = None if wh is None else wh * share, costs.pace.g_per_wh
    grams = None if wh is None or factor is None else wh * factor
    basis = costs.pace.basis + (f", {costs.workers} workers" if costs.workers > 1 else "")
    return Forecast(seconds * share, wh, grams, basis)


def _whole(space: Space, trials: int, costs: Costs) -> Taken:
    """A search of so many trials."""
    levels = len({place.level for place in space.places})
    firsts = min(trials, len(space.seeds))  # which are taken to the last rung whatever they show
    others, rounds = float(trials - firsts), 1 + math.ceil((trials - firsts) / ROUND)
    found, going = _chain(costs.baseline(space.places[0]), costs), float(trials)
    for share in RUNGS:
        going = firsts + others
        steps = going * mean(costs.trial(place, Fraction(share)) for place in space.places)
        # The trials of a round are made at the same time, and each rung waits for all of them.
        found += Taken(costs.together(steps, going / min(rounds, going)), steps)
        others = min(others, others * SHARE + levels)  # a share of each level, rounded up
    measured = going * mean(map(costs.measured, space.places))
    return found + Taken(measured, measured) + _end(space.places[: min(MOST_POINTS, math.ceil(going))], costs)


def _chain(seconds: float, costs: Costs) -> Taken:
    """Steps that one worker makes, one after another."""
    return Taken(costs.together(seconds, 1), seconds)


def _end(places: Sequence[Place], costs: Costs) -> Taken:
    """The end: the other seeds are trained at the same time, then all are measured one after another."""
    further, measured = costs.further(places), costs.end(places)
    return Taken(costs.together(further, (SEEDS - 1) * len(places)) + measured, further + measured)


def least(space: Space, costs: Costs) -> Taken:
    """The shortest search there is: the first trial and its end."""
    first = space.seeds[0] if space.seeds else space.places[0]
    measured = costs.measured(first)
    made = _chain(costs.baseline(first) + costs.trial(first), costs)
    return made + Taken(measured, measured) + _end([first], costs)


def pace(job: Job, workers: int = 1, cores: int | None = None, shares_gpu: bool = True) -> Pace:
    """The pace of this machine, by the answers of the model to some training rows.

    workers, cores, shares_gpu: as of the carrier that makes the steps.
    """
    from advisor.compute.machine.device import pick
    from advisor.compute.measure.making import Meter, cost
    from advisor.compute.measure.models import threads
    from advisor.compute.training.context import loss_of
    from advisor.execution.reading import first

    def answers() -> float:
        begun = perf_counter()
        loss_of(scorer, context, some)
        return perf_counter() - begun

    scorer, readings, _ = first(job)
    context, on_gpu = readings[0].context, pick(job.train_on).type != "cpu"
    some = context.train.take(PROBED)
    loss_of(scorer, context, some.take(8))
    meter = Meter(job.assumed.country, pick(job.train_on).type == "cuda")
    seconds, made = answers(), meter.stop()
    slower = float(workers) if on_gpu and shares_gpu else 1.0  # they wait for each other
    if cores and not on_gpu:
        with threads(cores):
            slower = max(1.0, answers() / seconds)
    work = len(some) * job.plan.family.compute(job.plan.steps[0].before)
    found = cost(made, job.assumed)
    factor = found.g_co2.value / found.wh.value if found.wh.value and found.g_co2.value is not None else None
    watts = None if isinstance(made, str) else made.kwh * 3.6e6 / made.seconds
    basis = f"the model's answers to {len(some)} training rows, {seconds:.2g} s"
    return Pace(seconds / work, watts, factor, basis, slower)


def costs(job: Job, carrier: Carrier) -> Costs:
    """What searching costs with this model, its data and this machine, and with what makes the steps."""
    data, joined = job.data, min(job.recipe.training.joined_texts, job.data.samples)
    rows = Rows(data.samples, len(data.selection), data.eval_samples, data.unlabelled_samples + joined)
    found = pace(job, carrier.workers, carrier.cores, carrier.shares_gpu)
    return Costs(found, rows._replace(states_bytes=NO_LIMIT), job.measuring.seconds, carrier.workers)
