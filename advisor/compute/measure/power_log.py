"""An external power meter's file: CSV with the columns `time` and `watts`, written while the models are measured."""

from __future__ import annotations

import csv
import io
import math
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from advisor.base.errors import AdviseError, Fault, short
from advisor.base.files import regular_text
from advisor.base.frozen import replace
from advisor.compute.measure.windows import NotMeasured, Window

FEWEST_SAMPLES = 4  # inside a window; with fewer, its ends count for more than what the meter saw
LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()  # seconds; what is later has no name
LONGEST_HEAD = 10_000  # characters
MARK = "\ufeff"  # of byte order, with which some programs begin a text
MOST_GAP = 3  # times the usual distance of two samples; more is a gap
EXPECTED = "CSV with the columns time (Unix seconds, or ISO 8601 with an offset) and watts"


@dataclass(frozen=True, slots=True)
class PowerLog:
    """Samples of power. times: seconds since the epoch, rising. Both have the same length, two or more."""

    times: tuple[float, ...]
    watts: tuple[float, ...]

    def joules(self, window: Window) -> float:
        """Energy of a window: the samples joined by straight lines, and cut at the window's ends.

        Raises:
            NotMeasured: the file does not cover the window, has a gap there, or samples too rarely for it.
        """
        found = self.joules_of_work(window.begun, window.ended)
        self._refuse_few(window)
        return found

    def joules_of_work(self, begun: float, ended: float) -> float:
        """Energy of a piece of work, however few samples it holds. What is wrong at an end cancels with the next piece.

        Raises:
            NotMeasured: the file does not cover it, or has a gap there.
        """
        times = self.times
        if begun < times[0] or ended > times[-1]:
            raise NotMeasured(
                f"the power log covers {_clock(times[0])} to {_clock(times[-1])}, the measurement {_clock(begun)} to "
                f"{_clock(ended)}: the meter has to run meanwhile, with a clock that agrees with this machine's"
            )
        first, last = bisect_right(times, begun), bisect_left(times, ended)
        self._refuse_gap(first - 1, last + 1)
        inside = [*zip(times[first:last], self.watts[first:last], strict=True)]
        points = [(begun, self._at(begun, first)), *inside, (ended, self._at(ended, last))]
        return sum((t2 - t1) * (w1 + w2) / 2 for (t1, w1), (t2, w2) in pairwise(points))

    def _refuse_few(self, window: Window) -> None:
        """Raise NotMeasured for a window that holds too few samples: its ends count for more than what was seen."""
        count = bisect_left(self.times, window.ended) - bisect_right(self.times, window.begun)
        if count < FEWEST_SAMPLES:
            usual = statistics.median(_steps(self.times))
            raise NotMeasured(
                f"a window of {window.seconds:.1f} s holds {count} samples of the power log, {FEWEST_SAMPLES} "
                f"expected at least; the meter samples every {usual:.2g} s: raise --measure-seconds"
            )

    def _refuse_gap(self, first: int, stop: int) -> None:
        near = self.times[first:stop]  # a meter may have sampled more rarely on other days
        usual = min(map(statistics.median, (_steps(self.times), _steps(near))))
        for step, time in zip(_steps(near), near, strict=False):
            if step > MOST_GAP * usual:
                raise NotMeasured(
                    f"the power log has a gap of {step:.1f} s at {_clock(time)}, its samples are {usual:.2g} s apart"
                )

    def _at(self, time: float, after: int) -> float:
        """Watts at a time, on the line to sample `after` from the one before it."""
        (t1, t2), (w1, w2) = self.times[after - 1 : after + 1], self.watts[after - 1 : after + 1]
        return w1 + (w2 - w1) * (time - t1) / (t2 - t1)


def _steps(times: Sequence[float]) -> list[float]:
    return [after - before for before, after in pairwise(times)]


def _clock(time: float) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S} UTC"


def read(file: Path) -> PowerLog:
    """Read a meter's file.

    Raises:
        AdviseError: it cannot be read, lacks a column, or has values that are no times and powers in order; all faults
            at once, up to five.
    """
    try:
        text = regular_text(file, EXPECTED).removeprefix(MARK)
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except AdviseError as error:
        fault = error.faults[0]
        raise AdviseError(replace(fault, message=f"the power log {fault.message}")) from None
    except csv.Error as error:
        raise AdviseError(Fault(f"the power log cannot be read: {error}", str(file), hint=EXPECTED)) from None
    head = _head(rows[0] if rows else [], file)
    found, faults = _samples(rows[1:], head)
    if faults:
        raise AdviseError(*(Fault(fault, f"{file}:{line}", hint=EXPECTED) for line, fault in faults[:5]))
    if len(found) < 2:
        raise AdviseError(Fault(f"has {len(found)} samples, 2 expected at least", str(file), hint=EXPECTED))
    times, watts = zip(*found, strict=True)
    return PowerLog(times, watts)


def check(file: Path) -> None:
    """Before hours of work: the file has to be there, with the right head. Its samples are read afterwards.

    Raises:
        AdviseError: it is not.
    """
    try:
        if file.exists() and not file.is_file():
            raise OSError("it is no regular file")
        with file.open(encoding="utf-8-sig") as lines:
            first = lines.readline(LONGEST_HEAD).split(",")
    except (OSError, UnicodeDecodeError) as error:
        hint = "start the meter first; it writes while the models are measured"
        raise AdviseError(Fault(f"the power log cannot be read: {error}", str(file), hint=hint)) from None
    _head(first, file)


def _head(first: Sequence[str], file: Path) -> list[str]:
    """The names of the columns. Raises an AdviseError where one that is needed is missing, or there twice."""
    head = [name.strip().lower() for name in first]
    wrong = next((f"names {name} twice" for name in ("time", "watts") if head.count(name) > 1), "")
    if not wrong and not {"time", "watts"} <= set(head):
        wrong = f"is {short(','.join(head)) or 'empty'}"
    if wrong:
        raise AdviseError(Fault(f"is no power log: its first line {wrong}", str(file), hint=EXPECTED))
    return head


def _samples(
    rows: Sequence[Sequence[str]], head: Sequence[str]
) -> tuple[list[tuple[float, float]], list[tuple[int, str]]]:
    found: list[tuple[float, float]] = []
    faults: list[tuple[int, str]] = []
    time, watts = head.index("time"), head.index("watts")
    whole = rows[:-1] if rows and len(rows[-1]) <= max(time, watts) else rows  # the meter may be writing the last line
    for line, row in enumerate(whole, start=2):
        if not row:
            continue
        if any(row[len(head) :]):
            faults.append((line, f"has {len(row)} values, {len(head)} expected: a comma in a number?"))
            continue
        try:
            sample = _time(row[time]), float(row[watts])
            faults += [(line, fault) for fault in _wrong(sample, found)]
            found.append(sample)
        except (ValueError, IndexError, OverflowError) as error:
            faults.append((line, f"cannot be read: {error}"))
    return found, faults


def _wrong(sample: tuple[float, float], before: Sequence[tuple[float, float]]) -> Iterator[str]:
    time, watts = sample
    if not 0 <= time < LATEST:
        yield f"expected seconds since 1970, got {time:g}{': milliseconds?' if 0 < time / 1000 < LATEST else ''}"
        return
    if not (math.isfinite(time) and math.isfinite(watts) and watts >= 0):
        yield f"expected a time and watts of at least 0, got {time:g}, {watts:g}"
    if before and time <= before[-1][0]:
        yield f"time does not rise: {_clock(time)} follows {_clock(before[-1][0])}"


def _time(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        found = datetime.fromisoformat(text.strip())
    if found.tzinfo is None:
        raise ValueError(f"the time {text} has no offset from UTC, such as +00:00")
    return found.timestamp()
