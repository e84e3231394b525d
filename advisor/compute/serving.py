"""Serve every model of a run on the same requests, side by side: time, and energy and CO2, relative to the baseline."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

import torch

from advisor.compute.artefact import FILE
from advisor.compute.bench import Batch, Bench, Encoded
from advisor.compute.int8 import OnnxScorer
from advisor.compute.measure import Energy, Timing, measure_energy, time_side_by_side
from advisor.compute.scorer import Scorer
from advisor.results import Measured, Progress

BASELINE = "finetune"
REQUESTS = 256  # rows of one round; energy is measured over at least 1,000
Shares = Mapping[str, tuple[Measured, Measured]]


def measure(
    folders: Mapping[str, Path], bench: Bench, rows: Encoded, load: Callable[[Path], Scorer], device: str
) -> Generator[Progress, None, Shares]:
    """Time and emissions of every model as shares of the baseline's.

    Args:
        folders: artefact by step name, the baseline among them. load: a checkpoint folder to a scorer.
        device: the kind that the models will serve on; present here.
    """
    requests = list(bench.batches(rows.take(REQUESTS)))
    alike = _alike(folders)
    runners = {name: _runner(folders[name], load, requests, device) for name in dict.fromkeys(alike.values())}
    yield Progress("time", 0, len(runners) + 1)
    times = time_side_by_side(runners, BASELINE)
    energies: dict[str, Energy | str] = {}
    for done, (name, runner) in enumerate(runners.items(), start=1):
        yield Progress("energy", done, len(runners) + 1)
        energies[name] = measure_energy(runner)
    return {name: (_time(times[one]), _emissions(energies[one], energies[BASELINE])) for name, one in alike.items()}


def _alike(folders: Mapping[str, Path]) -> dict[str, str]:
    """For each step the first one with the same config: distillation changes weights, not the work to be done."""
    first: dict[bytes, str] = {}
    return {name: first.setdefault((folder / "config.json").read_bytes(), name) for name, folder in folders.items()}


def _runner(folder: Path, load: Callable[[Path], Scorer], requests: list[Batch], device: str) -> Callable[[], int]:
    """A function that answers all requests once and returns how many there were."""
    count = sum(len(batch.rows) for batch in requests)
    if (folder / FILE).exists():
        onnx = OnnxScorer(folder / FILE, torch.get_num_threads())
        arrays = [(batch.input_ids.cpu().numpy(), batch.attention_mask.cpu().numpy()) for batch in requests]
        return lambda: sum(len(onnx(*one)) for one in arrays)
    scorer = load(folder).to(device).eval()
    moved = [(batch.input_ids.to(device), batch.attention_mask.to(device)) for batch in requests]

    def serve() -> int:
        last: Any = None
        with torch.inference_mode():
            for ids, mask in moved:
                last = scorer(ids, mask)
            last.sum().item()  # a GPU answers late: wait for it
        return count

    return serve


def _time(timing: Timing) -> Measured:
    source = f"median of {timing.rounds} paired rounds, {REQUESTS} rows, baseline and models in turn"
    return Measured(timing.relative_time, source=source, spread=timing.spread)


def _emissions(energy: Energy | str, baseline: Energy | str) -> Measured:
    if isinstance(energy, str) or isinstance(baseline, str):
        return Measured(why_not=energy if isinstance(energy, str) else str(baseline))
    if not baseline.wh_per_1000:
        return Measured(why_not="the baseline's energy came out as nothing")
    return Measured(energy.wh_per_1000 / baseline.wh_per_1000, source=f"codecarbon, power {energy.source}")
