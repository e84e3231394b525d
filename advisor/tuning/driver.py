"""The driver of a search: proposes, looks at trials rung by rung, measures the best, and ends it in good order.

It alone writes search.json, after everything that ends; what it does next follows from that record, so that a search
which was killed goes on where it was. Everything that takes long is done by the parts that it is given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from advisor.base import frozen
from advisor.base.errors import AdviseError, DiskFull
from advisor.recipe.recipe import Recipe, as_dict
from advisor.records.results import Measured, Remark
from advisor.records.search import RUNGS, Origin, Reached, SearchResult, Spent, Trial
from advisor.tuning import progress, rest, stopping
from advisor.tuning.costs import SEEDS
from advisor.tuning.front import front
from advisor.tuning.goals import meets
from advisor.tuning.growth import Growth
from advisor.tuning.making import message
from advisor.tuning.parts import Event, Parts
from advisor.tuning.points import candidate, most_missed
from advisor.tuning.proposals import ROUND, propose
from advisor.tuning.rungs import agreement, share_for
from advisor.tuning.space import Place
from advisor.tuning.tree import Node, Outcome

MOST_MEASURED = 2  # times that a trial is measured before it has failed


class Driver:
    """One search, from its record so far to its end."""

    def __init__(self, parts: Parts, record: SearchResult) -> None:
        self.parts, self.record, self.begun = parts, record, parts.now() - record.wall_seconds
        self.places = {one.number: self._place(one) for one in record.trials}
        self.growth = Growth(parts.carrier, self.spend)

    def _place(self, trial: Trial) -> Place:
        place = self.parts.space.at(trial.choices)
        if place is None:
            raise AdviseError(f"trial {trial.number} is no recipe of this space", hint="give --out a new folder")
        return place

    def run(self) -> Iterator[Event]:
        """Search until there is a reason to stop, then measure the front; go on where that leaves no reason."""
        ended = False
        while not ended:
            while not (reason := self._reason()):
                yield from self._next()
            self.keep(stopped=reason)
            yield Remark(f"the search ends: {reason}")
            yield from self.parts.ending.run(self)
            ended = bool(self._why())
            if not ended:
                yield Remark("its end took less than was kept back for it: the search goes on")
                self.keep(stopped="", nearest="")
        yield self.record

    def wall(self) -> float:
        """Seconds since the search began, without those in which it was interrupted."""
        return self.parts.now() - self.begun

    def keep(self, **changes: object) -> None:
        """Change the record and write it."""
        self.record = replace(self.record, **changes, wall_seconds=self.wall())  # type: ignore[arg-type]
        self.parts.save(self.record)

    def recipe(self, number: int) -> Recipe:
        """The recipe of a trial, under a name of its own."""
        recipe = self.places[number].recipe
        return frozen.replace(recipe, name=f"{recipe.name}-trial-{number}")

    def spend(self, what: Spent) -> None:
        """Count what some work took."""
        self.record = replace(self.record, spent=self.record.spent + what)

    def _reason(self) -> str:
        """Why to stop now; "" to go on."""
        return self.record.stopped or ("" if self._is_climbing else self._why())

    def _why(self) -> str:
        """What speaks against another round; "" where nothing does."""
        record, trials = self.record, self.record.trials
        found = progress.measures(trials, self.parts.objective)
        rounds = {one.number: one.measured_in or 0 for one in trials}
        return (
            stopping.goals_met(self.parts.goals, record.front)
            or stopping.nothing_improves(found, rounds, self._round, record.asked_after)
            or self._pays_back()
            or ("" if self._untried or progress.waiting(trials, self._costs) else "every recipe of the space was tried")
            or (f"the budget of {self.parts.budget.text} is spent" if trials and rest.is_spent(self) else "")
        )

    @property
    def _is_climbing(self) -> bool:
        return any(one.status == "running" for one in self.record.trials)

    @property
    def _round(self) -> int:
        """The number of the last round; -1 before the first one."""
        return max((one.round for one in self.record.trials), default=-1)

    @property
    def _untried(self) -> list[Place]:
        tried = [one.choices for one in self.record.trials]
        return [one for one in self.parts.space.places if one.choices not in tried]

    @property
    def _costs(self) -> dict[int, float]:
        return {number: place.cost for number, place in self.places.items()}

    def _next(self) -> Iterator[Event]:
        """End the round that was begun, or see whether its best trial meets the goals for certain, or begin another."""
        found = candidate(self.record, self.parts.goals, self.parts.objective)
        if self._is_climbing:
            yield from self._climb()
        elif found is not None:
            yield from self._verify(found)
        elif self._untried:
            yield from self._propose()
            yield from self._climb()
        else:
            yield from self._take_up()

    def _pays_back(self) -> str:
        met = [one for one in self.record.trials if one.meets and all(one.meets.values()) and one.emissions.value]
        if not met:
            return ""
        best = min(met, key=lambda one: one.emissions.value or 1.0)
        expected = [one.candidate.prediction.emissions for one in self._untried]
        least = min((said.low for said in expected if said), default=0.0)
        whole, share = best.g_per_1000.value, best.emissions.value or 1.0
        spent, count = self.record.spent, len({one.round for one in self.record.trials})
        return stopping.cannot_pay_back(
            self.record.requests, None if whole is None else whole / share, share, least, spent.g_co2 / count
        )

    def _propose(self) -> Iterator[Event]:
        """Begin the next round: the advised recipe and one of each level, and when these were tried, the sampler's."""
        trials, parts = self.record.trials, self.parts
        most = (parts.budget.trials or len(parts.space.every)) - len(trials)
        round_ = self._round + 1
        untried = self._untried
        firsts = [one for one in parts.space.seeds if one in untried][:most]
        chosen = firsts or self._asked(round_, most)
        new = [self._begun(*one, round_) for one in enumerate(chosen, len(trials))]
        self.places |= {trial.number: place for trial, place in zip(new, chosen, strict=True)}
        self.keep(trials=(*trials, *new))
        yield Remark(f"round {round_ + 1}: {len(new)} recipe{'s' * (len(new) != 1)}")

    def _asked(self, round_: int, most: int) -> list[Place]:
        """What the sampler proposes."""
        record, parts = self.record, self.parts
        told = progress.told(record.trials, parts.goals, parts.objective)
        tried, seed = [one.choices for one in record.trials], record.seed * 1000 + round_
        return propose(parts.space, told, tried, min(ROUND, most), seed, parts.sampler)

    def _begun(self, number: int, place: Place, round_: int) -> Trial:
        """A new trial."""
        found, seeds = place.candidate, self.parts.space.seeds
        origin: Origin = "proposed" if place not in seeds else "advised" if place == seeds[0] else "level"
        compute = found.prediction.compute
        return Trial(number, origin, round_, found.words, place.level, place.choices, as_dict(found.recipe), compute)

    def _climb(self) -> Iterator[Event]:
        """Take the trials from rung to rung, and measure those that reach the last one."""
        late = set[int]()
        for share in RUNGS:
            due = progress.due(self.record.trials, self._costs, share, self.record.promoted)
            going = rest.affordable(self, due, share)
            late |= {one.number for one in due if one not in going}
            yield from self._grow(share, going)
        yield from self._settle(late)

    def _take_up(self) -> Iterator[Event]:
        """Train the most promising of the trials that others were ahead of: nothing else is left to try."""
        waiting = progress.waiting(self.record.trials, self._costs)
        going = next(([one] for one in waiting if rest.affordable(self, [one], RUNGS[-1])), [])
        yield from self._grow(RUNGS[-1], going)
        yield from self._settle({one.number for one in waiting} if not going else set())

    def _settle(self, late: Collection[int]) -> Iterator[Event]:
        """Measure what was trained whole. late: trials that the budget does not suffice for."""
        for trial in progress.unmeasured(self.record.trials):
            yield from self._measured(trial)
        found = agreement({share: progress.looks(self.record.trials, self._costs, share) for share in RUNGS})
        spent = "the budget does not suffice for more"
        trials = tuple(progress.stopped(one, spent if one.number in late else "") for one in self.record.trials)
        self.keep(trials=trials, agreement=found, promoted=share_for(found))

    def _grow(self, share: str, going: Sequence[Trial]) -> Iterator[Event]:
        """Make the nodes of these trials at a rung, as many at the same time as the carrier can."""
        leaves = {one.number: progress.node(self.places[one.number], share) for one in going}
        for number, leaf in leaves.items():
            if leaf.name in self.growth.outcomes:
                yield from self._seen(number, share, self.growth.outcomes[leaf.name]._replace(spent=Spent()))
        for node, outcome in self.growth.make(leaves.values()):
            first = True
            for number, leaf in leaves.items():
                if leaf.name == node.name:
                    yield from self._seen(number, share, outcome if first else outcome._replace(spent=Spent()))
                    first = False

    def _seen(self, number: int, share: str, outcome: Outcome) -> Iterator[Event]:
        """A trial has been looked at on a rung."""
        trial = self.record.trials[number]
        spent = trial.spent + (Spent() if outcome.reused else outcome.spent)
        kept = _kept(outcome)
        if kept.value is None:
            trial = replace(trial, status="failed", why=kept.why_not, spent=spent)
        else:
            rung = Reached(share, kept, outcome.loss, outcome.key)
            last: Any = {"kept": kept} if share == RUNGS[-1] else {}
            trial = replace(trial, status="running", why="", rungs=(*trial.rungs, rung), spent=spent, **last)
        self.change(trial)
        yield trial

    def change(self, trial: Trial) -> None:
        """Put a trial in the place of its earlier state, and write the record."""
        trials = tuple(trial if one.number == trial.number else one for one in self.record.trials)
        found = progress.measures(trials, self.parts.objective)
        self.keep(trials=trials, frontier=tuple(front(found)))

    def _measured(self, trial: Trial) -> Iterator[Event]:
        """Measure a trial; twice where something disturbed the first time."""
        try:
            for _ in range(MOST_MEASURED):
                found = self.parts.measuring.trial(trial.number, self.recipe(trial.number))
                self.spend(found.spent)
                numbers: Any = found._replace(spent=trial.spent + found.spent)._asdict()
                trial = replace(trial, **numbers)
                cost = getattr(trial, self.parts.objective)
                if cost.value is not None:
                    break
            why = cost.why_not
        except DiskFull:
            raise
        except AdviseError as error:
            why = message(error)
        if why:
            trial = replace(trial, status="failed", why=why)
        else:
            met = meets(self.parts.goals, progress.goal_numbers(trial))
            trial = replace(trial, status="measured", meets=met, measured_in=self._round)
        self.change(trial)
        yield trial
        yield self.record

    def _verify(self, trial: Trial) -> Iterator[Event]:
        """Whether a trial meets the goals with every seed: on the selection rows, and only then on the report rows."""
        yield Remark(f"trial {trial.number} meets every goal with one seed: the other seeds are trained")
        yield from self.further([trial.number])
        trial = self.record.trials[trial.number]
        if most_missed(trial, self.parts.goals) > 0:
            worst = min(trial.further, key=lambda one: (one.interval or (one.value or 0.0,))[0])
            yield Remark(f"trial {trial.number} misses them with another seed ({_words(worst)}): the search goes on")
            return
        yield from self.parts.ending.look(self, trial.number)
        if not stopping.goals_met(self.parts.goals, self.record.front):
            yield Remark(f"trial {trial.number} misses them on the report rows: the search goes on")

    def further(self, numbers: Sequence[int]) -> Iterator[Event]:
        """Train trials with the other seeds, as many at the same time as the carrier can, for the selection rows."""
        lacking = [number for number in numbers if not self.record.trials[number].further]
        leaves = {
            number: [Node(self.places[number].recipe, seed=seed) for seed in range(1, SEEDS)] for number in lacking
        }
        spent = dict.fromkeys(lacking, Spent())
        for node, outcome in self.growth.make(node for own in leaves.values() for node in own):
            for number in (number for number, own in leaves.items() if node in own and not outcome.reused):
                spent[number] += outcome.spent
        for number, own in leaves.items():
            trial, outcomes = self.record.trials[number], [self.growth.outcomes[node.name] for node in own]
            self.change(replace(trial, further=tuple(map(_kept, outcomes)), spent=trial.spent + spent[number]))
        yield self.record


def _kept(outcome: Outcome) -> Measured:
    """What a node keeps; nothing, and why, where it has failed."""
    return Measured(why_not=outcome.why) if outcome.status == "failed" else outcome.kept


def _words(kept: Measured) -> str:
    """What a seed keeps, or why that is not known."""
    if kept.value is None:
        return kept.why_not
    ends = f" ({kept.interval[0]:.3f} to {kept.interval[1]:.3f})" if kept.interval else ""
    return f"it keeps {kept.value:.3f}{ends}"
