"""Energy and CO2 of making a model: training and search, as codecarbon counts them, or from processor time."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import codecarbon
from codecarbon import OfflineEmissionsTracker
from codecarbon.external.hardware import MODE_CPU_LOAD
from codecarbon.external.ram import RAM

from advisor.compute.measure.energy import JOULES_PER_WH, ExternalMeter
from advisor.compute.measure.grid import grid, grid_factor
from advisor.compute.measure.processor_time import assumed_power, processor_seconds
from advisor.compute.measure.windows import CLOCK_SLACK, NotMeasured
from advisor.records.carbon import Assumptions, operational_g
from advisor.records.results import Cost, Measured, StepResult

SAMPLE_SECONDS = 5
DRIFT = 0.001  # of two clocks that nobody sets, as a share of the time
TRACKING = "process"  # where it has no counter, codecarbon follows this process, not the whole machine


@dataclass(frozen=True, slots=True)
class Made:
    """Energy of making something, without memory, whose power codecarbon assumes. words: the source of the power."""

    kwh: float
    seconds: float
    words: str


class Meter:
    """codecarbon around some work, from its making to `stop`. CPUs and GPUs without counters are not left to it.

    seconds: how often power is sampled. gpu: a GPU does the work.
    """

    def __init__(self, country: str, gpu: bool = False, seconds: float = SAMPLE_SECONDS) -> None:
        # Before the tracker has read its own log level it prints a warning and a greeting.
        logging.getLogger("codecarbon").setLevel(logging.ERROR)
        self.begun, self.processor, self.gpu = time.perf_counter(), processor_seconds(), gpu
        self.wall_clock = time.time()
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

    def stop(self) -> Made | str:
        """What was counted, or why it is of no use. It can be called again, and gives the same."""
        if not hasattr(self, "found"):
            self.found = self._stopped()
        return self.found

    def _stopped(self) -> Made | str:
        seconds, processor = time.perf_counter() - self.begun, processor_seconds() - self.processor
        self.span = _span(self.wall_clock, time.time(), seconds)
        self.tracker.stop()
        # codecarbon swallows its own exceptions, in `start` and `stop` too: without this attribute it failed.
        data = getattr(self.tracker, "final_emissions_data", None)
        if data is None:
            return "codecarbon failed to measure on this machine"
        if self.gpu and not data.gpu_energy > 0:  # silent where NVML has no energy counter (mlco2/codecarbon#1316)
            return f"a GPU did the work and {data.gpu_energy:g} kWh were counted for it in {seconds:.0f} s"
        if counts_cpu(self.tracker._hardware):
            kwh, words = data.cpu_energy + data.gpu_energy, f"codecarbon {codecarbon.__version__}, energy counters"
        else:
            power = assumed_power()
            kwh, words = data.gpu_energy + processor * power.watts / 3.6e6, power.words()
            words = f"the GPU by its energy counter, the CPU {words}" if self.gpu else words
        if not kwh > 0:  # counters have been seen to wrap to below 0 (mlco2/codecarbon#309)
            return f"{kwh:g} kWh were counted in {seconds:.1f} s"
        return Made(kwh, seconds, words)


def counts_cpu(hardware: Iterable[Any]) -> bool:
    """Whether codecarbon reads the CPU's energy from counters. Its result does not say; its hardware objects do."""
    modes = [one._mode for one in hardware if hasattr(one, "_mode") and not isinstance(one, RAM)]
    return bool(modes) and not {"constant", MODE_CPU_LOAD} & set(modes)  # RAPL, Windows EMI, powermetrics


def cost(
    found: Made | str, assumed: Assumptions, earlier: float = 0.0, span: tuple[float, float] | None = None
) -> Cost:
    """Energy and CO2e of making something.

    Args:
        earlier: seconds that it took before it was interrupted, which nobody counted: taken at the same power.
        span: in which the rest was done.
    """
    whole = None if earlier > 1 else span
    if isinstance(found, str):
        return Cost(Measured(why_not=found), Measured(why_not=found), whole)
    wh = found.kwh * 1000 * (1 + earlier / found.seconds)
    source = f"{found.words}, this process for {found.seconds:.0f} s"
    source += f" and, at the same power, {earlier:.0f} s before it was interrupted" if earlier > 1 else ""
    return _cost(wh, source, assumed, whole)


def _cost(wh: float, source: str, assumed: Assumptions, span: tuple[float, float] | None) -> Cost:
    grams = operational_g(wh, grid_factor(assumed.country), assumed.pue)
    return Cost(Measured(wh, source=source), Measured(grams, source=f"{source}; {grid(assumed)}"), span)


def by_log(made: StepResult, meter: ExternalMeter, assumed: Assumptions) -> StepResult:
    """A step whose cost is read from the file of an external meter, on one scale with that of serving.

    Its cost stays as it was counted, and a note says why, where the file does not tell it.
    """
    try:
        wh = meter.joules_of_work(*_span_of(made.cost)) / JOULES_PER_WH
    except NotMeasured as error:
        return replace(made, notes=(*made.notes, f"making it is not by the power log: {error}"))
    return replace(
        made, cost=_cost(wh, f"{meter.words}, the whole machine with all that ran on it", assumed, made.cost.span)
    )


def _span_of(spent: Cost) -> tuple[float, float]:
    if spent.span is None:
        raise NotMeasured(
            "it was not one piece of work of one process and one clock: it was interrupted, discarded once, shared, or "
            "the clock was set"
        )
    return spent.span


def _span(begun: float, ended: float, seconds: float) -> tuple[float, float] | None:
    """When work of so many seconds was done; None where the clock was set meanwhile, or the machine slept."""
    return (begun, ended) if abs(ended - begun - seconds) <= CLOCK_SLACK + DRIFT * seconds else None
