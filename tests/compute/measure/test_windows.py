"""From recorded windows to ratios and intervals, and what is refused: no number without a sound measurement."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.compute.measure.windows import (
    CLOCK_SLACK,
    NotMeasured,
    Ratio,
    Window,
    counted,
    ratio,
    refuse_disturbed,
    refuse_sleep,
    seconds_per_request,
    spread,
)

WINDOW = Window(1000.0, 1002.0, 2.0, 1.9, 100, {"package-0": 5.0, "dram": 1.0}, {"package-0": 25.0, "dram": 2.0})
SECONDS = st.floats(1e-3, 1e3)
ROUNDS = st.lists(st.tuples(SECONDS, SECONDS), min_size=2, max_size=30)


@given(ROUNDS)
def test_the_interval_holds_the_ratio_and_lies_among_the_rounds(rounds: list[tuple[float, float]]) -> None:
    own, baseline = zip(*rounds, strict=True)
    found, ratios = ratio(own, baseline), [one / other for one, other in rounds]
    low, high = found.interval
    assert low <= found.value <= high and found.rounds == len(rounds)
    assert min(ratios) * (1 - 1e-9) <= low and high <= max(ratios) * (1 + 1e-9)
    assert found.half_width >= 0


@given(ROUNDS, st.randoms(use_true_random=False))
def test_the_order_of_the_rounds_changes_nothing(rounds: list[tuple[float, float]], random_: random.Random) -> None:
    shuffled = random_.sample(rounds, len(rounds))
    assert ratio(*zip(*rounds, strict=True)) == ratio(*zip(*shuffled, strict=True))


@given(ROUNDS, st.floats(0.1, 10))
def test_a_model_that_takes_twice_as_long_has_twice_the_ratio(rounds: list[tuple[float, float]], times: float) -> None:
    own, baseline = zip(*rounds, strict=True)
    once, scaled = ratio(own, baseline), ratio([one * times for one in own], baseline)
    assert scaled.value == pytest.approx(once.value * times)
    assert scaled.interval == pytest.approx([end * times for end in once.interval])


@given(st.lists(SECONDS, min_size=2, max_size=30))
def test_a_model_against_itself_is_one(seconds: list[float]) -> None:
    assert ratio(seconds, seconds) == Ratio(1.0, (1.0, 1.0), len(seconds))


@given(st.lists(SECONDS, min_size=9, max_size=20), st.floats(1, 1e4), st.integers(0, 8))
def test_one_disturbed_round_does_not_move_the_ratio(baseline: list[float], slow: float, place: int) -> None:
    own = [one / 2 for one in baseline]
    own[place] *= slow
    assert ratio(own, baseline).value == pytest.approx(0.5)


def test_a_phase_in_which_all_are_slow_does_not_widen_the_interval() -> None:
    """Another program takes half of the machine in rounds 4 to 6: both models take twice as long there."""
    slowed = [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0]
    assert ratio([0.3 * one for one in slowed], slowed).interval == pytest.approx((0.3, 0.3))


def test_intervals_cover_the_true_ratio() -> None:
    """Ten rounds with noise of 5 % on either side: 95 % is claimed, a median of ten covers a little less."""
    random_, inside = random.Random(0), 0
    for _ in range(300):
        own = [0.4 * random_.gauss(1, 0.05) for _ in range(10)]
        low, high = ratio(own, [random_.gauss(1, 0.05) for _ in range(10)]).interval
        inside += low <= 0.4 <= high
    assert 0.89 <= inside / 300 <= 0.99


@pytest.mark.parametrize(("own", "baseline"), [([1.0], [1.0]), ([1.0, 0.0], [1.0, 1.0]), ([1.0, 1.0], [-1.0, 1.0])])
def test_ratios_need_rounds_and_positive_values(own: list[float], baseline: list[float]) -> None:
    with pytest.raises(ValueError, match="two rounds or more, and values above 0"):
        ratio(own, baseline)


def test_seconds_per_request_and_their_spread() -> None:
    assert seconds_per_request([WINDOW, replace(WINDOW, requests=50)]) == [0.02, 0.04]
    assert spread([1.0, 2.0, 3.0]) == pytest.approx(0.5)


def test_a_machine_that_slept_gives_no_number() -> None:
    refuse_sleep([WINDOW, replace(WINDOW, ended=1002.0 + CLOCK_SLACK * 0.9)])
    with pytest.raises(NotMeasured, match=r"slept or its clock was set .* differ by 3600.0 s over a window of 2.0 s"):
        refuse_sleep([WINDOW, replace(WINDOW, ended=4602.0)])
    with pytest.raises(NotMeasured, match="its clock was set"):
        refuse_sleep([replace(WINDOW, ended=900.0)])


def test_a_baseline_that_is_not_itself_gives_no_number() -> None:
    refuse_disturbed(Ratio(1.08, (0.9, 1.3), 10))
    with pytest.raises(NotMeasured, match="the baseline took 120% to 150% of its own time"):
        refuse_disturbed(Ratio(1.3, (1.2, 1.5), 10))
    with pytest.raises(NotMeasured, match="40% to 210%"):
        refuse_disturbed(Ratio(1.0, (0.4, 2.1), 10))


def test_counters_are_summed_from_their_difference() -> None:
    assert counted(WINDOW) == {"package-0": 20.0, "dram": 1.0}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"after": {"package-0": 1.0, "dram": 2.0}}, "counter package-0 wrapped or was reset"),
        ({"after": {"package-0": 25.0, "dram": 1.0}}, r"counter dram counted 0 J in a window of 2.0 s"),
        ({"after": "cannot be read: permission denied"}, "permission denied"),
        ({"before": "cannot be read: permission denied"}, "permission denied"),
        ({"after": {"package-0": 25.0}}, "energy counters changed from package-0, dram to package-0"),
    ],
)
def test_a_counter_that_fails_gives_the_reason(change: dict, told: str) -> None:
    with pytest.raises(NotMeasured, match=told):
        counted(replace(WINDOW, **change))
