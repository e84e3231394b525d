"""The driver of a search: proposes, looks at trials rung by rung, measures the best, and ends it in good order.

It alone writes search.json, after everything that ends; what it does next follows from that record, so that a search
which was killed goes on where it was. Everything that takes long is done by the parts that it is given.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from advisor.base import frozen
from advisor.base.errors import AdviseError, DiskFull
from advisor.recipe.recipe import Recipe, as_dict
from advisor.records.results import Remark
from advisor.records.search import RUNGS, Origin, Reached, SearchResult, Spent, Trial
from advisor.tuning import progress, stopping
from advisor.tuning.front import front
from advisor.tuning.goals import meets
from advisor.tuning.making import message
from advisor.tuning.parts import Event, Parts
from advisor.tuning.proposals import propose
from advisor.tuning.rungs import agreement, share_for
from advisor.tuning.space import Place
from advisor.tuning.tree import Node, Outcome, before, tree

ROUND = 9  # proposals at a time: a third of a third of them is one
MOST_MEASURED = 2  # times that a trial is measured before it has failed


class Driver:
    """One search, from its record so far to its end."""

    def __init__(self, parts: Parts, record: SearchResult) -> None:
        self.parts, self.record, self.begun = parts, record, parts.now() - record.wall_seconds
        self.places = {one.number: self._place(one) for one in record.trials}
        self.outcomes: dict[str, Outcome] = {}

    def _place(self, trial: Trial) -> Place:
        place = self.parts.space.at(trial.choices)
        if place is None:
            raise AdviseError(f"trial {trial.number} is no recipe of this space", hint="give --out a new folder")
        return place

    def run(self) -> Iterator[Event]:
        """Search until there is a reason to stop, then measure the front."""
        try:
            while not (reason := self._reason()):
                if not any(one.status == "running" for one in self.record.trials):
                    yield from self._propose()
                yield from self._climb()
            self.keep(stopped=reason)
            yield Remark(f"the search ends: {reason}")
            yield from self.parts.ending.run(self)
        finally:
            self.parts.carrier.close()
        yield self.record

    def keep(self, **changes: object) -> None:
        """Change the record and write it."""
        wall = self.parts.now() - self.begun
        self.record = replace(self.record, **changes, wall_seconds=wall)  # type: ignore[arg-type]
        self.parts.save(self.record)

    def recipe(self, number: int) -> Recipe:
        """The recipe of a trial, under a name of its own."""
        recipe = self.places[number].recipe
        return frozen.replace(recipe, name=f"{recipe.name}-trial-{number}")

    def spend(self, what: Spent) -> None:
        """Count what some work took."""
        self.record = replace(self.record, spent=self.record.spent + what)

    def left(self) -> float:
        """The share of the budget that is left."""
        wall = self.parts.now() - self.begun
        return self.parts.budget.left(wall, self.record.spent, len(self.record.trials))

    def takes(self, seconds: float) -> float:
        """The share of the budget that some work will use up."""
        return self.parts.budget.takes(seconds, self.parts.estimates.wh(seconds))

    def _reason(self) -> str:
        """Why to stop now; "" to go on."""
        record, trials = self.record, self.record.trials
        if record.stopped:
            return record.stopped
        if any(one.status == "running" for one in trials):
            return ""
        found = progress.measures(trials, self.parts.objective)
        rounds = {one.number: one.measured_in or 0 for one in trials}
        return (
            stopping.goals_met(self.parts.goals, trials)
            or stopping.nothing_improves(found, rounds, self._round)
            or self._pays_back()
            or ("every recipe of the space was tried" if len(trials) >= len(self.parts.space.places) else "")
            or (f"the budget of {self.parts.budget.text} is spent" if trials and self._spent_up() else "")
        )

    @property
    def _round(self) -> int:
        """The number of the last round; -1 before the first one."""
        return max((one.round for one in self.record.trials), default=-1)

    def _spent_up(self) -> bool:
        """Whether the end of the search leaves no more of the budget than the shortest trial takes."""
        ended = [self.places[one.number] for one in self.record.trials if one.status in ("measured", "failed")]
        more = [self._seconds(place) for place in self.parts.space.places if place not in ended]
        return self._free() - self.takes(min(more, default=0.0)) <= 0

    def _free(self) -> float:
        """The share of the budget that is left for trials: the end of the search is kept back."""
        on_front = [self.places[number] for number in self.record.frontier] or [self.places[0]]
        return self.left() - self.takes(self.parts.estimates.end(on_front))

    def _seconds(self, place: Place, share: str = RUNGS[-1]) -> float:
        """What a trial takes on a rung; on the last one it is measured, too."""
        training = self.parts.estimates.trial(place) * float(Fraction(share))
        return training + (self.parts.estimates.measured(place) if share == RUNGS[-1] else 0.0)

    def _affordable(self, going: Sequence[Trial], share: str) -> list[Trial]:
        """Those that the budget suffices for on a rung, the first ones first; trial 0 goes on whatever it takes."""
        if self.parts.budget.trials is not None:
            return list(going)
        free, found = self._free(), []
        for trial in going:
            free -= self.takes(self._seconds(self.places[trial.number], share) / self.parts.carrier.workers)
            if free >= 0 or trial.number == 0:
                found.append(trial)
        return found

    def _pays_back(self) -> str:
        met = [one for one in self.record.trials if one.meets and all(one.meets.values()) and one.emissions.value]
        if not met:
            return ""
        best = min(met, key=lambda one: one.emissions.value or 1.0)
        untried = [one for one in self.parts.space.places if one not in self.places.values()]
        least = min((said.low for one in untried if (said := one.candidate.prediction.emissions)), default=0.0)
        whole, share = best.g_per_1000.value, best.emissions.value or 1.0
        spent, count = self.record.spent, len({one.round for one in self.record.trials})
        return stopping.cannot_pay_back(
            self.record.requests, None if whole is None else whole / share, share, least, spent.g_co2 / count
        )

    def _propose(self) -> Iterator[Event]:
        """Begin the next round: first the advised recipe and one of each level, then what the sampler asks for."""
        trials, parts = self.record.trials, self.parts
        number, most = len(trials), (parts.budget.trials or len(parts.space.places)) - len(trials)
        round_ = self._round + 1
        tried = [one.choices for one in trials]
        if not trials:
            chosen = list(parts.space.seeds)[:most]
            origins: list[Origin] = ["advised", *["level"] * (len(chosen) - 1)]  # type: ignore[list-item]
        else:
            told = progress.told(trials, parts.goals, parts.objective)
            seed = self.record.seed * 1000 + round_
            chosen = propose(parts.space, told, tried, min(ROUND, most), seed, parts.sampler)
            origins = ["proposed"] * len(chosen)
        new = []
        for place, origin in zip(chosen, origins, strict=True):
            found = place.candidate
            compute = found.prediction.compute
            new.append(
                Trial(number, origin, round_, found.words, place.level, place.choices, as_dict(found.recipe), compute)
            )
            self.places[number] = place
            number += 1
        self.keep(trials=(*trials, *new))
        yield Remark(f"round {round_ + 1}: {len(new)} recipes")

    def _climb(self) -> Iterator[Event]:
        """Take the trials from rung to rung, and measure those that reach the last one."""
        late = set[int]()
        for share in RUNGS:
            costs = {number: place.cost for number, place in self.places.items()}
            due = progress.due(self.record.trials, costs, share, self.record.promoted)
            going = self._affordable(due, share)
            late |= {one.number for one in due if one not in going}
            yield from self._grow(share, going)
        for trial in progress.unmeasured(self.record.trials):
            yield from self._measured(trial)
        costs = {number: place.cost for number, place in self.places.items()}
        found = agreement({share: progress.looks(self.record.trials, costs, share) for share in RUNGS})
        spent = "the budget does not suffice for more"
        trials = tuple(progress.stopped(one, spent if one.number in late else "") for one in self.record.trials)
        self.keep(trials=trials, agreement=found, promoted=share_for(found))

    def _grow(self, share: str, going: Sequence[Trial]) -> Iterator[Event]:
        """Make the nodes of these trials at a rung, as many at the same time as the carrier can."""
        leaves = {one.number: progress.node(self.places[one.number], share) for one in going}
        for number, leaf in leaves.items():
            if leaf.name in self.outcomes:
                yield from self._seen(number, share, self.outcomes[leaf.name]._replace(spent=Spent()))
        left = [leaf for leaf in leaves.values() if leaf.name not in self.outcomes]
        for node, outcome in self._made(tree(left)):
            first = True
            for number, leaf in leaves.items():
                if leaf.name == node.name:
                    yield from self._seen(number, share, outcome if first else outcome._replace(spent=Spent()))
                    first = False

    def _made(self, nodes: dict[str, Node]) -> Generator[tuple[Node, Outcome]]:
        """Make nodes in an order in which each follows what it is made from; yields them as they end."""
        carrier, working = self.parts.carrier, 0
        waiting = {name: node for name, node in nodes.items() if name not in self.outcomes}
        while waiting or working:
            for name, node in list(waiting.items()):
                above = before(node, nodes)
                parent = self.outcomes.get(above) if above else None
                if parent is not None and parent.status == "failed":
                    del waiting[name]
                    self.outcomes[name] = Outcome("failed", parent.why)
                    yield node, self.outcomes[name]
                elif (above is None or parent is not None) and working < carrier.workers:
                    del waiting[name]
                    carrier.start(node)
                    working += 1
            if working:
                node, outcome = carrier.next()
                working -= 1
                self._ended(node, outcome)
                yield node, outcome

    def _ended(self, node: Node, outcome: Outcome) -> None:
        self.spend(outcome.spent)
        self.outcomes[node.name] = outcome
        if outcome.status == "failed" and len(node.recipe.steps) == 1:
            raise AdviseError(f"the baseline of every trial cannot be made: {outcome.why}")

    def _seen(self, number: int, share: str, outcome: Outcome) -> Iterator[Event]:
        """A trial has been looked at on a rung."""
        trial = self.record.trials[number]
        spent = trial.spent + (Spent() if outcome.reused else outcome.spent)
        why = outcome.why or (outcome.kept.why_not if outcome.kept.value is None else "")
        if why:
            trial = replace(trial, status="failed", why=why, spent=spent)
        else:
            rung = Reached(share, outcome.kept, outcome.loss, outcome.key)
            last: Any = {"kept": outcome.kept} if share == RUNGS[-1] else {}
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
