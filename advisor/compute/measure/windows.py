"""From alternating windows to ratios: pure functions of what was recorded, and why a measurement is refused.

Each model answers requests in windows that take turns, A B A B. Windows of one round are compared with each other, so
that a slow phase of a shared machine hits all models alike.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
CLOCK_SLACK = 0.5  # seconds by which two clocks may differ over a window
CLOSE = 0.05  # the half-width of a ratio's interval that is wanted, as a share of the ratio
MOST_WRONG = 0.1  # of the baseline against itself, beyond chance; above it nothing is reported
MOST_WIDE = 0.5  # half-width of that ratio's interval; above it nothing is reported
Reading = Mapping[str, float] | str  # joules by counter, or the reason why a counter could not be read


class NotMeasured(Exception):
    """A number is refused. The message is the reason."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span in which one model answered requests without a pause, or in which the machine was idle (no requests).

    begun, ended: seconds since the epoch, the clock of an external meter's file. seconds: by a clock that nobody sets.
    processor_seconds: of this process, all threads together. before, after: energy counters.
    """

    begun: float
    ended: float
    seconds: float
    processor_seconds: float
    requests: int
    before: Reading
    after: Reading


@dataclass(frozen=True, slots=True)
class Ratio:
    """A model against the baseline: median over the rounds, its 95 % interval by bootstrap, number of rounds."""

    value: float
    interval: tuple[float, float]
    rounds: int

    @property
    def half_width(self) -> float:
        """The larger distance from the value to an end of the interval, as a share of the value."""
        return max(self.value - self.interval[0], self.interval[1] - self.value) / self.value


def ratio(own: Sequence[float], baseline: Sequence[float]) -> Ratio:
    """The median of the rounds' ratios with its percentile bootstrap interval. The same rounds give the same interval.

    Args:
        own, baseline: seconds or joules per request of each round, above 0. Example: 1, 2, 3 and 2, 4, 6 give 0.5.

    Raises:
        ValueError: fewer than two rounds, or a value that is not above 0.
    """
    if len(own) < 2 or min(*own, *baseline) <= 0:
        raise ValueError("expected two rounds or more, and values above 0")
    ratios = np.sort(np.divide(own, baseline))  # sorted: the interval does not depend on the order of the rounds
    picked = np.random.default_rng(0).integers(0, len(ratios), (RESAMPLES, len(ratios)))
    low, high = np.quantile(np.median(ratios[picked], axis=1), [0.025, 0.975])
    middle = float(np.median(ratios))
    return Ratio(middle, (min(float(low), middle), max(float(high), middle)), len(ratios))


def seconds_per_request(windows: Sequence[Window]) -> list[float]:
    """Of each window."""
    return [one.seconds / one.requests for one in windows]


def spread(values: Sequence[float]) -> float:
    """The interquartile range as a share of the median."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / middle


def refuse_sleep(windows: Sequence[Window]) -> None:
    """Raises NotMeasured if the machine slept, or its clock was set, during a window."""
    for one in windows:
        lost = (one.ended - one.begun) - one.seconds
        if abs(lost) > CLOCK_SLACK:
            raise NotMeasured(
                f"the machine slept or its clock was set during the measurement: two clocks differ by {lost:.1f} s "
                f"over a window of {one.seconds:.1f} s"
            )


def refuse_disturbed(again: Ratio) -> None:
    """Raises NotMeasured if the baseline, measured against itself, is not about 1, or may be anything."""
    low, high = again.interval
    if low > 1 + MOST_WRONG or high < 1 - MOST_WRONG or again.half_width > MOST_WIDE:
        raise NotMeasured(
            f"the baseline took {low:.0%} to {high:.0%} of its own time, so other work disturbed the measurement; "
            f"run it again on a quiet machine"
        )


def counted(window: Window) -> dict[str, float]:
    """Joules that each counter advanced by during a window.

    Raises:
        NotMeasured: a counter could not be read, disappeared, went back, or stood still.
    """
    before, after = window.before, window.after
    for reading in (before, after):
        if isinstance(reading, str):
            raise NotMeasured(reading)
    assert not isinstance(before, str) and not isinstance(after, str)
    if before.keys() != after.keys():
        raise NotMeasured(f"energy counters changed from {', '.join(before)} to {', '.join(after)} during a window")
    moved = {name: after[name] - value for name, value in before.items()}
    for name, joules in moved.items():
        if joules < 0:
            raise NotMeasured(f"the energy counter {name} wrapped or was reset during a window; run it again")
        if joules == 0:
            raise NotMeasured(f"the energy counter {name} counted 0 J in a window of {window.seconds:.1f} s of work")
    return moved
