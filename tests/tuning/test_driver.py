"""The driver on a table of results: rounds, rungs, resumption, failures, and when it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from table_search import Table, begun, parts, question, searched, space_of

from advisor.base.errors import AdviseError
from advisor.records.search import RUNGS, SearchResult
from advisor.tuning import progress
from advisor.tuning.budget import parse
from advisor.tuning.driver import ROUND, Driver
from advisor.tuning.proposals import propose

GOALS = {"relative_accuracy": 0.9}


def test_the_advised_recipe_is_trial_0_and_no_search_ends_below_it() -> None:
    found = searched(question(**GOALS), Table())
    first = found.trials[0]
    assert (
        first.origin == "advised" and first.status == "measured" and [one.share for one in first.rungs] == list(RUNGS)
    )
    assert [one.origin for one in found.trials[1:3]] == ["level", "level"]
    best = progress.measures(found.trials, "emissions")
    own = best[0]
    assert any(best[number].kept >= own.kept and best[number].cost <= own.cost for number in found.frontier)
    assert found.stopped and found.spent.wh > 0 and found.wall_seconds > 0


def test_few_trials_are_trained_whole_and_every_level_has_one() -> None:
    table = Table()
    found = searched(question(**GOALS), table)
    reached = [sum(any(one.share == share for one in trial.rungs) for trial in found.trials) for share in RUNGS]
    assert (
        reached[0] == len(found.trials) and reached == sorted(reached, reverse=True) and reached[-1] < reached[0] / 1.5
    )
    assert {one.level for one in found.trials} == {one.level for one in found.trials if one.status == "measured"}
    assert len(table.made) == len(set(table.made)), "a node was made twice"
    assert len({tuple(one.choices.items()) for one in found.trials}) == len(found.trials), "a recipe was tried twice"


@pytest.mark.parametrize("after", [1, 7, 20])
def test_a_killed_search_goes_on_as_if_nothing_had_happened(after: int) -> None:
    asked = question(**GOALS)
    spaced, whole = space_of(asked), searched(asked, Table())
    records: list[SearchResult] = []
    driver = Driver(parts(asked, spaced, Table(), "30trials", save=records.append), begun(asked, spaced, "30trials"))
    for _, _ in zip(range(after), driver.run(), strict=False):
        pass
    *_, again = Driver(parts(asked, spaced, Table(), "30trials"), records[-1]).run()
    assert isinstance(again, SearchResult)
    assert [one.choices for one in again.trials] == [one.choices for one in whole.trials]
    assert [one.status for one in again.trials] == [one.status for one in whole.trials]
    assert again.frontier == whole.frontier


def test_workers_change_the_order_of_the_work_and_nothing_else() -> None:
    alone, together = (searched(question(**GOALS), Table(workers=count)) for count in (1, 4))
    assert [replace(one, spent=alone.spent) for one in alone.trials] == [
        replace(one, spent=alone.spent) for one in together.trials
    ]


def test_a_failed_step_fails_its_trials_and_a_missing_measurement_is_no_number() -> None:
    table = Table(broken=["top"], unmeasured=[1])
    found = searched(question(**GOALS), table)
    for trial in found.trials:
        if trial.choices["choose"] == "top":
            assert (trial.status, trial.why) == ("failed", "the loss is not finite")
    assert found.trials[1].status == "failed" and found.trials[1].why == "another program was at work"
    assert table.measured.count(1) == 2, "what disturbed the first time may be over"
    told = progress.told(found.trials, {}, "emissions")
    assert [one.values is None for one in told] == [one.status != "measured" for one in found.trials]


def test_without_a_baseline_there_is_no_search() -> None:
    with pytest.raises(AdviseError, match="the baseline of every trial cannot be made: no memory"):
        searched(question(**GOALS), Table(baseline=False))


def test_a_search_stops_at_the_goals_at_the_budget_and_when_it_cannot_pay_back() -> None:
    easy = searched(question(relative_accuracy=0.9, relative_emissions=0.6), Table())
    assert easy.stopped.endswith("meets every goal by the nearer end of its interval") and len(easy.trials) <= 4
    hours = searched(question(**GOALS), Table(), "20min")
    assert hours.stopped == "the budget of 20min is spent" and hours.frontier
    asked = question(**GOALS, requests=10)
    spaced = space_of(asked)
    *_, last = Driver(parts(asked, spaced, Table(), "30trials"), begun(asked, spaced, "30trials", requests=10)).run()
    assert isinstance(last, SearchResult) and "cannot pay back" in last.stopped and len(last.trials) < 2 * ROUND


@pytest.mark.parametrize("budget", ["4min", "10min", "20min"])
def test_a_search_begins_nothing_that_its_budget_does_not_suffice_for(budget: str) -> None:
    """A trial takes 100 s, measuring it 10 s, and its end 100 s."""
    found = searched(question(**GOALS), Table(), budget)
    assert found.trials[0].status == "measured" and found.stopped == f"the budget of {budget} is spent"
    assert found.wall_seconds <= (parse(budget).seconds or 0)
    assert any(one.status == "stopped" for one in found.trials)


def test_proposals_are_new_allowed_and_the_same_for_the_same_history() -> None:
    asked = question(**GOALS)
    spaced, found = space_of(asked), searched(asked, Table(), "12trials")
    told = progress.told(found.trials, parts(asked, spaced, Table(), "9trials").goals, "emissions")
    tried = [one.choices for one in found.trials]
    ones, others, third = (propose(spaced, told, tried, 5, seed, "tpe") for seed in (1, 1, 2))
    assert ones == others != third
    assert all(one in spaced.places and one.choices not in tried for one in ones)
    assert len(propose(spaced, told, tried, 10_000, 1)) == len(spaced.places) - len(tried)
