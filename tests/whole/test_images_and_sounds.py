"""Images and sounds from files to a loaded model: every step, resumed, examined, its card read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import perceived
import pytest
from PIL import Image

import advisor
from advisor.deployment.examination import Terms, examine
from advisor.deployment.rules import DATA, LOADS, RECOMPUTED
from advisor.policy.pack import core
from advisor.review.waivers.apply import Waiving

FIRST = "  - finetune: {{epochs: {}, learning_rate: 4.0e-3}}\n"
REST = (
    "  - layer_removal: {keep: 2}\n  - distillation: {epochs: 2, learning_rate: 2.0e-3}\n"
    "  - matrix_pruning: {hidden_size: 24, intermediate_size: 48, increments: 1, epochs: 1, learning_rate: 1.0e-3}\n"
    "  - quantization: {min_relative_accuracy: 0.5}\n"
)


def run(file: Path, out: Path, resume: bool = False) -> advisor.RunResult:
    return advisor.run(file, out=out, resume=resume, measure_seconds=0.1, record=False, progress=False)


def chain(folder: Path, task: str, model: Path, data: Path, epochs: int, training: str = "") -> advisor.RunResult:
    """Fine-tuned, then resumed with all other steps: what was done is not done again."""
    first = run(perceived.recipe(folder, task, model, data, FIRST.format(epochs), training), folder / "run")
    weights = (folder / "run/steps/0-finetune/model.safetensors").stat().st_mtime_ns
    file = perceived.recipe(folder, task, model, data, FIRST.format(epochs) + REST, training)
    whole = run(file, folder / "run", resume=True)
    assert (folder / "run/steps/0-finetune/model.safetensors").stat().st_mtime_ns == weights
    assert whole.steps[0].metrics == first.steps[0].metrics
    assert whole.task == task and set(whole.steps[-1].metrics) == {"accuracy", "f1", "matthews"}
    assert whole.steps[0].accuracy > 0.8 and whole.steps[-1].relative_accuracy.interval
    assert all(step.parameters == step.predicted_parameters for step in whole.steps)
    return whole


def honest(out: Path, data: Path) -> None:
    """Every number of the report follows from the folder, also when all models answer all rows again."""
    now = datetime.now(UTC)
    found, _ = examine(out, Terms(core(), Waiving(now.date()), data=str(data), rescore=True), now)
    assert [str(one) for one in found if one.rule in (DATA, LOADS, RECOMPUTED)] == []


def test_images_are_classified(tmp_path: Path) -> None:
    data = perceived.images(tmp_path / "images")
    result = chain(tmp_path, "image-classification", perceived.vit(tmp_path / "model"), data, 6, ", image_size: 12")
    assert result.steps[-1].artefact and result.steps[-1].artefact.kind in ("onnx", "openvino")
    honest(tmp_path / "run", data)
    assert "AutoModelForImageClassification" in (tmp_path / "run/README.md").read_text()
    for step in ("finetune", None):
        predict = advisor.load(tmp_path / "run", step=step)
        file = data / "red/0.png"
        answers = predict([str(file), file, file.read_bytes(), Image.open(file)])
        assert predict.labels == ("blue", "green", "red") and len(answers) == 4
        assert len({one.label for one in answers}) == 1
        assert sum(answers[0].probabilities.values()) == pytest.approx(1)
