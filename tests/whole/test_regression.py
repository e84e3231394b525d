"""Regression end to end: one output, mean squared error, distilled outputs, correlation as the metric."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import stdev

import pytest
import tiny

from advisor.cli import main


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real texts with a number that their words tell: which package they are from, and how long they are."""
    rows = tiny.docstrings()
    numbers = [(row["label"] == "email") + len(row["text"].split()) / 20 for row in rows]
    table = [{"text": row["text"], "label": number} for row, number in zip(rows, numbers, strict=True)]
    return tiny.write_rows(tmp_path_factory.mktemp("scored") / "stsb", table)


def run(family: str, checkpoints: dict[str, Path], data: Path, out: Path, more: str = "") -> int:
    recipe = out.with_suffix(".yaml")
    recipe.write_text(
        f"version: 1\nname: {family}\nmodel: {{source: gone}}\ndevice: edge\ngoal: {{relative_accuracy: '>= 0.3'}}\n"
        f"{more}steps:\n  - finetune: {{epochs: 5, learning_rate: 2.0e-3}}\n  - layer_removal: {{keep: 3}}\n"
        "  - distillation: {epochs: 2, learning_rate: 1.0e-3}\n  - quantization: {}\n"
        "training: {batch_size: 16, max_tokens: 24}\n"
    )
    return main(
        [
            "run",
            str(recipe),
            "--model",
            str(checkpoints[family]),
            "--data",
            str(data),
            "--out",
            str(out),
            "--measure-seconds",
            "0.5",
        ]
    )


@pytest.mark.parametrize("family", ["bert", *(pytest.param(name, marks=pytest.mark.slow) for name in ("gpt2", "opt"))])
def test_a_regression_is_carried_out(family: str, checkpoints: dict[str, Path], scored: Path, tmp_path: Path) -> None:
    assert run(family, checkpoints, scored, tmp_path / "out") in (0, 4)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    kept = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert {isinstance(label, float) for label in kept["labels"]} == {True}
    for step in report["steps"]:
        assert step["metric"] == "pearson" and list(step["metrics"]) == ["pearson", "spearman"]
        assert step["parameters"] == step["predicted_parameters"]
        assert {len(row) for row in kept["scores"][step["name"]]} == {1}
    finetuned, *_, distilled, int8 = report["steps"]
    assert finetuned["accuracy"] > 0.2  # it has learnt something of the numbers
    assert distilled["accuracy"] > 0.2
    assert int8["fp32_difference"] < stdev(kept["labels"]) / 5  # 0.13; seen 0.001 to 0.06, by family and threads


def test_a_text_to_text_model_is_refused(
    checkpoints: dict[str, Path], scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("t5", checkpoints, scored, tmp_path / "out") == 2
    assert "a regression cannot be run with t5" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_metric_of_another_task_is_refused_with_its_place(
    checkpoints: dict[str, Path], scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("bert", checkpoints, scored, tmp_path / "out", "data: {metric: f1}\n") == 2
    assert (
        "out.yaml:6:16: f1 is not a metric for regression\n  try: one of pearson, spearman" in capsys.readouterr().err
    )
