"""Serve every model of a run on the same requests, side by side: time, latency, energy and CO2."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch

from advisor.compute import artefact
from advisor.compute.bench import Batch, Bench, Encoded
from advisor.compute.measure import Energy, Timing, measure_energy, time_side_by_side
from advisor.compute.scorer import Scorer
from advisor.results import Measured, Progress, Served

BASELINE = "finetune"
REQUESTS = 256  # rows of one round; energy is measured over at least 1,000
SINGLE_REQUESTS = 50  # rows that are served one by one for the latency
Answer = Callable[[Batch], None]


def measure(
    folders: Mapping[str, Path], bench: Bench, rows: Encoded, load: Callable[[Path], Scorer], device: str
) -> Generator[Progress, None, dict[str, Served]]:
    """Time, latency and emissions of every model; time and emissions as shares of the baseline's.

    Args:
        folders: artefact by step name, the baseline among them. load: a checkpoint folder to a scorer.
        device: the kind that the models will serve on; present here.
    """
    requests, single = list(bench.batches(rows.take(REQUESTS))), list(bench.batches(rows.take(SINGLE_REQUESTS), size=1))
    alike = _alike(folders)
    answers = {name: _answer(folders[name], load, device) for name in dict.fromkeys(alike.values())}
    yield Progress("time", 0, len(answers) + 1)
    times = time_side_by_side({name: partial(_serve, answer, requests) for name, answer in answers.items()}, BASELINE)
    latencies = {name: _latency(answer, single) for name, answer in answers.items()}
    energies: dict[str, Energy | str] = {}
    for done, (name, answer) in enumerate(answers.items(), start=1):
        yield Progress("energy", done, len(answers) + 1)
        energies[name] = measure_energy(partial(_serve, answer, requests))
    return {
        name: Served(_time(times[one]), latencies[one], _emissions(energies[one], energies[BASELINE]))
        for name, one in alike.items()
    }


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
    return sum(len(batch.rows) for batch in requests)


def _latency(answer: Answer, requests: Sequence[Batch]) -> Measured:
    """Median time of one request of one row, in ms, after a warm-up."""
    answer(requests[0])
    taken = []
    for batch in requests:
        begun = time.perf_counter()
        answer(batch)
        taken.append((time.perf_counter() - begun) * 1000)
    return Measured(statistics.median(taken), source=f"median of {len(taken)} single requests")


def _time(timing: Timing) -> Measured:
    source = f"median of {timing.rounds} paired rounds, {REQUESTS} rows, baseline and models in turn"
    return Measured(timing.relative_time, source=source, spread=timing.spread)


def _emissions(energy: Energy | str, baseline: Energy | str) -> Measured:
    if isinstance(energy, str) or isinstance(baseline, str):
        return Measured(why_not=energy if isinstance(energy, str) else str(baseline))
    idle = f"{energy.idle_wh_per_1000 / energy.wh_per_1000:.0%} of it idle"
    each = f"{energy.wh_per_1000:.3g} Wh and {energy.g_co2_per_1000:.3g} g CO2e per 1,000 requests, {idle}"
    source = f"codecarbon, power {energy.source}, grid of {energy.country}, {each}"
    return Measured(energy.wh_per_1000 / baseline.wh_per_1000, source=source)
