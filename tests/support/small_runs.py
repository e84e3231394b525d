"""Finished runs as literals, and as folders."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from advisor.records.results import Artefact, Cost, GateResult, Measured, Predicted, RunResult, Served, StepResult
from advisor.runs.finished import read
from advisor.runs.record import Record, of

RECIPE = """\
version: 1
name: {name}
model: {{source: {model}, family: {family}}}
data: {{source: {data}, task: text-classification, samples: {samples}}}
device: cpu
goal: {{relative_accuracy: ">= 0.95"}}
steps:
  - finetune: {{epochs: 3}}
  - layer_removal: {{keep: {keep}}}
  - distillation: {{epochs: 9}}
  - quantization: {{}}
training: {{seed: {seed}}}
"""
LAYERS, ROWS = 12, 872
PROVENANCE = {
    "machine": "AMD EPYC, 2 threads",
    "versions": {"advise": "0.1.0", "torch": "2.13.0"},
    "data": "train: sst2/train.parquet",
    "data_sha256": "d" * 64,
    "seed": 0,
}


def served(time: float, emissions: float) -> Served:
    source = "energy counters (RAPL 0 package-0), grid of FRA"
    return Served(
        Measured(time, source="median of 10 windows", interval=(time * 0.98, time * 1.02)),
        Measured(12.5 * time, source="median of 50 single requests"),
        Measured(emissions, source=source, interval=(emissions * 0.97, emissions * 1.03)),
        Measured(15.5 * time, source="95th percentile of 50 single requests"),
        Measured(80 / time, source="batches of 32"),
        Measured(0.2 * emissions, source=source),
        Measured(0.1 * emissions, source=source),
        Measured(0.0112 * emissions, source=source),
        Measured(emissions * 0.9, source=source),
    )


def step(
    name: str, words: str, place: int, accuracy: float, shares: tuple[float, float, float], **more: Any
) -> StepResult:
    """shares: size, time, emissions, of the baseline's."""
    size, time, emissions = shares
    share = accuracy / 0.9
    relative = Measured(share, source=f"{ROWS} report rows", interval=(share - 0.01, share + 0.01))
    return StepResult(
        name, words, f"steps/{place}-{name}", int(109_483_778 * min(1, size * 2)), int(109_483_778 * min(1, size * 2)),
        int(437_951_328 * size), accuracy, relative, size, served(time, emissions), seconds=60.0,
        metrics={"accuracy": accuracy}, relative_compute=1.0 if place == 0 else 8 / 12, **more,
    )  # fmt: skip


def result(**changes: Any) -> RunResult:
    """A run of BERT on SST-2 for the CPU: 8 layers, distilled, int8."""
    size8, size4 = (0.741, 0.8, 0.78), (0.187, 0.31, 0.33)
    cost = Cost(Measured(120.5, source="codecarbon"), Measured(6.75, source="codecarbon"))
    steps = (
        replace(step("finetune", "fine-tuned", 0, 0.9, (1, 1, 1), cost=cost), relative_accuracy=Measured(1.0)),
        step("layer_removal", "8 layers", 1, 0.7, size8),
        step(
            "distillation", "distilled", 2, 0.891, size8, cost=cost,
            predicted=Predicted((0.97, 1.0), (0.67, 0.87), (0.65, 0.87), (0.741, 0.741)),
        ),
        step(
            "quantization", "int8", 3, 0.88, size4, fp32_difference=0.004, notes=("74 of 74 matrices are int8",),
            predicted=Predicted((0.97, 1.0), (0.19, 0.3), (0.2, 0.52), (0.18, 0.41)),
            artefact=Artefact("onnx", ("cpu", "edge"), {"model.onnx": "a" * 64}),
        ),
    )  # fmt: skip
    gates = (
        GateResult("relative_accuracy", ">= 0.95", steps[-1].relative_accuracy, True),
        GateResult("int8 accuracy", ">= 0.99", Measured(0.9877, source="against distilled"), False),
    )
    whole = RunResult(
        "bert-sst2", "bert-base-uncased", "BERT", "cpu", "cpu", ROWS, steps, gates, dict(PROVENANCE), 310.0,
        finished="2026-11-24T12:00:00+00:00", recipe_sha256="e" * 64, payback=Measured(31_000.0, source="6.75 g"),
        summary="keeps 97.8 % of the accuracy at 31 % of the time",
    )  # fmt: skip
    return replace(whole, **changes)


def write(folder: Path, run: RunResult | None = None, **recipe: Any) -> Path:
    """A run's folder without its models. recipe: name, model, family, data, samples, keep, seed."""
    run = run or result()
    values = {
        "name": run.name,
        "model": run.model,
        "family": "bert",
        "data": "sst2",
        "samples": 67_349,
        "keep": 8,
        "seed": 0,
    }
    values |= recipe
    facts = {
        "model.family": values["family"], "model.kind": "encoder", "model.layers": LAYERS,
        "data.samples": values["samples"], "data.task": "text-classification", "device.kind": run.device,
    }  # fmt: skip
    folder.mkdir(parents=True)
    text = {name: json.dumps(value) if isinstance(value, str) else value for name, value in values.items()}
    (folder / "recipe.yaml").write_text(RECIPE.format(**text))
    (folder / "facts.json").write_text(json.dumps(facts))
    (folder / "report.json").write_text(json.dumps(asdict(run), allow_nan=False))
    (folder / "manifest.json").write_text(json.dumps({"files": {}}))
    return folder


def record(folder: Path, run: RunResult | None = None, **recipe: Any) -> Record:
    """The record of such a run."""
    return of(read(write(folder, run, **recipe)))
