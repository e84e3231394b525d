"""Serve every model of a run on the same requests, side by side: time, latency, energy and CO2e."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from advisor.compute.data.batches import Batch, Encoded
from advisor.compute.measure.energy import Energy, Meter, energies, meter_for
from advisor.compute.measure.models import BASELINE, Answer, Models, Place, threads
from advisor.compute.measure.served import Setting, served, timed, wide, with_energy
from advisor.compute.measure.timing import MOST_OTHERS, ROUNDS, Single, Windows, alternate, latencies, noise
from advisor.compute.measure.windows import (
    NotMeasured,
    ratio,
    refuse_disturbed,
    refuse_sleep,
    seconds_per_request,
)
from advisor.compute.training.context import Context
from advisor.records.measuring import Measuring
from advisor.records.results import Progress, RuntimeResult, Served

AGAIN = "finetune again"
MOST_ROWS, FEWEST_ROWS, TRIED_ROWS = 256, 64, 32  # of one call: as many as the baseline answers in a window
PROTOCOL_ROWS = 1000  # of AI Energy Score, in batches of one, in ten runs
SINGLE_REQUESTS = 50  # rows that are served one by one for the latency
BATCH_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found, by step name; fp32 models in int8's runtime; and what speaks against it, if anything does."""

    served: Mapping[str, Served]
    fp32_in_runtime: tuple[RuntimeResult, ...]
    notes: tuple[str, ...]


def measure(
    folders: Mapping[str, Path], context: Context, rows: Encoded, place: Place
) -> Generator[Progress, None, Comparison]:
    """Time, latency and emissions of every model; time and emissions as shares of the baseline's, with intervals.

    Time and energy come from the same windows, in which models take turns. Steps of equal shape are measured once. The
    baseline has two windows in every round: its share of its own time, which should be 1, tells how far to trust the
    others. Beside an int8 model, its fp32 source and the baseline are also served by its runtime.

    Args:
        folders: artefact by step name, the baseline among them.
    """
    meter = meter_of(place.device, place.measuring, len(rows))
    yield Progress("measure", 0, ROUNDS + 1)
    with tempfile.TemporaryDirectory() as work:
        models = Models(folders, place, list(context.batches(rows.take(TRIED_ROWS))), Path(work))
        with threads(0 if isinstance(meter, str) else meter.threads) as few:
            asked, found = yield from _windows(models, few, context, rows, meter)
        yield Progress("latency", ROUNDS, ROUNDS + 1)
        with threads(0) as many:
            answers = models.load(many)
            single = list(context.batches(rows.take(SINGLE_REQUESTS), size=1))
            singles = _latencies(answers, models.asked(single), 4)
            batched = _latencies(answers, models.asked(asked), BATCH_ROUNDS)
    setting = Setting(few, many, max(_sizes(asked)), place.assumed, place.measuring.protocol)
    compared = _Compared(found, meter)
    mean_rows = sum(_sizes(asked)) / len(asked)
    every = {
        name: compared.served(name, singles[name], mean_rows * 1000 / batched[name].median_ms, setting)
        for name in answers
    }
    return Comparison(
        {name: every[one] for name, one in models.alike.items()},
        models.in_runtime(every),
        tuple(filter(None, compared.notes(models, place.measuring.seconds))),
    )


def meter_of(device: str, measuring: Measuring, rows: int) -> Meter | str:
    """What measures energy, or why it cannot be measured. device: that serves; rows: of the report."""
    try:
        meter = meter_for(device, measuring.power_log)
    except NotMeasured as reason:
        return str(reason)
    if measuring.protocol and rows < PROTOCOL_ROWS:
        return f"--protocol {measuring.protocol} takes {PROTOCOL_ROWS:,} rows, there are {rows:,} report rows"
    if measuring.protocol and not meter.whole_machine:
        return f"--protocol {measuring.protocol} needs energy counters or a power log, and here are none"
    return meter


def requests(answer: Answer, context: Context, rows: Encoded, measuring: Measuring) -> list[Batch]:
    """The batches of one call: as many as the baseline answers in a window, or what a protocol prescribes."""
    if measuring.protocol:
        return list(context.batches(rows.take(PROTOCOL_ROWS), size=1))
    tried = list(context.batches(rows.take(TRIED_ROWS)))
    _serve(answer, tried)
    begun = time.perf_counter()
    _serve(answer, tried)
    fit = int(measuring.seconds / ROUNDS / (time.perf_counter() - begun)) * TRIED_ROWS
    return list(context.batches(rows.take(min(MOST_ROWS, max(FEWEST_ROWS, fit)))))


def _windows(
    models: Models, threads_: int, context: Context, rows: Encoded, meter: Meter | str
) -> Generator[Progress, None, tuple[list[Batch], Windows]]:
    """The batches of one call, and what was recorded of every model in turn."""
    answers, measuring = models.load(threads_), models.place.measuring
    asked = requests(answers[BASELINE], context, rows, measuring)
    seconds = 0.0 if measuring.protocol else measuring.seconds  # one call a window
    own = models.asked(asked)
    runners = {name: partial(_serve, answer, own[name]) for name, answer in answers.items()}
    runners[AGAIN] = runners[BASELINE]
    read, idle = (dict, False) if isinstance(meter, str) else (meter.read, meter.whole_machine)
    recording = alternate(runners, seconds, read, idle)
    while True:
        try:
            number = next(recording)
        except StopIteration as end:
            windows: Windows = end.value
            return asked, windows
        yield Progress("measure", number, ROUNDS + 1)


def _serve(answer: Answer, requests: Sequence[Batch]) -> int:
    """Answer all requests once; returns how many there were."""
    for batch in requests:
        answer(batch)
    return sum(_sizes(requests))


def _sizes(batches: Sequence[Batch]) -> list[int]:
    return [len(batch.rows) for batch in batches]


def _latencies(answers: Mapping[str, Answer], batches: Mapping[str, Sequence[Batch]], rounds: int) -> dict[str, Single]:
    numbered = {name: partial(_answer_one, answer, batches[name]) for name, answer in answers.items()}
    return latencies(numbered, len(batches[BASELINE]), rounds)


def _answer_one(answer: Answer, requests: Sequence[Batch], number: int) -> None:
    answer(requests[number])


class _Compared:
    """Every model against the baseline, or why there is no number. times: by model, where the windows are sound."""

    def __init__(self, found: Windows, meter: Meter | str) -> None:
        self.found, self.models = found, found.models
        self.meter = meter if isinstance(meter, str) else meter.words
        base = seconds_per_request(self.models[BASELINE])
        self.times = {name: ratio(seconds_per_request(some), base) for name, some in self.models.items()}
        self.refused = ""
        try:
            refuse_sleep([one for some in self.models.values() for one in some])
            refuse_disturbed(self.times[AGAIN])
        except NotMeasured as reason:
            self.refused = str(reason)
        self.energies = self._energies(meter)

    def _energies(self, meter: Meter | str) -> dict[str, Energy] | str:
        if self.refused or isinstance(meter, str):
            return self.refused or str(meter)
        if meter.whole_machine and self.found.others > MOST_OTHERS:
            return (
                f"other programs used {self.found.others:.0%} of the cores, and their energy cannot be told from the "
                "model's; run it again on a quiet machine"
            )
        try:
            return energies(meter, self.models, self.found.idle, BASELINE)
        except NotMeasured as reason:
            return str(reason)

    def served(self, name: str, single: Single, rows_per_second: float, setting: Setting) -> Served:
        windows = self.models[name]
        time_ = timed(self.refused or self.times[name], windows, self.times[AGAIN], setting)
        energy = self.energies if isinstance(self.energies, str) else self.energies[name]
        return with_energy(served(time_, single, rows_per_second, setting), energy, self.meter, windows, setting)

    def notes(self, models: Models, seconds: float) -> Iterator[str]:
        """What speaks against the measurement."""
        base = seconds_per_request(self.models[BASELINE])
        yield noise(self.found.others, base, self.times[AGAIN])
        for name in dict.fromkeys(models.alike.values()):
            yield "" if self.refused else wide(name, self.times[name], seconds)
