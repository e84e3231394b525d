"""Time: models in turn, paired ratios, single requests, and what is said of a noisy machine."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.compute.measure.timing import (
    WARM_UP,
    Neighbours,
    Timing,
    _timing,
    latencies,
    noise,
    others,
    percentile_95,
    time_side_by_side,
)

QUIET = Timing(1.0, (0.99, 1.01), 20.0, 9, 0.02)


def busy() -> int:
    """Answers 50 requests."""
    sum(range(200_000))
    return 50


def test_runners_take_turns_after_a_warm_up() -> None:
    calls: list[str] = []
    runners = {name: lambda name=name: calls.append(name) for name in "ABC"}
    found = time_side_by_side(runners, "A", rounds=3, min_seconds=0)
    assert "".join(calls) == "AABBCC" + "ABC" * 3
    assert WARM_UP == 2
    assert {name: one.rounds for name, one in found.items()} == {"A": 3, "B": 3, "C": 3}


def test_rounds_fill_the_time() -> None:
    assert time_side_by_side({"A": busy}, "A", rounds=2, min_seconds=0.2)["A"].rounds > 2


def test_the_baseline_is_one_and_more_work_takes_longer() -> None:
    runners = {"whole": lambda: sum(range(400_000)), "tenth": lambda: sum(range(40_000))}
    found = time_side_by_side(runners, "whole", rounds=5, min_seconds=0)
    assert (found["whole"].relative_time, found["whole"].spread) == (1.0, (1.0, 1.0))
    low, high = found["tenth"].spread
    assert low <= found["tenth"].relative_time <= high < 1


def test_ratios_are_paired_by_round() -> None:
    """The example of `Timing`; the ratio of the medians, 10 / 20, would miss the spread."""
    found = _timing([0.010, 0.012, 0.009], [0.020, 0.020, 0.030], batches=1)
    assert found == Timing(0.5, (pytest.approx(0.4), pytest.approx(0.55)), 10.0, 3, pytest.approx(0.15))
    assert _timing([0.010, 0.012, 0.009], [0.020, 0.020, 0.030], batches=4).median_ms == 2.5


@pytest.mark.parametrize(("baseline", "rounds"), [("B", 3), ("A", 1)])
def test_wrong_use_of_timing(baseline: str, rounds: int) -> None:
    with pytest.raises(ValueError, match=rf"baseline '{baseline}' .* \['A'\], rounds \({rounds}\) 2 or more"):
        time_side_by_side({"A": busy}, baseline, rounds=rounds)


def test_single_requests_are_asked_in_turn_too() -> None:
    asked: list[str] = []
    answers = {name: lambda number, name=name: asked.append(f"{name}{number}") for name in "AB"}
    found = latencies(answers, requests=2, rounds=2)
    assert "".join(asked) == "A0B0" + "A0A1B0B1" * 2
    assert found["A"].count == 4 and 0 <= found["A"].median_ms <= found["A"].p95_ms
    assert latencies({"A": lambda number: time.sleep(0.002)}, 2)["A"].median_ms >= 2


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=300))
def test_the_95th_percentile(values: list[float]) -> None:
    found = percentile_95(values)
    assert found in values
    assert sum(value <= found for value in values) >= 0.95 * len(values)
    assert sum(value < found for value in values) < 0.95 * len(values)


def test_the_95th_percentile_of_twenty() -> None:
    assert percentile_95(list(range(1, 21))) == 19


def test_others_use_what_is_busy_and_not_ours() -> None:
    assert others(busy=14, own=10, possible=20) == pytest.approx(0.2)
    assert others(busy=9, own=10, possible=20) == 0  # clocks of different grain
    assert others(busy=1, own=0, possible=0) == 0
    assert 0 <= Neighbours().share() <= 1


def test_a_quiet_machine_is_not_spoken_of() -> None:
    assert noise(0.05, QUIET, QUIET) == ""


def test_a_noisy_machine_is_said_to_be_so() -> None:
    wild = Timing(1.06, (0.9, 1.2), 20.0, 9, 0.35)
    assert noise(0.45, wild, wild) == (
        "the machine was noisy while time was measured: other programs used 45% of its cores, the middle half of the "
        "baseline's repeats spans 35% of their median and the baseline takes 106.0% of its own time; run it again on a "
        "quiet machine"
    )
    assert "cores; run it again" in noise(0.45, QUIET, QUIET)
