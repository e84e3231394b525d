"""Time and energy of answering requests: models in turn on the same batches, energy beside an idle run.

Energy comes from codecarbon. It reads counters where the machine has them (RAPL, NVML); elsewhere it models
the CPU's power from its load. Memory is always modelled, as a constant that follows the memory used.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from codecarbon import OfflineEmissionsTracker
from codecarbon.external.hardware import MODE_CPU_LOAD
from codecarbon.external.ram import RAM
from codecarbon.input import DataSource

from advisor.errors import AdviseError, suggest

WARM_UP = 2  # calls: the first allocates, the second runs with everything in place
COUNTRY = "FRA"  # whose grid turns Wh into grams unless another is given; ratios do not depend on it
SAMPLE_SECONDS = 1  # codecarbon's own default, 15, would miss a run of a few seconds
# Where power is modelled, "machine" takes the load of all programs, to the third power: on a busy machine
# five seconds of sleep came out as five of work (39 mWh each); "process" tells them apart (14 and 17 mWh).
# Counters read the whole chip either way.
TRACKING = "process"


@dataclass(frozen=True, slots=True)
class Timing:
    """Time against the baseline, and of one batch.

    relative_time: median over the rounds of this runner's time / the baseline's time in the same round;
    spread: quartiles of those ratios. Example: 10 ms beside 20 ms, 12 ms beside 20 ms, 9 ms beside 30 ms give
    0.5, 0.6, 0.3; relative_time 0.5, spread (0.4, 0.55).
    """

    relative_time: float
    spread: tuple[float, float]
    median_ms: float
    rounds: int


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
    return Timing(median, (low, high), statistics.median(taken) / batches * 1000, len(taken))


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy and CO2 of 1,000 requests. It is operational: no embodied carbon, no cooling (PUE 1).

    seconds: duration of the measured run, which answered `requests`.
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


def measure_energy(
    runner: Callable[[], int], *, requests: int = 1000, min_seconds: float = 5.0, country: str = COUNTRY
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
    known = DataSource().get_global_energy_mix_data()
    if country not in known:
        raise AdviseError(f"country {country!r}: no grid factor is known for it", hint=suggest(country, known))
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
    return _per_1000(busy, idle, answered, country)


@dataclass(frozen=True, slots=True)
class _Tracked:
    kwh: float
    kg_co2: float
    seconds: float
    source: str


def _track(work: Callable[[], None], country: str) -> _Tracked | str:
    """Run `work` under codecarbon: what it counted, or why it is no use."""
    # Before the tracker has read its own log level it prints a warning and a greeting.
    logging.getLogger("codecarbon").setLevel(logging.ERROR)
    tracker = OfflineEmissionsTracker(
        country_iso_code=country,
        measure_power_secs=SAMPLE_SECONDS,
        tracking_mode=TRACKING,
        log_level="error",
        allow_multiple_runs=True,  # takes no lock, so none can be left behind
        output_methods=[],  # no file, nothing sent; the three below keep a user's .codecarbon.config from it
        emissions_endpoint=False,
        electricitymaps_api_token=False,
        force_carbon_intensity_g_co2e_kwh=None,
        pue=1.0,
    )
    tracker.start()
    try:
        seconds = _seconds(work)
    finally:
        tracker.stop()
    # codecarbon swallows its own exceptions, in `start` and `stop` too: without this attribute it failed.
    data = getattr(tracker, "final_emissions_data", None)
    if data is None:
        return "codecarbon failed to measure on this machine"
    if not data.energy_consumed > 0:  # counters have been seen to wrap to below 0 (mlco2/codecarbon#309)
        return f"codecarbon counted {data.energy_consumed} kWh in {seconds:.1f} s"
    return _Tracked(data.energy_consumed, data.emissions, seconds, _source(tracker._hardware))


def _source(hardware: Iterable[Any]) -> str:
    """The weakest source of power but memory's. codecarbon's result does not say; its hardware objects do."""
    modes = {getattr(one, "_mode", "counter") for one in hardware if not isinstance(one, RAM)}
    if not modes or "constant" in modes:
        return "constant"
    return "modelled" if MODE_CPU_LOAD in modes else "counter"  # RAPL, Windows EMI, powermetrics, NVML


def _per_1000(busy: _Tracked, idle: _Tracked, answered: int, country: str) -> Energy:
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
    )
