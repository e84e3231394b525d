"""Recording: models that answer requests in turn, single requests, and how noisy the machine was meanwhile."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import psutil

from advisor.compute.measure.windows import Ratio, Reading, Window, spread

ROUNDS = 10  # windows of each model
MOST_OTHERS = 0.1  # share of the cores that other programs may use before time counts as noisy
MOST_SPREAD = 0.1  # of the baseline's windows: interquartile range as a share of the median
MOST_OFF = 0.03  # of the baseline against itself
LONGEST = 120.0  # seconds that single requests take in all, where FEWEST of each model allow it
FEWEST = 20  # the least that a 95th percentile needs


class Windows(NamedTuple):
    """What was recorded. models: a window of each round, by model; idle: of the machine without requests.

    others: share of the cores that other programs used.
    """

    models: Mapping[str, tuple[Window, ...]]
    idle: tuple[Window, ...]
    others: float


def alternate(
    runners: Mapping[str, Callable[[], int]], seconds: float, read: Callable[[], Reading], idle: bool
) -> Generator[int, None, Windows]:
    """Let all models answer in turn, A B A B, in windows of `seconds / ROUNDS` or one call; yields the round's number.

    A first round warms up, decides how often each model is called in a window, and is discarded.

    Args:
        runners: by name; each answers the same requests when called, returns how many once they are answered (on a GPU
            it has to wait for the device).
        seconds: that each model answers for in all. read: energy counters. idle: a window without requests a round.

    Raises:
        ValueError: a runner answers no request.
    """
    length = seconds / ROUNDS
    calls = {name: _calls(runner, length) for name, runner in runners.items()}
    found: dict[str, list[Window]] = {name: [] for name in runners}
    resting: list[Window] = []
    neighbours = Neighbours()
    for number in range(1, ROUNDS + 1):
        for name, runner in runners.items():
            found[name].append(_window(runner, calls[name], read))
        if idle:
            resting.append(_window(partial(_rest, length), 1, read))
        yield number
    return Windows({name: tuple(some) for name, some in found.items()}, tuple(resting), neighbours.share())


def _calls(runner: Callable[[], int], seconds: float) -> int:
    """How many calls fill a window, at least one. The first call allocates and does not count."""
    if runner() < 1:
        raise ValueError("a runner has to answer at least one request in a call")
    begun, calls = time.perf_counter(), 0
    while not calls or time.perf_counter() - begun < seconds:
        runner()
        calls += 1
    return calls


def _rest(seconds: float) -> int:
    time.sleep(seconds)
    return 0


def _window(runner: Callable[[], int], calls: int, read: Callable[[], Reading]) -> Window:
    before, begun = read(), time.time()
    processor, start = time.process_time(), time.perf_counter()
    requests = sum(runner() for _ in range(calls))
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    return Window(begun, time.time(), seconds, processor, requests, before, read())


@dataclass(frozen=True, slots=True)
class Single:
    """Time of single requests: median, and the 95th percentile."""

    median_ms: float
    p95_ms: float
    count: int


def latencies(answers: Mapping[str, Callable[[int], object]], requests: int, rounds: int = 4) -> dict[str, Single]:
    """Time of single requests, the models in turn after a warm-up; fewer requests where models are slow.

    Args:
        answers: by name; each answers the request of a number below `requests`. rounds: how often each is asked.
    """
    taken: dict[str, list[float]] = {name: [] for name in answers}
    begun = time.perf_counter()
    for answer in answers.values():
        answer(0)
    requests, rounds = affordable(requests, rounds, time.perf_counter() - begun)
    for _ in range(rounds):
        for name, answer in answers.items():
            for number in range(requests):
                begun = time.perf_counter()
                answer(number)
                taken[name].append((time.perf_counter() - begun) * 1000)
    return {name: Single(statistics.median(some), percentile_95(some), len(some)) for name, some in taken.items()}


def affordable(requests: int, rounds: int, seconds: float) -> tuple[int, int]:
    """How many requests, and how often each, take about LONGEST at most. seconds: of one request to every model.

    Example: of 50 requests in 4 rounds that take a second each, 50 in 2 rounds.
    """
    most = int(LONGEST / max(seconds, 1e-9))
    rounds = max(1, min(rounds, most // requests))
    return min(requests, max(FEWEST, most // rounds)), rounds


def percentile_95(values: Sequence[float]) -> float:
    """The smallest of the values that at least 95 % of them do not exceed. Example: 19 of 1 to 20."""
    place = -(-len(values) * 95 // 100)  # rounded up
    return sorted(values)[place - 1]


class Neighbours:
    """How much of this process's cores other programs use, from its making until asked."""

    def __init__(self) -> None:
        self.begun, self.own, self.busy = time.perf_counter(), time.process_time(), _busy()

    def share(self) -> float:
        """Between 0 and 1. Example: of 10 s on 2 cores, 14 s were busy, 10 s by this process: 0.2."""
        passed, own = time.perf_counter() - self.begun, time.process_time() - self.own
        return others(_busy() - self.busy, own, passed * len(_cores()))


def others(busy: float, own: float, possible: float) -> float:
    """Share of the possible core seconds that others used."""
    return min(1.0, max(0.0, (busy - own) / possible)) if possible > 0 else 0.0


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def _busy() -> float:
    """Seconds that the cores of this process have been busy."""
    times = psutil.cpu_times(percpu=True)
    return float(sum(sum(one) - one.idle - getattr(one, "iowait", 0.0) for one in (times[core] for core in _cores())))


def noise(others_: float, baseline: Sequence[float], again: Ratio) -> str:
    """Why times may be off; empty where nothing speaks against them.

    Args:
        others_: share of the cores that other programs used. baseline: seconds per request of its windows. again: of
            the baseline against itself.
    """
    found, repeats = [], spread(baseline)
    if others_ > MOST_OTHERS:
        found.append(f"other programs used {others_:.0%} of its cores")
    if repeats > MOST_SPREAD:
        found.append(f"the middle half of the baseline's windows spans {repeats:.0%} of their median")
    if abs(again.value - 1) > MOST_OFF:
        found.append(f"the baseline takes {again.value:.1%} of its own time")
    listed = " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)
    return f"the machine was noisy while time was measured: {listed}; run it again on a quiet machine" if found else ""
