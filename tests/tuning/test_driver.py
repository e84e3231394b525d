"""The driver on a table of results: rounds, rungs, resumption, failures, and when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from table_search import Flat, ReportRows, Table, begun, parts, question, searched, space_of

from advisor.base.errors import AdviseError
from advisor.records.results import Remark
from advisor.records.search import RUNGS, SearchResult, Trial
from advisor.tuning import progress
from advisor.tuning.budget import parse
from advisor.tuning.driver import Driver
from advisor.tuning.front import MOST_POINTS
from advisor.tuning.proposals import ROUND, propose
from advisor.tuning.resuming import resumed, with_tried, without_refused
from advisor.tuning.space import Place

GOALS = {"relative_accuracy": 0.9}
EASY = {"relative_accuracy": 0.9, "relative_emissions": 0.6}
EVERY_SEED = "with every seed, on the report rows"


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
    easy = searched(question(**EASY), Table(), ending=ReportRows())
    met = next(point.trial for point in easy.front if point.met)
    assert easy.stopped == f"trial {met} meets every goal by the nearer end of its interval, {EVERY_SEED}"
    assert len(easy.trials) <= 4 and easy.passed
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


def test_a_search_whose_end_took_less_than_was_kept_back_goes_on() -> None:
    """A point is expected to take 400 s at the end and takes 30."""
    asked, end = question(**EASY), ReportRows(lambda number: 0.2)
    spaced, budget = space_of(asked), "20min"
    made = parts(asked, spaced, Table(), budget, ending=end, estimates=Dear())
    events = list(Driver(made, begun(asked, spaced, budget)).run())
    found = events[-1]
    assert isinstance(found, SearchResult) and found.stopped == "the budget of 20min is spent"
    goes_on = [place for place, one in enumerate(events) if isinstance(one, Remark) and "goes on" in one.text]
    assert goes_on and any(isinstance(one, Trial) for one in events[goes_on[0] :]), "trials come after its first end"
    assert found.wall_seconds <= 20 * 60 and len(end.looks) == len(set(end.looks)) <= MOST_POINTS
    assert found.nearest, "what it says at the end is of its last end"


def test_when_nothing_is_left_to_try_the_trials_that_others_were_ahead_of_are_trained() -> None:
    asked = question(**GOALS)
    few = space_of(asked)._replace(places=space_of(asked).places[:14])
    *_, found = Driver(parts(asked, few, Table(), "1000trials"), begun(asked, few, "1000trials")).run()
    assert isinstance(found, SearchResult) and found.stopped == "every recipe of the space was tried"
    assert len(found.trials) == 14 and all(one.status == "measured" for one in found.trials)
    later = [one for one in found.trials if [look.share for look in one.rungs] not in (list(RUNGS), [RUNGS[0]])]
    assert later, "those that had been stopped go to the end at once"


class Dear(Flat):
    """Estimates by which the end takes long."""

    def end(self, places: Sequence[Place]) -> float:
        return 400.0 * len(places)


def test_proposals_are_new_allowed_and_the_same_for_the_same_history() -> None:
    asked = question(**GOALS)
    spaced, found = space_of(asked), searched(asked, Table(), "12trials")
    told = progress.told(found.trials, parts(asked, spaced, Table(), "9trials").goals, "emissions")
    tried = [one.choices for one in found.trials]
    ones, others, third = (propose(spaced, told, tried, 5, seed, "tpe") for seed in (1, 1, 2))
    assert ones == others != third
    assert all(one in spaced.places and one.choices not in tried for one in ones)
    assert len(propose(spaced, told, tried, 10_000, 1)) == len(spaced.places) - len(tried)


def test_a_search_that_misses_its_goals_on_the_report_rows_goes_on() -> None:
    first = ReportRows()
    searched(question(**EASY), Table(), ending=first)
    unlucky = first.looks[0]
    end = ReportRows(lambda number: 0.2 if number == unlucky else 0.0)
    found = searched(question(**EASY), Table(), ending=end)
    assert found.passed and found.stopped.endswith(EVERY_SEED) and f"trial {unlucky} " not in found.stopped
    assert not next(point for point in found.front if point.trial == unlucky).met, "what was looked at is not hidden"
    assert end.looks[0] == unlucky and len(end.looks) == len(set(end.looks)) == len(found.front) <= MOST_POINTS


def test_report_rows_are_not_looked_at_for_a_trial_that_misses_the_goals_with_another_seed() -> None:
    """Whichever trial is first, the second seed of its recipe is an unlucky one."""
    first, end = ReportRows(), ReportRows()
    searched(question(**EASY), Table(), ending=first)
    spaced = space_of(question(**EASY))
    unlucky = searched(question(**EASY), Table(), ending=ReportRows()).trials[first.looks[0]]
    steps = next(place.recipe.steps for place in spaced.places if place.choices == unlucky.choices)
    table = Table(unlucky=lambda node: 0.2 if node.seed == 2 and node.recipe.steps == steps else 0.0)
    found = searched(question(**EASY), table, ending=end)
    assert found.passed and end.looks[0] != unlucky.number
    kept = [one.value or 0 for one in found.trials[unlucky.number].further]
    assert kept[0] - kept[1] == pytest.approx(0.2), "the seeds were trained"


def test_report_rows_are_looked_at_for_seven_recipes_at_most() -> None:
    end = ReportRows(lambda number: 0.2)
    found = searched(question(**EASY), Table(), "60trials", ending=end)
    assert not found.passed and found.nearest.startswith("nearest: ") and "--min-accuracy 0." in found.nearest
    assert len(end.looks) == len(set(end.looks)) == len(found.front) == MOST_POINTS
    assert not found.stopped.endswith(EVERY_SEED)


@pytest.mark.parametrize("after", [10, 24, 30, 40])
def test_a_search_that_is_killed_while_it_verifies_looks_at_nothing_twice(after: int) -> None:
    asked, unlucky = question(**EASY), lambda number: 0.2 if number < 4 else 0.0
    spaced, end = space_of(asked), ReportRows(unlucky)
    whole, records = searched(asked, Table(), ending=ReportRows(unlucky)), list[SearchResult]()
    made = parts(asked, spaced, Table(), "30trials", save=records.append, ending=end)
    driver = Driver(made, begun(asked, spaced, "30trials"))
    for _, _ in zip(range(after), driver.run(), strict=False):
        pass
    *_, again = Driver(parts(asked, spaced, Table(), "30trials", ending=end), records[-1]).run()
    assert isinstance(again, SearchResult) and len(end.looks) == len(set(end.looks))
    assert (again.front, again.looked, again.stopped) == (whole.front, whole.looked, whole.stopped)


def test_other_goals_repeat_nothing_that_is_there() -> None:
    """No step is made, no trial measured, and no report row used a second time; what is new is tried."""
    table, end = Table(), ReportRows()
    earlier = searched(question(**EASY), table, ending=end)
    steps, measured, looks = len(table.made), len(table.measured), len(end.looks)
    asked = question(relative_accuracy=0.97, relative_emissions=0.5)
    spaced = space_of(asked)
    record = resumed(earlier, begun(asked, spaced, "40trials"))
    assert record.stopped == "" and record.trials[0].choices == earlier.trials[0].choices
    tried = with_tried(spaced, asked, record.trials)
    *_, found = Driver(parts(asked, tried, table, "40trials", ending=end), record).run()
    assert isinstance(found, SearchResult)
    assert len(table.made) > steps and len(table.measured) > measured and len(end.looks) > looks, "it went on"
    assert len(table.made) == len(set(table.made))
    assert len(table.measured) == len(set(table.measured)) and len(end.looks) == len(set(end.looks))
    assert len({tuple(one.choices.items()) for one in found.trials}) == len(found.trials)
    assert {one.trial for one in earlier.front} <= {one.trial for one in found.front}, "a look is never hidden"
    assert found.goals["relative_accuracy"] == ">= 0.97" and found.stopped


def test_with_other_goals_a_search_goes_on_that_had_ended_as_nothing_improved() -> None:
    table = Table()
    earlier = searched(question(**GOALS), table, "200trials")
    assert "nothing has improved" in earlier.stopped
    asked = question(relative_accuracy=0.95)
    record = resumed(earlier, begun(asked, space_of(asked), "200trials"))
    tried = with_tried(space_of(asked), asked, record.trials)
    *_, found = Driver(parts(asked, tried, table, "200trials"), record).run()
    assert isinstance(found, SearchResult) and len(found.trials) > len(earlier.trials)
    same = resumed(earlier, begun(question(**GOALS), space_of(question(**GOALS)), "200trials"))
    assert same.stopped == earlier.stopped, "the same command again has nothing to do"


def test_a_trial_keeps_its_recipe_where_other_goals_leave_it_out_or_prefer_another() -> None:
    asked = question(**GOALS)
    spaced, found = space_of(asked), searched(asked, Table(), "3trials")
    first = found.trials[0]
    gone = spaced._replace(every=tuple(one for one in spaced.every if one.choices != first.choices))
    back = with_tried(gone, asked, found.trials).at(first.choices)
    assert back is not None and (back.recipe.steps, back.level) == (spaced.seeds[0].recipe.steps, first.level)
    other = dict(found.trials[1].recipe)
    other["steps"] = [{"finetune": {"epochs": 7}}, *other["steps"][1:]]  # type: ignore[index]
    trial = replace(found.trials[1], recipe=other)
    assert with_tried(spaced, asked, [trial]).at(trial.choices).recipe.steps[0].epochs == 7  # type: ignore[union-attr]


def test_what_a_rule_forbids_for_the_goals_of_now_goes_no_further_and_meets_nothing() -> None:
    """Pruned matrices are allowed up to a goal of 0.90; a look at the report rows stays, whatever the goals are."""
    asked, end = question(**EASY), ReportRows()
    narrow = next(one for one in space_of(asked).places if one.recipe.step("matrix_pruning"))
    spaced = space_of(asked)._replace(seeds=(narrow,), places=(narrow,))
    *_, earlier = Driver(parts(asked, spaced, Table(), "1trials", ending=end), begun(asked, spaced, "1trials")).run()
    assert isinstance(earlier, SearchResult) and earlier.passed and end.looks == [0]

    strict = question(relative_accuracy=0.91, relative_emissions=0.6)
    record = resumed(earlier, begun(strict, space_of(strict), "20trials"))
    tried = with_tried(space_of(strict), strict, record.trials)
    record = without_refused(record, tried)
    (trial,), (point,) = record.trials, record.front
    assert trial.status == "refused" and trial.why.startswith("forbidden for these goals by mid-large-data-levels: ")
    assert point.refused == trial.why and not any(point.meets.values()) and not record.passed and record.frontier == ()
    *_, found = Driver(parts(strict, tried, Table(), "20trials", ending=end), record).run()
    assert isinstance(found, SearchResult) and found.trials[0].status == "refused" and 0 not in found.frontier
    assert end.looks.count(0) == 1 and len(found.front) > 1 and found.front[0].trial == 0

    back = resumed(found, begun(asked, space_of(asked), "1trials"))
    back = without_refused(back, with_tried(space_of(asked), asked, back.trials))
    assert back.trials[0] == earlier.trials[0] and back.front[0] == earlier.front[0]
