"""Time of answering requests: models in turn on the same batches, and how noisy the machine was meanwhile."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psutil

WARM_UP = 2  # calls: the first allocates, the second runs with everything in place
MOST_OTHERS = 0.1  # share of the cores that other programs may use before time counts as noisy
MOST_SPREAD = 0.1  # of the baseline's repeats: interquartile range as a share of the median
MOST_OFF = 0.03  # of the baseline against itself


@dataclass(frozen=True, slots=True)
class Timing:
    """Time against the baseline, and of one batch.

    relative_time: median over the rounds of this runner's time / the baseline's time in the same round;
    spread: quartiles of those ratios. Example: 10 ms beside 20 ms, 12 ms beside 20 ms, 9 ms beside 30 ms give
    0.5, 0.6, 0.3; relative_time 0.5, spread (0.4, 0.55). own_spread: of this runner's times, the interquartile range as
    a share of the median.
    """

    relative_time: float
    spread: tuple[float, float]
    median_ms: float
    rounds: int
    own_spread: float


def time_side_by_side(
    runners: Mapping[str, Callable[[], object]],
    baseline: str,
    *,
    rounds: int = 9,
    min_seconds: float = 3.0,
    batches: int = 1,
) -> dict[str, Timing]:
    """Time all runners in turn, A B C A B C, after a warm-up; slow phases of a shared machine hit all alike.

    Args:
        runners: by name; each does the same batches when called, and returns when they are done (on a GPU it
            has to wait for the device).
        rounds, min_seconds: measured are at least so many rounds, and as many as fit into this time.
        batches: how many batches one call does, for `median_ms` of one batch.

    Raises:
        ValueError: the baseline is none of the runners, or there are fewer than two rounds.
    """
    if baseline not in runners or rounds < 2:
        raise ValueError(f"baseline {baseline!r} has to be one of {sorted(runners)}, rounds ({rounds}) 2 or more")
    for runner in runners.values():
        for _ in range(WARM_UP):
            runner()
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    end = time.perf_counter() + min_seconds
    while len(seconds[baseline]) < rounds or time.perf_counter() < end:
        for name, runner in runners.items():
            seconds[name].append(_seconds(runner))
    return {name: _timing(taken, seconds[baseline], batches) for name, taken in seconds.items()}


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _timing(taken: list[float], baseline: list[float], batches: int) -> Timing:
    ratios = [own / other for own, other in zip(taken, baseline, strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    first, middle, third = statistics.quantiles(taken, n=4, method="inclusive")
    return Timing(median, (low, high), middle / batches * 1000, len(taken), (third - first) / middle)


@dataclass(frozen=True, slots=True)
class Single:
    """Time of single requests: median, and the 95th percentile."""

    median_ms: float
    p95_ms: float
    count: int


def latencies(answers: Mapping[str, Callable[[int], object]], requests: int, rounds: int = 4) -> dict[str, Single]:
    """Time of single requests, the models in turn after a warm-up.

    Args:
        answers: by name; each answers the request of a number below `requests`. rounds: how often each is asked.
    """
    taken: dict[str, list[float]] = {name: [] for name in answers}
    for answer in answers.values():
        answer(0)
    for _ in range(rounds):
        for name, answer in answers.items():
            for number in range(requests):
                begun = time.perf_counter()
                answer(number)
                taken[name].append((time.perf_counter() - begun) * 1000)
    return {name: Single(statistics.median(some), percentile_95(some), len(some)) for name, some in taken.items()}


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


def noise(others_: float, repeats: Timing, again: Timing) -> str:
    """Why times may be off; empty where nothing speaks against them.

    Args:
        others_: share of the cores that other programs used. repeats: the baseline's; again: against itself.
    """
    found = []
    if others_ > MOST_OTHERS:
        found.append(f"other programs used {others_:.0%} of its cores")
    if repeats.own_spread > MOST_SPREAD:
        found.append(f"the middle half of the baseline's repeats spans {repeats.own_spread:.0%} of their median")
    if abs(again.relative_time - 1) > MOST_OFF:
        found.append(f"the baseline takes {again.relative_time:.1%} of its own time")
    told = " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)
    return f"the machine was noisy while time was measured: {told}; run it again on a quiet machine" if found else ""
