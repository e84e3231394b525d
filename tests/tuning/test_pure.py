"""The pure parts of a search on literals: budget, front, rungs, goals, stopping."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.base.errors import AdviseError
from advisor.base.interval import Interval
from advisor.records.results import Measured
from advisor.records.search import RUNGS, Agreement, Point, Spent
from advisor.tuning import budget, stopping
from advisor.tuning.front import Measure, dominates, front, hypervolume, ranks, thinned
from advisor.tuning.goals import meets, shortfall
from advisor.tuning.rungs import SHARE, WIDER, Look, agreement, kendall, promoted, share_for

measures = st.builds(Measure, st.floats(0, 1.2), st.floats(0.01, 1.5))
looks = st.lists(
    st.tuples(st.sampled_from(["", "L1", "L2"]), st.floats(0, 1), st.floats(0.1, 1)), min_size=1, max_size=12
).map(lambda some: [Look(number, *one) for number, one in enumerate(some)])


def test_budgets_by_hand() -> None:
    assert budget.parse("2h").seconds == 7200 and budget.parse(" 90 min ").seconds == 5400
    assert budget.parse("200wh").wh == 200 and budget.parse("30trials").trials == 30 == budget.parse("30 TRIALS").trials
    assert budget.parse("2h").left(1800, Spent(), 99) == 0.75
    assert budget.parse("200wh").left(0, Spent(wh=50), 0) == 0.75 and budget.parse("200wh").takes(1, 100) == 0.5
    assert budget.parse("4trials").left(1e9, Spent(), 4) == 0


@pytest.mark.parametrize("text", ["", "2", "h", "0h", "-1h", "1.5trials", "0trials", "2h3", "nan h", "inf h", "1e9h"])
def test_what_is_no_budget_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(AdviseError, match="2h, 90min, 200wh or 30trials"):
        budget.parse(text)


def test_the_front_by_hand() -> None:
    found = {
        0: Measure(1.0, 1.0),
        1: Measure(0.97, 0.5),
        2: Measure(0.96, 0.6),
        3: Measure(0.9, 0.2),
        4: Measure(0.97, 0.5),
    }
    assert front(found) == [3, 1, 0]
    assert ranks(list(found.values())) == [0, 0, 1, 0, 0]
    # 0.9 up to a fifth of the cost, then 0.07 more up to a half.
    assert hypervolume(list(found.values())) == pytest.approx(0.9 * math.log(5) + 0.07 * math.log(2))
    assert thinned(found, [0], 2) == [3, 0]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(measures, max_size=8))
def test_nothing_on_the_front_is_dominated_and_everything_else_is(some: list[Measure]) -> None:
    found = dict(enumerate(some))
    best = {found[number] for number in front(found)}
    assert all(one in best or any(dominates(other, one) for other in best) for one in some)
    assert not any(dominates(one, other) for one, other in itertools.permutations(best, 2))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(measures, max_size=8), measures)
def test_more_trials_never_make_the_area_smaller(some: list[Measure], one: Measure) -> None:
    assert hypervolume([*some, one]) >= hypervolume(some) - 1e-12


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(looks, st.sampled_from([SHARE, 0.5, WIDER, 1.0]))
def test_each_level_sends_its_best_and_a_share_of_its_trials(some: list[Look], share: float) -> None:
    going = promoted(some, share)
    for level in {one.level for one in some}:
        own = [one for one in some if one.level == level]
        chosen = [one for one in own if one.number in going]
        assert len(chosen) == math.ceil(share * len(own) - 1e-9) >= 1
        left = [one for one in own if one.number not in going]
        assert not any(
            dominates(Measure(out.quality, out.cost), Measure(one.quality, one.cost)) for out in left for one in chosen
        )


def test_rungs_agree_by_kendalls_tau_within_a_level() -> None:
    def at(qualities: list[float], level: str = "L1", first: int = 0) -> list[Look]:
        return [Look(first + number, level, quality, 0.5) for number, quality in enumerate(qualities)]

    same, other = at([0.1, 0.2, 0.3]), at([0.7, 0.8, 0.9])
    assert kendall(list(zip(same, other, strict=True))) == 1
    assert kendall(list(zip(same, at([0.9, 0.8, 0.7]), strict=True))) == -1
    assert kendall(list(zip(same, at([0.9, 0.7, 0.8]), strict=True))) == pytest.approx(-1 / 3)
    assert kendall(list(zip(same, at([0.5, 0.5, 0.5]), strict=True))) is None, "equal trials are no disagreement"
    # The order of two levels says nothing, as a deeper cut is worse at every rung.
    assert kendall([(at([0.1])[0], at([0.1])[0]), (at([0.9], "L2", 1)[0], at([0.2], "L2", 1)[0])]) is None
    found = agreement({"1/9": same, "1": [*other, *at([0.5], first=9)]})
    assert [one.trials for one in found] == [0, 3, 0] and found[1].tau == 1
    assert agreement({"1/9": same[:2], "1": other})[1].tau is None


def test_rungs_that_disagree_send_more_trials_on() -> None:
    def told(tau: float | None) -> float:
        return share_for([Agreement(RUNGS[0], "1", -1.0, 5), Agreement(RUNGS[1], "1", tau, 5)])

    assert (told(0.9), told(0.5), told(0.49), told(-1.0), told(None)) == (SHARE, SHARE, WIDER, WIDER, SHARE)


def test_a_goal_is_met_by_the_nearer_end_or_not_at_all() -> None:
    at_least, at_most = Interval.parse(">= 0.95"), Interval.parse("<= 0.5")
    assert shortfall("relative_accuracy", at_least, Measured(0.97, interval=(0.95, 0.99))) == pytest.approx(0)
    assert shortfall("relative_accuracy", at_least, Measured(0.97, interval=(0.931, 0.99))) == pytest.approx(0.02)
    assert shortfall("relative_emissions", at_most, Measured(0.4, interval=(0.3, 0.55))) == pytest.approx(0.1)
    assert shortfall("relative_emissions", at_most, Measured(0.4)) == pytest.approx(-0.2)
    assert shortfall("relative_emissions", at_most, Measured(why_not="disturbed")) is None
    assert meets({"relative_emissions": at_most}, {"relative_emissions": Measured(why_not="disturbed")}) == {
        "relative_emissions": False
    }


def point(number: int, met: dict[str, bool], warning: str = "") -> Point:
    return Point(number, "r", "", (), met, {}, warning)


def test_a_search_ends_when_the_goals_are_met_unless_accuracy_is_all_that_is_asked() -> None:
    goals = {"relative_accuracy": Interval.parse(">= 0.9"), "size_mb": Interval.parse("<= 9")}
    both, one = {"relative_accuracy": True, "size_mb": True}, {"relative_accuracy": True, "size_mb": False}
    assert stopping.goals_met(goals, [point(0, one), point(1, both)]).startswith("trial 1 meets every goal")
    assert not stopping.goals_met(goals, [point(0, one), point(1, both, "verifies nothing")])
    del goals["size_mb"]
    assert not stopping.goals_met(goals, [point(1, {"relative_accuracy": True})])


def test_a_search_ends_when_two_rounds_gain_less_than_a_hundredth() -> None:
    rounds = {0: 0, 1: 1, 2: 2}
    found = {0: Measure(0.95, 0.5), 1: Measure(0.94, 0.5), 2: Measure(0.95, 0.499)}
    assert "nothing has improved" in stopping.nothing_improves(found, rounds, 2)
    assert not stopping.nothing_improves({**found, 2: Measure(0.95, 0.4)}, rounds, 2)
    assert not stopping.nothing_improves({0: found[0], 1: found[1]}, rounds, 1)
    assert stopping.nothing_improves({0: found[0]}, rounds, 2), "rounds that measure nothing gain nothing"
    assert not stopping.nothing_improves({0: found[0]}, rounds, 2, first=1), "they were spent on other goals"
    late = {0: 2, 1: 0}  # tried in the first round, and measured in the last
    assert not stopping.nothing_improves({0: found[0], 1: Measure(0.5, 0.9)}, late, 2)


def test_a_search_ends_when_it_cannot_pay_back() -> None:
    """A million requests emit 100 g with the baseline; from 0.4 to 0.3 of it saves 10 g at best."""
    assert not stopping.cannot_pay_back(1_000_000, 0.1, 0.4, 0.3, next_g=9.9)
    assert "save 10 g at best" in stopping.cannot_pay_back(1_000_000, 0.1, 0.4, 0.3, next_g=10.1)
    assert stopping.cannot_pay_back(1_000_000, 0.1, 0.3, 0.4, next_g=0.1)  # nothing greener is expected
    assert not stopping.cannot_pay_back(None, 0.1, 0.4, 0.3, 99.0) and not stopping.cannot_pay_back(9, None, 1, 0, 9.0)
