"""Energy and CO2 of work: of answering requests beside an idle run of equal length, and of making a model.

Energy comes from codecarbon. It reads counters where the machine has them (RAPL, NVML); elsewhere it models
the CPU's power from its load. Memory is always modelled, as a constant that follows the memory used.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import codecarbon
from codecarbon import OfflineEmissionsTracker
from codecarbon.external.hardware import MODE_CPU_LOAD
from codecarbon.external.ram import RAM
from codecarbon.input import DataSource

from advisor.base.errors import AdviseError, suggest
from advisor.records.carbon import Assumptions, operational_g
from advisor.records.results import Cost, Measured

MAKING_SAMPLE_SECONDS = 5
SAMPLE_SECONDS = 1  # codecarbon's own default, 15, would miss a run of a few seconds
# Where power is modelled, "machine" takes the load of all programs, to the third power: on a busy machine
# five seconds of sleep came out as five of work (39 mWh each); "process" tells them apart (14 and 17 mWh).
# Counters read the whole chip either way.
TRACKING = "process"
SOURCES = {"counter": "read from counters", "modelled": "modelled from load", "constant": "a constant, not measured"}


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy and CO2 of 1,000 requests. It is operational: no embodied carbon, and at PUE 1 no cooling.

    seconds: duration of the measured run, which answered `requests`. grid_year: of the grid factor.
    source: of the CPU's power: a "counter", "modelled" from load, or a "constant"; a GPU's is a counter.
    idle_wh_per_1000: of doing nothing for as long; the part of `wh_per_1000` that the requests did not cause.
    """

    wh_per_1000: float
    g_co2_per_1000: float
    seconds: float
    requests: int
    source: str
    idle_wh_per_1000: float
    grid_g_per_kwh: float
    country: str
    grid_year: int


def measure_energy(
    runner: Callable[[], int], *, requests: int = 1000, min_seconds: float = 5.0, country: str = Assumptions().country
) -> Energy | str:
    """Energy of answering so many requests or more, for at least so long, then of idling for as long.

    Args:
        runner: answers some requests and returns how many.
        country: ISO 3166 code of three letters, whose grid turns energy into CO2.

    Returns:
        The energy, or the reason why it could not be measured. Never 0 for want of a measurement.

    Raises:
        AdviseError: codecarbon does not know the country (it would silently take the world's average).
    """
    year = grid_year(country)
    if runner() < 1:  # it is the warm-up too
        raise ValueError("the runner has to answer at least one request in a call")
    answered = 0

    def work() -> None:
        nonlocal answered
        begun = time.perf_counter()
        while answered < requests or time.perf_counter() - begun < min_seconds:
            answered += runner()

    busy = _track(work, country)
    if isinstance(busy, str):
        return busy
    idle = _track(lambda: time.sleep(busy.seconds), country)
    if isinstance(idle, str):
        return f"idle run: {idle}"
    return _per_1000(busy, idle, answered, country, year)


def grid_year(country: str) -> int:
    """The year of the country's grid factor.

    Raises:
        AdviseError: codecarbon does not know the country (it would silently take the world's average).
    """
    known = DataSource().get_global_energy_mix_data()
    if country not in known:
        raise AdviseError(f"country {country!r}: no grid factor is known for it", hint=suggest(country, known))
    return int(known[country]["year"])


@dataclass(frozen=True, slots=True)
class _Tracked:
    kwh: float
    kg_co2: float
    seconds: float
    source: str


class Meter:
    """codecarbon around some work, from its making to `stop`: of this process; a GPU's whole energy counts.

    seconds: how often power is sampled.
    """

    def __init__(self, country: str, seconds: float = MAKING_SAMPLE_SECONDS) -> None:
        # Before the tracker has read its own log level it prints a warning and a greeting.
        logging.getLogger("codecarbon").setLevel(logging.ERROR)
        self.begun = time.perf_counter()
        self.tracker = OfflineEmissionsTracker(
            country_iso_code=country,
            measure_power_secs=seconds,
            tracking_mode=TRACKING,
            log_level="error",
            allow_multiple_runs=True,  # takes no lock, so none can be left behind
            output_methods=[],  # no file, nothing sent; the three below keep a user's .codecarbon.config from it
            emissions_endpoint=False,
            electricitymaps_api_token=False,
            force_carbon_intensity_g_co2e_kwh=None,
            pue=1.0,
        )
        self.tracker.start()

    def stop(self) -> _Tracked | str:
        """What was counted, or why it is no use. It can be called again, and gives the same."""
        seconds = time.perf_counter() - self.begun
        self.tracker.stop()
        # codecarbon swallows its own exceptions, in `start` and `stop` too: without this attribute it failed.
        data = getattr(self.tracker, "final_emissions_data", None)
        if data is None:
            return "codecarbon failed to measure on this machine"
        if not data.energy_consumed > 0:  # counters have been seen to wrap to below 0 (mlco2/codecarbon#309)
            return f"codecarbon counted {data.energy_consumed} kWh in {seconds:.1f} s"
        return _Tracked(data.energy_consumed, data.emissions, seconds, _source(self.tracker._hardware))


def _track(work: Callable[[], None], country: str) -> _Tracked | str:
    """Run `work` under codecarbon."""
    meter = Meter(country, SAMPLE_SECONDS)
    try:
        begun = time.perf_counter()
        work()
        seconds = time.perf_counter() - begun
    finally:
        found = meter.stop()
    return found if isinstance(found, str) else replace(found, seconds=seconds)


def cost(found: _Tracked | str, assumed: Assumptions, earlier: float = 0.0) -> Cost:
    """Energy and CO2e of making something, as a meter counted them.

    Args:
        earlier: seconds that it took before it was interrupted, which nobody counted: taken at the same power.
    """
    if isinstance(found, str):
        return Cost(Measured(why_not=found), Measured(why_not=found))
    wh, factor = found.kwh * 1000 * (1 + earlier / found.seconds), found.kg_co2 / found.kwh * 1000
    told = f"{power(found.source)}, this process for {found.seconds:.0f} s"
    told += f" and, at the same power, {earlier:.0f} s before it was interrupted" if earlier > 1 else ""
    year = grid_year(assumed.country)
    grams = operational_g(wh, factor, assumed.pue)
    return Cost(Measured(wh, source=told), Measured(grams, source=f"{told}; {grid(factor, year, assumed)}"))


def _source(hardware: Iterable[Any]) -> str:
    """The weakest source of power but memory's. codecarbon's result does not say; its hardware objects do."""
    modes = {getattr(one, "_mode", "counter") for one in hardware if not isinstance(one, RAM)}
    if not modes or "constant" in modes:
        return "constant"
    return "modelled" if MODE_CPU_LOAD in modes else "counter"  # RAPL, Windows EMI, powermetrics, NVML


def _per_1000(busy: _Tracked, idle: _Tracked, answered: int, country: str, year: int) -> Energy:
    """From kWh and kg of a whole run to Wh and g of 1,000 requests: 1,000 for the unit, 1,000 / answered."""
    share = 1000 / answered
    return Energy(
        wh_per_1000=busy.kwh * 1000 * share,
        g_co2_per_1000=busy.kg_co2 * 1000 * share,
        seconds=busy.seconds,
        requests=answered,
        source=busy.source,
        idle_wh_per_1000=idle.kwh * 1000 * share * busy.seconds / idle.seconds,
        grid_g_per_kwh=busy.kg_co2 * 1000 / busy.kwh,
        country=country,
        grid_year=year,
    )


def power(source: str) -> str:
    """Where a figure of energy comes from, in words."""
    return f"codecarbon {codecarbon.__version__}, power {SOURCES[source]}"


def grid(factor: float, year: int, assumed: Assumptions) -> str:
    """Where a figure of CO2e comes from beside its energy, in words."""
    stated = "" if assumed.stated else "; assumed, --country gives another"
    table = f"{year}, codecarbon's table{stated}"
    return f"grid of {assumed.country} {factor:.3g} g/kWh ({table}), PUE {assumed.pue:g}"
