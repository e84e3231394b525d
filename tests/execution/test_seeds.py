"""Several seeds of one recipe: a whole run each, their spread, gates on the mean, and resumption."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from rich.console import Console

from advisor.cli import main
from advisor.compute.machine.device import seed
from advisor.execution.seeds import _whole
from advisor.records.results import GateResult, Measured, Progress, RunResult, Served, StepResult
from advisor.report.seeds import table
from advisor.runs.seed_statistics import Spread, gathered

STEPS = "  - finetune: {epochs: 2, learning_rate: 2.0e-3}\n"


def result(relative: float, time: float | None) -> RunResult:
    served = Served(Measured(time) if time else Measured(why_not="no device"))
    step = StepResult("distillation", "distilled", "s", 1, 1, 1, 0.8 * relative, Measured(relative), 0.5, served)
    gates = (
        GateResult("relative_accuracy", ">= 0.95", Measured(relative), relative >= 0.95),
        GateResult("relative_time", "<= 0.5", served.time, bool(time)),
    )
    return RunResult("r", "m", "BERT", "cpu", "cpu", 400, (step,), gates, {}, 1.0)


def test_the_spread_by_hand() -> None:
    found = gathered([result(0.94, 0.4), result(0.96, 0.5), result(0.98, 0.3)], [3, 4, 5], ["a", "b", "c"])
    (step,) = found.steps
    assert step.relative_accuracy == Spread(pytest.approx(0.96), pytest.approx(0.02), 0.94, 0.98)
    assert step.accuracy.mean == pytest.approx(0.768)
    assert step.relative_time == Spread(pytest.approx(0.4), pytest.approx(0.1), 0.3, 0.5)
    assert step.relative_emissions is None  # not measured, never 0


def test_one_seed_has_no_standard_deviation() -> None:
    found = gathered([result(0.94, 0.4)], [3], ["a"])
    assert found.steps[0].relative_accuracy == Spread(0.94, None, 0.94, 0.94)
    assert found.gates[0].measured.source == "one seed"
    console = Console(width=110)
    with console.capture() as shown:
        console.print(table(found))
    assert shown.get().startswith("r, 1 seed ") and "±" not in shown.get() and "deviation" not in shown.get()


def test_gates_are_judged_on_the_mean_and_a_missing_measurement_misses() -> None:
    found = gathered([result(0.94, 0.4), result(0.97, 0.5)], [0, 1], ["a", "b"])
    assert [gate.passed for gate in found.gates] == [True, True]
    assert found.gates[0].measured.value == pytest.approx(0.955) and found.passed
    assert found.gates[0].measured.source == "mean of 2 seeds, 0.94 to 0.97"
    assert not gathered([result(0.94, 0.4), result(0.95, 0.5)], [0, 1], ["a", "b"]).passed
    unmeasured = gathered([result(0.97, 0.4), result(0.97, None)], [0, 1], ["a", "b"]).gates[1]
    assert not unmeasured.passed and unmeasured.measured.why_not == "no device"


def test_the_remaining_time_counts_whole_runs_though_this_one_was_resumed() -> None:
    """90 s of the second of three runs are left, and a whole one takes 1,000 s."""
    (told,) = _whole(iter([Progress("distil", 9, 10, run=0.0, remaining=90.0, whole=1000.0)]), 1, 3)
    assert isinstance(told, Progress) and told.remaining == pytest.approx(1090)
    (told,) = _whole(iter([Progress("distil", 1, 10, run=0.5, remaining=90.0, whole=50.0)]), 1, 3)
    assert isinstance(told, Progress) and told.remaining == pytest.approx(180, abs=1) and told.run == 0.5


def test_seeds_are_whole_runs_and_their_spread_is_shown(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "recipe.yaml", tmp_path / "out"
    file.write_text(
        "version: 1\nname: seeds\nmodel: {source: gone, family: bert}\ndevice: edge\n"
        f'steps:\n{STEPS}gates: {{size_mb: "<= 9"}}\ntraining: {{batch_size: 32, max_tokens: 16, seed: 7}}\n'
    )
    arguments = ["run", str(file), "--model", str(checkpoints["bert"]), "--data", str(text), "--no-ledger"]
    assert main([*arguments, "--out", str(out), "--seeds", "2"]) in (0, 4)
    shown = capsys.readouterr()
    assert "2 seeds: mean ± standard deviation" in shown.out and "passed" in shown.out
    report = json.loads((out / "report.json").read_text())
    assert report["seeds"] == [7, 8] and report["paths"] == ["seed-7", "seed-8"]
    assert [run["provenance"]["seed"] for run in report["runs"]] == [7, 8]
    weights = [(out / path / "steps" / "0-finetune" / "model.safetensors").read_bytes() for path in report["paths"]]
    assert weights[0] != weights[1]
    rows = [json.loads((out / path / "predictions.json").read_text())["rows_sha256"] for path in report["paths"]]
    assert rows[0] == rows[1]
    assert main([*arguments, "--out", str(tmp_path / "alone")]) in (0, 4)  # the first seed is the run without --seeds
    assert (tmp_path / "alone" / "steps" / "0-finetune" / "model.safetensors").read_bytes() == weights[0]

    assert main([*arguments, "--out", str(out), "--seeds", "3", "--resume"]) in (0, 4)
    told = capsys.readouterr().err
    assert told.count("nothing has changed since this run finished") == 2
    assert json.loads((out / "report.json").read_text())["seeds"] == [7, 8, 9]
    assert main([*arguments, "--out", str(tmp_path / "alone"), "--seeds", "2", "--resume"]) == 2
    assert "holds a run of one seed" in capsys.readouterr().err


def test_seeds_past_the_last_are_refused_before_anything_is_written(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "recipe.yaml", tmp_path / "out"
    arguments = ["run", str(file), "--model", str(checkpoints["bert"]), "--data", str(text), "--no-ledger"]

    def run(number: int, *more: str) -> int:
        training = f"training: {{batch_size: 32, max_tokens: 16, seed: {number}}}\n"
        file.write_text("version: 1\nname: x\nmodel: {source: bert}\ndevice: edge\nsteps:\n" + STEPS + training)
        return main([*arguments, "--out", str(out), *more])

    assert run(2**32) == 2
    assert "training.seed: input should be less than or equal to 4294967295" in capsys.readouterr().err
    for more in ((), ("--dry-run",)):
        assert run(2**32 - 1, "--seeds", "2", *more) == 2
        told = capsys.readouterr().err
        assert f"{file}:7:50: 2 seeds from 4294967295 on go past the last one, 4294967295" in told
        assert "a seed of at most 4294967294, or fewer --seeds" in told
        assert run(0, "--seeds", "99999999999", *more) == 2
        told = capsys.readouterr().err
        assert "--seeds: expected a whole number of at least 1 and at most 1000, got 99999999999" in told
    assert not out.exists()
    assert run(2**32 - 1, "--seeds", "1") == 0


def test_further_processes_count_on_from_the_last_seed() -> None:
    seed(2**32)
    first = torch.rand(2)
    seed(0)
    assert torch.equal(torch.rand(2), first)
