"""The end of a search on literals: which points are measured, what they meet, what must give; and what it will cost."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from table_search import Table, begun, parts, question, space_of

from advisor.base.errors import AdviseError
from advisor.base.interval import Interval
from advisor.cli import main
from advisor.execution import eta
from advisor.execution.eta import Rows
from advisor.recipe.reader import load
from advisor.recipe.recipe import Aims, Recipe, as_yaml
from advisor.records.results import Measured
from advisor.records.search import Point, SearchResult, SeedOfPoint, Spent, Trial
from advisor.runs.seed_statistics import SeedsResult
from advisor.tuning.budget import parse
from advisor.tuning.costs import SECONDS_A_NODE, Costs, Pace, forecast, least
from advisor.tuning.driver import Driver
from advisor.tuning.ending import Ending, judged, marked, nearest
from advisor.tuning.points import candidate, order
from advisor.tuning.resuming import restated, resumed

GOALS = {"relative_accuracy": Interval.parse(">= 0.95"), "relative_emissions": Interval.parse("<= 0.5")}


def near(value: float, by: float = 0.01) -> Measured:
    return Measured(value, interval=(value - by, value + by))


def trial(number: int, kept: float, emissions: float) -> Trial:
    found = Trial(number, "proposed", 0, f"recipe {number}", "L1", {}, {}, 0.5, "measured")
    return replace(found, kept=near(kept), emissions=near(emissions))


def point(number: int, *seeds: tuple[float, float], warning: str = "") -> Point:
    runs = tuple(
        SeedOfPoint(
            place, f"front/{number}/seed-{place}", near(kept), Measured(9.0), near(cost), near(cost), Measured(5.0)
        )
        for place, (kept, cost) in enumerate(seeds)
    )
    return judged(Point(number, f"recipe {number}", "", runs, {}, {}, warning), GOALS)


def test_points_that_miss_least_are_measured_first_then_the_cheapest_and_the_baseline_only_alone() -> None:
    trials = (trial(0, 1.0, 1.0), trial(1, 0.97, 0.6), trial(2, 0.96, 0.45), trial(3, 0.97, 0.48), trial(4, 0.9, 0.2))
    record = SearchResult("m", "d", "cpu", {}, {}, "2h", "", trials=trials, frontier=(0, 1, 2, 3, 4))
    assert order(record, GOALS, "emissions") == [2, 3, 4, 1]
    assert order(replace(record, trials=trials[:1], frontier=(0,)), GOALS, "emissions") == [0]


def test_a_goal_is_met_only_by_every_seed_and_what_must_give_is_met_by_all_of_them() -> None:
    good, unlucky = point(1, (0.97, 0.4), (0.961, 0.41)), point(2, (0.97, 0.4), (0.955, 0.41))
    assert good.met and not good.gives
    assert unlucky.meets == {"relative_accuracy": False, "relative_emissions": True} and not unlucky.met
    assert unlucky.gives == {"relative_accuracy": 0.94}  # the lower end of the worse seed is 0.945
    told = nearest([unlucky, point(3, (0.8, 0.6))], GOALS)
    assert told == "nearest: recipe 2 (trial 2); what must give: --min-accuracy 0.94"
    assert "--min-accuracy 0.78 --max-emissions 0.62" in nearest([point(3, (0.799, 0.605))], GOALS)


def test_nothing_that_was_not_measured_meets_a_goal_or_says_what_must_give() -> None:
    found = point(1, (0.97, 0.4))
    gone = replace(found.seeds[0], emissions=Measured(why_not="disturbed"))
    silent = judged(replace(found, seeds=(gone,)), GOALS)
    assert silent.meets["relative_emissions"] is False and "relative_emissions" not in silent.gives
    assert "relative_emissions was not measured" in nearest([silent], GOALS)
    assert nearest([], GOALS) == "nothing was measured"


def test_a_worthless_baseline_meets_nothing() -> None:
    found = point(1, (0.99, 0.3), warning="verifies nothing: the baseline is no better than a constant answer")
    assert not found.met and not any(found.meets.values()) and not found.gives
    assert nearest([found], GOALS).endswith("verifies nothing: the baseline is no better than a constant answer")


def test_with_other_goals_the_recipe_files_of_earlier_points_state_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = question(relative_accuracy=0.9)
    recipe = next(
        one.recipe for one in space_of(asked).places if one.recipe.step_names[1:] == ("layer_removal", "distillation")
    )
    points = []
    for number in (1, 2, 3):
        run = f"front/trial-{number:03d}/seed-0"
        (tmp_path / run).mkdir(parents=True)
        (tmp_path / run / "recipe.yaml").write_text(as_yaml(recipe))
        seed = replace(point(number, (0.97, 0.4)).seeds[0], folder=run)
        points.append(replace(point(number), seeds=(seed,), recipe=f"front/trial-{number:03d}.yaml"))
    points[1] = replace(points[1], refused="forbidden for these goals by some-rule: too deep")
    (tmp_path / points[2].seeds[0].folder / "recipe.yaml").unlink()
    goal = Aims(relative_accuracy=">= 0.93", size_mb="<= 300", requests=1000)
    restated(tmp_path, replace(SearchResult("m", "d", "cpu", {}, {}, "2h", ""), front=tuple(points)), goal)
    found, _ = load(tmp_path / points[0].recipe)
    assert found.goal == goal and (found.steps, found.data) == (recipe.steps, recipe.data)
    assert main(["check", str(tmp_path / points[0].recipe)]) == 0, capsys.readouterr().out
    assert load(tmp_path / points[0].seeds[0].folder / "recipe.yaml")[0].goal == recipe.goal, "the run is as it was"
    assert not (tmp_path / points[1].recipe).exists(), "rules forbid it with this goal"
    assert not (tmp_path / points[2].recipe).exists(), "its run was taken away"


class Runs:
    """Runs of seeds, of which a trial's fails."""

    def point(self, path: str, recipe: Recipe) -> tuple[SeedsResult, Spent]:
        raise AdviseError("the loss is not finite")


def test_a_point_whose_seed_fails_is_told_and_the_search_ends_all_the_same(tmp_path: Path) -> None:
    asked = question(relative_accuracy=0.9)
    table, records = Table(), list[SearchResult]()
    made = parts(asked, space_of(asked), table, "3trials", save=records.append, ending=Ending(Runs(), tmp_path))
    *_, last = Driver(made, begun(asked, space_of(asked), "3trials")).run()
    assert last is records[-1] and isinstance(last, SearchResult)
    assert not last.front and last.nearest == "nothing was measured"
    assert len(last.notes) == len(order(replace(last, looked=()), made.goals, made.objective)) > 1
    assert sorted(last.looked) == sorted(order(replace(last, looked=()), made.goals, made.objective))
    again = resumed(last, begun(asked, space_of(asked), "3trials"))
    assert again.looked == () and again.stopped, "the same command tries them again"
    assert all("as a seed failed: the loss is not finite" in note for note in last.notes)


def test_points_that_turn_out_worse_on_the_report_rows_are_marked() -> None:
    found = marked([point(1, (0.97, 0.4)), point(2, (0.96, 0.5)), point(3, (0.9, 0.2))], "emissions")
    assert [one.dominated for one in found] == [False, True, False]


def test_the_forecast_grows_with_the_budget_and_never_beyond_it() -> None:
    spaced = space_of(question(relative_accuracy=0.9))
    costs = Costs(Pace(1e-12, 20.0, 0.05, "a guess"), Rows(30_000, 1000, 2000), 10.0)
    few, many = (forecast(spaced, parse(text), costs) for text in ("4trials", "40trials"))
    assert 0 < few.seconds < many.seconds and many.wh == pytest.approx(many.seconds * 20 / 3600)
    assert many.g_co2 == pytest.approx((many.wh or 0) * 0.05)
    assert forecast(spaced, parse("1min"), costs).seconds == pytest.approx(60)
    assert forecast(spaced, parse("1wh"), costs).wh == pytest.approx(1)
    assert least(spaced, costs).clock < few.seconds
    unknown = forecast(spaced, parse("4trials"), costs._replace(pace=Pace(1e-12, None, None, "a guess")))
    assert unknown.wh is None and unknown.g_co2 is None


def test_the_teacher_is_asked_once_and_each_share_is_judged_by_all_rows() -> None:
    spaced = space_of(question(relative_accuracy=0.9))
    first = spaced.places[0]
    assert first.candidate.plan is not None
    costs = Costs(Pace(1e-12, 20.0, 0.05, "a guess"), Rows(30_000, 1000, 2000), 10.0)
    steps = eta.parts(first.candidate.plan, costs.rows, costs.measuring)
    taught = [1e-12 * one.teacher for one in steps]
    assert max(taught) > 0 and costs.baseline(first) == pytest.approx(1e-12 * steps[0].work + max(taught))
    whole = SECONDS_A_NODE + sum(1e-12 * one.work + one.seconds for one in steps[1:-1]) - sum(taught)
    assert costs.trial(first) == pytest.approx(whole)
    judged = 1e-12 * sum(one.scored for one in steps[1:-1])
    assert judged < costs.trial(first, Fraction(0)) < costs.trial(first, Fraction(1, 9)) < whole


def test_workers_shorten_what_they_share_and_neither_measuring_nor_energy() -> None:
    spaced, budget = space_of(question(relative_accuracy=0.9)), parse("40trials")
    alone = Costs(Pace(1e-12, 20.0, 0.05, "a guess"), Rows(30_000, 1000, 2000), 10.0)
    counts = (1, 4, 10_000)
    found = {count: forecast(spaced, budget, alone._replace(workers=count)) for count in counts}
    steps = {count: forecast(spaced, budget, alone._replace(workers=count, measuring=0.0)).seconds for count in counts}
    assert {round(one.wh or 0, 6) for one in found.values()} == {round(found[1].wh or 0, 6)}, "the same work is done"
    serial = [found[count].seconds - steps[count] for count in counts]
    assert serial == pytest.approx([serial[0]] * 3) and serial[0] > 0, "measuring stays serial"
    assert steps[1] > steps[4] > steps[10_000] > steps[1] / 4, "rungs and fine-tuning are waited for"
    assert steps[10_000] > alone.baseline(spaced.places[0])
    assert found[4].basis == "a guess, 4 workers" and found[1].basis == "a guess"
    slow = alone._replace(workers=4, pace=alone.pace._replace(slower=4.0))
    assert forecast(spaced, budget, slow).seconds >= found[1].seconds, "workers that share the cores win nothing"


def test_the_trial_that_meets_the_goals_by_most_is_verified_first_and_each_once() -> None:
    trials = (trial(0, 0.99, 0.6), trial(1, 0.962, 0.3), trial(2, 0.97, 0.4), trial(3, 0.93, 0.1))
    record = SearchResult("m", "d", "cpu", {}, {}, "2h", "", trials=trials, frontier=(0, 1, 2, 3))

    def first(record: SearchResult) -> int | None:
        found = candidate(record, GOALS, "emissions")
        return found.number if found else None

    assert first(record) == 2
    unlucky = replace(trials[2], further=(near(0.97), near(0.95)))
    assert first(replace(record, trials=(*trials[:2], unlucky, trials[3]))) == 1, "one of its seeds misses"
    assert first(replace(record, looked=(2,))) == 1 and first(replace(record, looked=(1, 2))) is None
    assert first(replace(record, front=(point(2, (0.9, 0.4)),))) == 1
    assert candidate(record, {"relative_accuracy": GOALS["relative_accuracy"]}, "emissions") is None


def test_a_trial_that_meets_the_goals_is_measured_though_another_one_beats_it_in_all_but_a_goal() -> None:
    goals = {**GOALS, "size_mb": Interval.parse("<= 50")}
    trials = (
        replace(trial(0, 0.99, 0.3), size_mb=Measured(90.0)),
        replace(trial(1, 0.97, 0.4), size_mb=Measured(40.0)),
    )
    record = SearchResult("m", "d", "cpu", {}, {}, "2h", "", trials=trials, frontier=(0,))
    assert order(record, goals, "emissions") == [1, 0]
