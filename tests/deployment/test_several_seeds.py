"""A folder of several seeds is gated on the means of its runs, each of which has to be sound."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import gated
import pytest

from advisor.cli import main
from advisor.deployment import several_seeds
from advisor.deployment.decision import gate
from advisor.deployment.examination import Terms
from advisor.policy.pack import core
from advisor.recipe.reader import load
from advisor.records.run_folder import PREDICTIONS
from advisor.review.waivers.apply import Waiving

TERMS = Terms(core(), Waiving(date.today(), unused=False))


@pytest.fixture
def out(finished_run: Path, tmp_path: Path) -> Path:
    """Two seeds: the finished run, and one whose int8 model is right on other rows."""
    from advisor.deployment.recomputation import read, recomputed
    from advisor.records import run_folder

    for seed in (0, 1):
        shutil.copytree(finished_run, tmp_path / f"seed-{seed}")
    second = tmp_path / "seed-1"
    recipe = second / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("training: {", "training: {seed: 1, ", 1).replace(", seed: 0", ""))

    def worse(value: dict[str, Any]) -> None:
        rows = value["scores"]["quantization"]
        rows[100:140] = [row[::-1] for row in rows[100:140]]

    gated.rewrite(second / PREDICTIONS, worse)
    result = run_folder.read(second)
    again = recomputed(second, result, load(recipe)[0], read(second, result), ["ends", "goes on"])
    run_folder.finish(second, again)
    gated.seal(second)
    return tmp_path


def test_the_means_are_judged(out: Path) -> None:
    checked = gate(out, TERMS)
    errors = [one for one in checked.findings if one.severity == "error"]
    reports = [json.loads((out / name / "report.json").read_text())["steps"][-1] for name in ("seed-0", "seed-1")]
    mean = sum(one["relative_accuracy"]["value"] for one in reports) / 2
    assert not [one.message for one in errors if one.rule in ("gate-complete", "gate-intact", "gate-data")]
    words = " ".join([*checked.kept, *(one.message for one in errors)])
    assert f"relative accuracy {mean:.4g}" in words


def test_each_run_has_to_be_sound(out: Path) -> None:
    (out / "seed-1" / "steps" / "3-quantization" / "onnx/model_quantized.onnx").write_bytes(b"")
    messages = [(one.rule, one.place.file) for one in gate(out, TERMS).findings if one.severity == "error"]
    assert any(rule == "gate-intact" and "seed-1" in file for rule, file in messages)
    (out / "seed-1" / "manifest.json").unlink()
    assert any("manifest.json is missing" in one.message for one in gate(out, TERMS).findings)


def test_the_same_seed_twice_or_another_recipe_is_refused(out: Path) -> None:
    file = out / "seed-1" / "recipe.yaml"
    file.write_text(file.read_text().replace("seed: 1", "seed: 0").replace("epochs: 2", "epochs: 3", 1))
    gated.seal(out / "seed-1")
    said = " ".join(one.message for one in gate(out, TERMS).findings)
    assert "seed-1 holds the run of seed 0" in said and "seed-1 is of another recipe than seed-0" in said


def test_a_folder_of_seeds_as_run_writes_it(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its rows were split by the first seed, and each of its runs can be told to belong to the data."""
    file, out = tmp_path / "recipe.yaml", tmp_path / "out"
    head = "version: 1\nname: seeds\nmodel: {source: bert}\ndevice: edge\ngates: {size_mb: '<= 9'}\n"
    file.write_text(f"{head}steps:\n  - finetune: {{epochs: 1}}\ntraining: {{max_tokens: 16, seed: 7}}\n")
    arguments = ["run", str(file), "--model", str(checkpoints["bert"]), "--data", str(text), "--no-ledger"]
    assert main([*arguments, "--out", str(out), "--seeds", "2"]) in (0, 4)
    capsys.readouterr()
    assert [one.name for one in several_seeds.folders(out)] == ["seed-7", "seed-8"]
    assert main(["gate", str(out), "--recipe", str(file)]) == 4  # 60 rows are too few
    shown = capsys.readouterr().out
    assert "gate-data" not in shown and "missing" not in shown and "training.seed" not in shown
    assert "cannot verify a relative accuracy" in shown
