"""From windows to what a report shows of a model that serves: values with intervals, units and sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from advisor.compute.measure.energy import Energy
from advisor.compute.measure.grid import grid, grid_factor
from advisor.compute.measure.timing import Single
from advisor.compute.measure.windows import CLOSE, Ratio, Window
from advisor.records.carbon import Assumptions, operational_g
from advisor.records.measuring import TIME_DERIVED
from advisor.records.results import Measured, Served

PROTOCOL_TITLES = {"aienergyscore": "AI Energy Score (1,000 rows, batches of 1, ten runs)"}
ENERGY = ("emissions", "wh_per_1000", "idle_wh_per_1000", "g_per_1000", "emissions_without_idle")


@dataclass(frozen=True, slots=True)
class Setting:
    """How models were asked. window_threads: in the windows of time and energy; threads: elsewhere. batch: its rows.

    protocol: that the windows follow; "" for our own.
    """

    window_threads: int
    threads: int
    batch: int
    assumed: Assumptions
    protocol: str = ""

    def windows(self, found: Sequence[Window]) -> str:
        """The windows in a few words."""
        seconds, requests = sum(one.seconds for one in found), sum(one.requests for one in found)
        how = f"batches of {self.batch}, {_threads(self.window_threads)}"
        how += f"; compatible with {PROTOCOL_TITLES[self.protocol]}, no official score" if self.protocol else ""
        took = f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}"
        return f"{len(found)} windows, models in turn, {requests:,} requests in {took} s, {how}"


def _threads(count: int) -> str:
    return f"{count} thread{'' if count == 1 else 's'}"


def timed(time: Ratio | str, windows: Sequence[Window], again: Ratio, setting: Setting) -> Measured:
    """A model's share of the baseline's time. again: the baseline's share of its own."""
    if isinstance(time, str):
        return Measured(why_not=time)
    itself = f"the baseline takes {again.value:.3f} of its own time"
    source = f"median of {setting.windows(windows)}; 95 % interval by bootstrap; {itself}"
    return Measured(time.value, source=source, interval=time.interval)


def served(time: Measured, single: Single, rows_per_second: float, setting: Setting) -> Served:
    """What a model's time says, without energy."""
    ones = f"of {single.count} single requests, models in turn, {_threads(setting.threads)}"
    source = f"rows in a second, batches of {setting.batch}, {_threads(setting.threads)}"
    return Served(
        time=time,
        latency_ms=Measured(single.median_ms, source=f"median {ones}"),
        latency_p95_ms=Measured(single.p95_ms, source=f"95th percentile {ones}"),
        throughput=Measured(rows_per_second, source=source),
    )


def with_energy(one: Served, energy: Energy | str, meter: str, windows: Sequence[Window], setting: Setting) -> Served:
    """Energy and CO2e of 1,000 requests, and as shares of the baseline's, with idling and without.

    Args:
        energy: or the reason why it was not measured. meter: the source of its power.
    """
    if isinstance(energy, str):
        return replace(one, **dict.fromkeys(ENERGY, Measured(why_not=energy)))
    assumed, source = setting.assumed, f"{meter}; {setting.windows(windows)}"
    grams = operational_g(energy.wh_per_1000, grid_factor(assumed.country), assumed.pue)
    idle = "" if meter.startswith(TIME_DERIVED) else ", idle power included"
    missing = Measured(why_not=energy.why_no_idle)
    resting, active = energy.idle_wh_per_1000, energy.without_idle
    return replace(
        one,
        emissions=_share(energy.ratio, f"{source}{idle}; 95 % interval by bootstrap"),
        emissions_without_idle=_share(active, f"{source}, idle power left out") if active else missing,
        wh_per_1000=Measured(energy.wh_per_1000, source=source),
        idle_wh_per_1000=Measured(resting, source=f"{meter}, idling as long") if resting is not None else missing,
        g_per_1000=Measured(grams, source=f"{source}; {grid(assumed)}"),
    )


def _share(found: Ratio, source: str) -> Measured:
    return Measured(found.value, source=source, interval=found.interval)


def wide(name: str, time: Ratio, seconds: float) -> str:
    """That a ratio's interval is wider than wanted; empty where it is not. seconds: that each model was measured."""
    if time.half_width <= CLOSE:
        return ""
    low, high = time.interval
    return (
        f"the time after {name.replace('_', ' ')} is {low:.1%} to {high:.1%} of the baseline's, an interval wider than "
        f"±{CLOSE:.0%}: run it on a quieter machine, or raise --measure-seconds above {seconds:g}"
    )
