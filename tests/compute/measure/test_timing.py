"""Recording: models in turn, single requests, and what is said of a noisy machine."""

from __future__ import annotations

import time
from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.compute.measure.timing import (
    ROUNDS,
    Neighbours,
    Windows,
    affordable,
    alternate,
    latencies,
    noise,
    others,
    percentile_95,
)
from advisor.compute.measure.windows import Ratio, ratio, seconds_per_request

QUIET, STEADY = Ratio(1.0, (0.99, 1.01), 10), [0.01, 0.0101, 0.0102, 0.0099]


def finished(recording: Generator[int, None, Windows]) -> tuple[list[int], Windows]:
    rounds = []
    while True:
        try:
            rounds.append(next(recording))
        except StopIteration as end:
            return rounds, end.value


def test_models_take_turns_after_a_warm_up() -> None:
    calls: list[str] = []
    runners = {name: lambda name=name: calls.append(name) or 5 for name in "ABC"}
    rounds, found = finished(alternate(runners, 0, dict, idle=False))
    assert "".join(calls) == "AABBCC" + "ABC" * ROUNDS
    assert rounds == list(range(1, ROUNDS + 1))
    assert {name: len(some) for name, some in found.models.items()} == dict.fromkeys("ABC", ROUNDS)
    assert all(one.requests == 5 for some in found.models.values() for one in some)
    assert found.idle == () and 0 <= found.others <= 1


def test_windows_are_as_long_as_asked_and_hold_what_was_read() -> None:
    read = iter(range(1000))
    _, found = finished(alternate({"A": lambda: time.sleep(0.002) or 1}, 0.2, lambda: {"chip": next(read)}, idle=True))
    for one in found.models["A"]:
        assert one.seconds > 0.5 * 0.2 / ROUNDS and one.requests > 1
        assert one.after["chip"] == one.before["chip"] + 1
        assert abs((one.ended - one.begun) - one.seconds) < 0.1 and one.processor_seconds < one.seconds
    assert len(found.idle) == ROUNDS and all(one.requests == 0 for one in found.idle)


def test_more_work_takes_longer() -> None:
    def work(count: int) -> int:
        sum(range(count))
        return 1

    runners = {"whole": lambda: work(400_000), "tenth": lambda: work(40_000)}
    models = finished(alternate(runners, 0.3, dict, idle=False))[1].models
    tenth = ratio(seconds_per_request(models["tenth"]), seconds_per_request(models["whole"]))
    assert 0.02 < tenth.interval[0] <= tenth.interval[1] < 0.9


def test_a_runner_that_answers_nothing() -> None:
    with pytest.raises(ValueError, match="at least one request"):
        finished(alternate({"A": lambda: 0}, 0, dict, idle=False))


def test_single_requests_are_asked_in_turn_too() -> None:
    asked: list[str] = []
    answers = {name: lambda number, name=name: asked.append(f"{name}{number}") for name in "AB"}
    found = latencies(answers, requests=2, rounds=2)
    assert "".join(asked) == "A0B0" + "A0A1B0B1" * 2
    assert found["A"].count == 4 and 0 <= found["A"].median_ms <= found["A"].p95_ms
    assert latencies({"A": lambda number: time.sleep(0.002)}, 2)["A"].median_ms >= 2


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.01, (50, 4)), (0.6, (50, 4)), (1.0, (50, 2)), (2.4, (50, 1)), (4.0, (30, 1)), (60.0, (20, 1)), (0.0, (50, 4))],
)
def test_slow_models_get_fewer_single_requests(seconds: float, expected: tuple[int, int]) -> None:
    assert affordable(50, 4, seconds) == expected
    assert affordable(7, 4, 60.0) == (7, 1), "there are no more"


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
    assert noise(0.05, STEADY, QUIET) == ""


def test_a_noisy_machine_is_said_to_be_so() -> None:
    wild = [1.0, 1.35, 1.0, 1.35]
    assert noise(0.45, wild, Ratio(1.06, (1.0, 1.1), 10)) == (
        "the machine was noisy while time was measured: other programs used 45% of its cores, the middle half of the "
        "baseline's windows spans 30% of their median and the baseline takes 106.0% of its own time; run it again on a "
        "quiet machine"
    )
    assert "cores; run it again" in noise(0.45, STEADY, QUIET)
