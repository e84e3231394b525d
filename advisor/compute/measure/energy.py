"""Energy of answering: who measures it on this machine, and from windows to Wh and a share of the baseline's."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from advisor.base.errors import AdviseError
from advisor.compute.measure import counters, power_log
from advisor.compute.measure.processor_time import assumed_power
from advisor.compute.measure.windows import CLOCK_SLACK, NotMeasured, Ratio, Reading, Window, counted, ratio
from advisor.records.measuring import EXTERNAL

JOULES_PER_WH = 3600


class Meter(Protocol):
    """What measures energy. words: its source, for a report. whole_machine: it counts other programs too, and idling.

    threads: that models may answer with; 0 for as many as they serve with.
    """

    words: str
    whole_machine: bool
    threads: int

    def read(self) -> Reading:
        """Counters now; none where energy is worked out afterwards."""

    def joules(self, window: Window) -> float:
        """Energy of a window. Raises NotMeasured where there is no trustworthy number."""


class Counters:
    """Energy counters of this machine."""

    whole_machine, threads = True, 0

    def __init__(self, found: Mapping[str, counters.Counter]) -> None:
        self.found = found
        self.words = f"energy counters ({', '.join(found)})"

    def read(self) -> Reading:
        return counters.read(self.found)

    def joules(self, window: Window) -> float:
        return sum(counted(window).values())


class ExternalMeter:
    """A meter whose file covers the measurement."""

    whole_machine, threads = True, 0

    def __init__(self, file: Path) -> None:
        self.file, self.words = file, f"{EXTERNAL} ({file.name})"

    @cached_property
    def log(self) -> power_log.PowerLog:
        """The file, which is complete only after the measurement."""
        try:
            found = power_log.read(self.file)
        except AdviseError as error:
            raise NotMeasured("; ".join(fault.message for fault in error.faults)) from None
        if (ahead := found.times[-1] - time.time()) > CLOCK_SLACK:
            raise NotMeasured(f"the power log's last sample lies {ahead:.1f} s ahead of this machine's clock")
        return found

    def read(self) -> Reading:
        return {}

    def joules(self, window: Window) -> float:
        return self.log.joules(window)

    def joules_of_work(self, begun: float, ended: float) -> float:
        """Energy of a longer piece of work. Raises NotMeasured where there is no trustworthy number."""
        found = self.log.joules_of_work(begun, ended)
        if not 0 < found < math.inf:
            raise NotMeasured(f"{found:g} J were counted in {ended - begun:.1f} s of work")
        return found


class ProcessorTime:
    """No power is measured. One thread: several grow slower in processor time while they wait for a busy core."""

    whole_machine, threads = False, 1

    def __init__(self) -> None:
        self.power = assumed_power()
        self.words = self.power.words()

    def read(self) -> Reading:
        return {}

    def joules(self, window: Window) -> float:
        if window.processor_seconds <= 0:
            raise NotMeasured(f"the processor time of a window of {window.seconds:.3g} s is too short to be counted")
        return window.processor_seconds * self.power.watts


def meter_for(device: str, log: Path | None) -> Meter:
    """The best meter: an external one, then counters, then processor time.

    Args:
        device: that serves: cpu, edge, cuda or mps.

    Raises:
        NotMeasured: a GPU serves and its energy cannot be counted. Its work is never derived from processor time.
    """
    if log is not None:
        return ExternalMeter(log)
    if device == "cuda":
        return Counters({**counters.gpu(), **_rapl()})
    if device not in ("cpu", "edge"):
        raise NotMeasured(f"no energy counter of {device} devices can be read; --power-log takes a meter's")
    found = _rapl()
    return Counters(found) if found else ProcessorTime()


def _rapl() -> dict[str, counters.Counter]:
    try:
        return counters.rapl()
    except NotMeasured:
        return {}


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of one model. idle_wh_per_1000, without_idle: of idling as long, and the ratio without that part.

    idle_wh_per_1000 is part of wh_per_1000. Both are None, with the reason, where idling was not measured.
    """

    ratio: Ratio
    wh_per_1000: float
    idle_wh_per_1000: float | None
    without_idle: Ratio | None
    why_no_idle: str = ""


def energies(
    meter: Meter, windows: Mapping[str, Sequence[Window]], idle: Sequence[Window], baseline: str
) -> dict[str, Energy]:
    """Energy of every model from its windows, paired by round.

    Args:
        windows: by model, one a round. idle: windows in which nothing was asked; none where the meter sees no idling.

    Raises:
        NotMeasured: any window has no trustworthy energy.
    """
    joules = {name: [meter.joules(one) for one in found] for name, found in windows.items()}
    for name, found in joules.items():
        if not min(found) > 0:
            raise NotMeasured(f"{min(found):.3g} J were counted in a window in which {name} answered requests")
    watts = sum(map(meter.joules, idle)) / sum(one.seconds for one in idle) if idle else None
    return {name: _energy(name, baseline, joules, windows, watts) for name in windows}


def _energy(
    name: str,
    baseline: str,
    joules: Mapping[str, Sequence[float]],
    windows: Mapping[str, Sequence[Window]],
    watts: float | None,
) -> Energy:
    requests = sum(one.requests for one in windows[name])
    per_1000 = sum(joules[name]) / requests * 1000 / JOULES_PER_WH
    whole = ratio(_per_request(joules[name], windows[name]), _per_request(joules[baseline], windows[baseline]))
    if watts is None:
        return Energy(whole, per_1000, None, None, "power is not measured here, neither idle nor at work")
    idle = watts * sum(one.seconds for one in windows[name]) / requests * 1000 / JOULES_PER_WH
    own, other = (
        [value - watts * one.seconds for value, one in zip(joules[each], windows[each], strict=True)]
        for each in (name, baseline)
    )
    if min(*own, *other) <= 0:
        return Energy(whole, per_1000, idle, None, "working and idling cannot be told apart by this meter")
    active = ratio(_per_request(own, windows[name]), _per_request(other, windows[baseline]))
    return Energy(whole, per_1000, idle, active)


def _per_request(joules: Sequence[float], windows: Sequence[Window]) -> list[float]:
    return [value / one.requests for value, one in zip(joules, windows, strict=True)]
