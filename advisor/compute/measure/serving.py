"""Serve every model of a run on the same requests, side by side: time, latency, energy and CO2."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from advisor.compute.data.batches import Batch, Encoded
from advisor.compute.int8 import artefact
from advisor.compute.measure.energy import SOURCES, Energy, grid, measure_energy, power
from advisor.compute.measure.timing import Neighbours, Single, Timing, latencies, noise, time_side_by_side
from advisor.compute.structure.scorer import Scorer
from advisor.compute.training.context import Context
from advisor.records.carbon import Assumptions, operational_g
from advisor.records.results import Measured, Progress, Served

BASELINE, AGAIN = "finetune", "finetune again"
REQUESTS = 256  # rows of one round; energy is measured over at least 1,000
SINGLE_REQUESTS = 50  # rows that are served one by one for the latency
Answer = Callable[[Batch], None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found: by step name; and what speaks against it, empty where nothing does."""

    served: Mapping[str, Served]
    noise: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where models serve. load: a checkpoint folder to a scorer. device: a kind that is present here."""

    load: Callable[[Path], Scorer]
    device: str
    assumed: Assumptions


def measure(
    folders: Mapping[str, Path], context: Context, rows: Encoded, place: Place
) -> Generator[Progress, None, Comparison]:
    """Time, latency and emissions of every model; time and emissions as shares of the baseline's.

    Steps of equal shape are measured once. The baseline stands in every round twice: its share of its own time, which
    should be 1, tells how far to trust the others.

    Args:
        folders: artefact by step name, the baseline among them.
    """
    requests, single = (
        list(context.batches(rows.take(REQUESTS))),
        list(context.batches(rows.take(SINGLE_REQUESTS), size=1)),
    )
    alike = _alike(folders)
    answers = {name: _answer(folders[name], place.load, place.device) for name in dict.fromkeys(alike.values())}
    yield Progress("time", 0, len(answers) + 2)
    neighbours = Neighbours()
    runners = {name: partial(_serve, answer, requests) for name, answer in answers.items()}
    times = time_side_by_side({**runners, AGAIN: runners[BASELINE]}, BASELINE, batches=len(requests))
    others = neighbours.share()
    yield Progress("latency", 1, len(answers) + 2)
    one_by_one = {name: partial(_answer_one, answer, single) for name, answer in answers.items()}
    singles = latencies(one_by_one, len(single))
    energies: dict[str, Energy | str] = {}
    for done, (name, runner) in enumerate(runners.items(), start=2):
        yield Progress("energy", done, len(answers) + 2)
        energies[name] = measure_energy(runner, country=place.assumed.country)
    itself = f"the baseline takes {times[AGAIN].relative_time:.3f} of its own time"
    found = {name: _served(times[name], singles[name], requests, itself) for name in answers}
    found = {name: _with_energy(one, energies[name], energies[BASELINE], place.assumed) for name, one in found.items()}
    return Comparison({name: found[one] for name, one in alike.items()}, noise(others, times[BASELINE], times[AGAIN]))


def _alike(folders: Mapping[str, Path]) -> dict[str, str]:
    """For each step the first one with the same config: distillation changes weights, not the work to be done."""
    first: dict[bytes, str] = {}
    return {name: first.setdefault((folder / "config.json").read_bytes(), name) for name, folder in folders.items()}


def _answer(folder: Path, load: Callable[[Path], Scorer], device: str) -> Answer:
    """A function that answers one batch and has the answer on the CPU when it returns."""
    reader = artefact.read(folder, torch.get_num_threads())
    if reader is not None:

        def answer_int8(batch: Batch) -> None:
            reader(batch.input_ids.cpu(), batch.attention_mask.cpu())

        return answer_int8
    scorer = load(folder).to(device).eval()

    def answer(batch: Batch) -> None:
        with torch.inference_mode():
            scorer(batch.input_ids.to(device), batch.attention_mask.to(device)).cpu()

    return answer


def _serve(answer: Answer, requests: Sequence[Batch]) -> int:
    """Answer all requests once; returns how many there were."""
    for batch in requests:
        answer(batch)
    return sum(map(_rows, requests))


def _answer_one(answer: Answer, requests: Sequence[Batch], number: int) -> None:
    answer(requests[number])


def _rows(batch: Batch) -> int:
    return len(batch.rows)


def _served(timing: Timing, single: Single, batches: Sequence[Batch], itself: str) -> Served:
    """What time says, without energy. itself: what the baseline takes of its own time, in words."""
    rows, threads = sum(map(_rows, batches)), f"{torch.get_num_threads()} threads"
    at = f"batches of {max(map(_rows, batches))}, {threads}"
    rounds = f"median of {timing.rounds} paired rounds of {rows} rows, models in turn, {at}; {itself}"
    per_second = rows / (timing.median_ms / 1000 * len(batches))
    ones = f"of {single.count} single requests, models in turn, {threads}"
    return Served(
        time=Measured(timing.relative_time, source=rounds, spread=timing.spread),
        latency_ms=Measured(single.median_ms, source=f"median {ones}"),
        latency_p95_ms=Measured(single.p95_ms, source=f"95th percentile {ones}"),
        throughput=Measured(per_second, source=f"rows in a second, {at}"),
    )


def _with_energy(served: Served, own: Energy | str, baseline: Energy | str, assumed: Assumptions) -> Served:
    """Energy and CO2e of 1,000 requests, and both as shares of the baseline's, with idling and without."""
    if isinstance(own, str) or isinstance(baseline, str):
        missing = Measured(why_not=own if isinstance(own, str) else str(baseline))
        names = ("emissions", "wh_per_1000", "idle_wh_per_1000", "g_per_1000", "emissions_without_idle")
        return replace(served, **dict.fromkeys(names, missing))
    told = f"{power(own.source)}, {own.requests:,} requests in {own.seconds:.0f} s"
    idle = f"{power(own.source)}, idling for {own.seconds:.0f} s"
    grams = operational_g(own.wh_per_1000, own.grid_g_per_kwh, assumed.pue)
    return replace(
        served,
        emissions=Measured(own.wh_per_1000 / baseline.wh_per_1000, source=f"{told}, idle power included"),
        emissions_without_idle=without_idle(own, baseline),
        wh_per_1000=Measured(own.wh_per_1000, source=told),
        idle_wh_per_1000=Measured(own.idle_wh_per_1000, source=idle),
        g_per_1000=Measured(grams, source=f"{told}; {grid(own.grid_g_per_kwh, own.grid_year, assumed)}"),
    )


def without_idle(own: Energy, baseline: Energy) -> Measured:
    """The share of the baseline's energy that the requests themselves caused. Example: (3 - 1) / (6 - 2) is 0.5."""
    above, below = (one.wh_per_1000 - one.idle_wh_per_1000 for one in (own, baseline))
    if above <= 0 or below <= 0:
        return Measured(why_not=f"working and idling cannot be told apart here: power is {SOURCES[own.source]}")
    return Measured(above / below, source=f"{power(own.source)}, idle power left out")
