"""Images and sounds from files to a loaded model: every step, resumed, examined, its card read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import perceived
import pytest
import tiny
from PIL import Image

import advisor
from advisor.base.errors import AdviseError
from advisor.cli import main
from advisor.compute.int8.backends import TITLES
from advisor.deployment.examination import Terms, examine
from advisor.deployment.rules import DATA, LOADS, RECOMPUTED
from advisor.policy.pack import core
from advisor.review.waivers.apply import Waiving

FIRST = "  - finetune: {{epochs: {}, learning_rate: 8.0e-3}}\n"
REST = (
    "  - layer_removal: {keep: 2}\n  - distillation: {epochs: 2, learning_rate: 2.0e-3}\n"
    "  - matrix_pruning: {hidden_size: 24, intermediate_size: 48, increments: 1, epochs: 1, learning_rate: 1.0e-3}\n"
    "  - quantization: {min_relative_accuracy: 0.5, backend: onnxruntime}\n"
)


def run(file: Path, out: Path, resume: bool = False) -> advisor.RunResult:
    return advisor.run(file, out=out, resume=resume, measure_seconds=0.1, record=False, progress=False)


def here(file: Path) -> Path:
    """The recipe for the machine of the test, on which times are measured."""
    file.write_text(file.read_text().replace("device: edge", "device: cpu"))
    return file


def chain(folder: Path, task: str, model: Path, data: Path, epochs: int, training: str = "") -> advisor.RunResult:
    """Fine-tuned, then resumed with all other steps: what was done is not done again."""
    first = run(perceived.recipe(folder, task, model, data, FIRST.format(epochs), training), folder / "run")
    weights = (folder / "run/steps/0-finetune/model.safetensors").stat().st_mtime_ns
    file = perceived.recipe(folder, task, model, data, FIRST.format(epochs) + REST, training)
    whole = run(file, folder / "run", resume=True)
    assert (folder / "run/steps/0-finetune/model.safetensors").stat().st_mtime_ns == weights
    assert whole.steps[0].metrics == first.steps[0].metrics
    assert whole.task == task and set(whole.steps[-1].metrics) == {"accuracy", "f1", "matthews"}
    assert whole.eval_samples == 60 and whole.steps[0].accuracy > 0.9 and whole.steps[-1].relative_accuracy.interval
    assert all(step.parameters == step.predicted_parameters for step in whole.steps)
    return whole


def honest(out: Path, data: Path) -> None:
    """Every number of the report follows from the folder, also when all models answer all rows again."""
    now = datetime.now(UTC)
    found, _ = examine(out, Terms(core(), Waiving(now.date()), data=str(data), rescore=True), now)
    assert [str(one) for one in found if one.rule in (DATA, LOADS, RECOMPUTED)] == []


def test_images_are_classified(tmp_path: Path) -> None:
    data = perceived.in_splits(perceived.images, tmp_path / "images")
    result = chain(tmp_path, "image-classification", perceived.vit(tmp_path / "model"), data, 6, ", image_size: 12")
    assert result.steps[-1].artefact and result.steps[-1].artefact.kind == "onnx"
    honest(tmp_path / "run", data)
    assert "AutoModelForImageClassification" in (tmp_path / "run/README.md").read_text()
    for step in ("finetune", None):
        predict = advisor.load(tmp_path / "run", step=step)
        file = data / "test/red/0.png"
        answers = predict([str(file), file, file.read_bytes(), Image.open(file)])
        assert predict.labels == ("blue", "green", "red") and len(answers) == 4
        assert len({one.label for one in answers}) == 1
        assert sum(answers[0].probabilities.values()) == pytest.approx(1)


def test_sounds_are_classified(tmp_path: Path) -> None:
    data = perceived.in_splits(perceived.sounds, tmp_path / "sounds")
    result = chain(tmp_path, "audio-classification", perceived.whisper(tmp_path / "model"), data, 8)
    notes = " ".join(result.notes)
    assert "168 sounds have 8,000 samples a second and are resampled to 16,000" in notes
    assert "sounds are cut at 1 s, which 100.0% of" in notes  # the model was made for 2 seconds
    honest(tmp_path / "run", data)
    predict = advisor.load(tmp_path / "run")
    file = data / "test/high/0.wav"
    one, other = predict([file, file.read_bytes()])
    assert one == other and predict.labels == ("high", "low", "middle")


def test_speech_is_recognized(tmp_path: Path) -> None:
    data, model = perceived.in_splits(perceived.speech, tmp_path / "speech", 8), perceived.whisper(tmp_path / "model")
    steps = FIRST.format(10) + "  - layer_removal: {decoder_keep: 1}\n"
    steps += "  - distillation: {epochs: 2, learning_rate: 2.0e-3}\n"
    training = ", max_seconds: 1, max_new_tokens: 12"
    result = run(
        perceived.recipe(tmp_path, "automatic-speech-recognition", model, data, steps, training), tmp_path / "run"
    )
    assert [step.metric for step in result.steps] == ["word_accuracy"] * 3
    assert result.eval_samples == 24 and result.steps[0].accuracy > 0.8  # one text for all would have a third
    assert result.steps[-1].relative_accuracy.interval
    assert all(step.parameters == step.predicted_parameters for step in result.steps)
    assert "1 - WER of jiwer" in " ".join(result.notes)
    honest(tmp_path / "run", data)
    answers = advisor.load(tmp_path / "run", step="finetune")([data / "test/high/0.wav", data / "test/low/1.wav"])
    assert [one.text for one in answers] == [perceived.SAID["high"], perceived.SAID["low"]]


@pytest.mark.parametrize(
    ("task", "model", "more", "said"),
    [
        ("text-classification", "vit", "", "text-classification cannot be run with vit"),
        ("image-classification", "bert", "", "image-classification cannot be run with bert"),
        ("image-classification", "vit", ", image_size: 13", "cannot be divided into patches of 4"),
        ("audio-classification", "whisper", ", max_seconds: 3", "at most 2 seconds, not 3"),
        ("automatic-speech-recognition", "whisper", ", max_new_tokens: 29", "texts of at most 28 tokens, not 29"),
    ],
)
def test_what_a_model_cannot_read_is_refused(task: str, model: str, more: str, said: str, tmp_path: Path) -> None:
    made = {"vit": perceived.vit, "whisper": perceived.whisper, "bert": lambda folder: tiny.checkpoint("bert", folder)}
    data = {"audio": perceived.sounds, "autom": perceived.speech}.get(task[:5], perceived.images)
    steps = FIRST.format(1)
    file = perceived.recipe(tmp_path, task, made[model](tmp_path / "model"), data(tmp_path / "data"), steps, more)
    if task == "text-classification":
        rows = tiny.write_rows(tmp_path / "texts")
        file.write_text(file.read_text().replace(str(tmp_path / "data"), str(rows)))
    with pytest.raises(AdviseError, match=said) as refused:
        run(file, tmp_path / "run")
    assert refused.value.exit_code in (1, 2) and not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("task", ["image-classification", "audio-classification"])
@pytest.mark.parametrize(("backend", "kind"), [("openvino", "openvino"), ("pytorch", "torch-int8")])
def test_other_backends_make_int8_of_classifiers(backend: str, kind: str, task: str, tmp_path: Path) -> None:
    if backend == "openvino":
        pytest.importorskip("nncf")
    if task == "image-classification":
        data, model = perceived.images(tmp_path / "data"), perceived.vit(tmp_path / "model")
    else:
        data, model = perceived.sounds(tmp_path / "data"), perceived.whisper(tmp_path / "model")
    steps = FIRST.format(6) + f"  - quantization: {{min_relative_accuracy: 0.5, backend: {backend}}}\n"
    fine, int8 = run(perceived.recipe(tmp_path, task, model, data, steps), tmp_path / "run").steps
    assert int8.artefact and int8.artefact.kind == kind and fine.accuracy > 0.8
    assert int8.accuracy == pytest.approx(fine.accuracy, abs=0.1)
    assert int8.fp32_difference is not None and 0 < int8.fp32_difference < 0.05
    honest(tmp_path / "run", data)
    file = min(data.rglob("*.*"))
    assert advisor.load(tmp_path / "run")([file])[0].label == file.parent.name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "files"),
    [
        ("onnxruntime", {"onnx/encoder_quantized.onnx", "onnx/model_quantized.onnx"}),
        ("pytorch", {"int8.safetensors"}),
    ],
)
def test_speech_is_recognized_in_int8(backend: str, files: set[str], tmp_path: Path) -> None:
    """The fine-tuned model as int8 by resuming the run; what it writes, its folder, and that the run can be trusted."""
    data, model = perceived.speech(tmp_path / "speech"), perceived.whisper(tmp_path / "model")
    task, training = "automatic-speech-recognition", ", max_seconds: 1, max_new_tokens: 12"
    only = FIRST.format(10)
    first = run(here(perceived.recipe(tmp_path, task, model, data, only, training)), tmp_path / "run")
    steps = only + f"  - quantization: {{min_relative_accuracy: 0.5, backend: {backend}}}\n"
    whole = run(here(perceived.recipe(tmp_path, task, model, data, steps, training)), tmp_path / "run", resume=True)
    assert whole.steps[0].metrics == first.steps[0].metrics
    fine, int8 = whole.steps
    assert int8.metric == "word_accuracy" and int8.accuracy == pytest.approx(fine.accuracy, abs=0.05)
    assert int8.fp32_difference is not None and 0 < int8.fp32_difference < 0.05
    assert any("of the tokens of the selection rows" in note for note in int8.notes)
    (runtime,) = whole.fp32_in_runtime
    assert (runtime.step, runtime.runtime) == ("finetune", TITLES[backend])
    assert runtime.served.throughput.value
    folder = tmp_path / "run/steps/1-quantization"
    found = {file.relative_to(folder).as_posix() for file in folder.rglob("*.*")}
    assert files | {"config.json", "generation_config.json", "preprocessor_config.json"} < found
    honest(tmp_path / "run", data)
    file = data / "high/0.wav"
    one, other = advisor.load(tmp_path / "run")([file, file.read_bytes()])
    assert one == other and one.text == perceived.SAID["high"]


def test_int8_of_speech_is_refused_by_openvino(tmp_path: Path) -> None:
    steps = FIRST.format(1) + "  - quantization: {backend: openvino}\n"
    data, model = perceived.speech(tmp_path / "speech", each=4), perceived.whisper(tmp_path / "model")
    file = perceived.recipe(tmp_path, "automatic-speech-recognition", model, data, steps)
    said = "openvino cannot serve automatic-speech-recognition: a model that writes is served by onnxruntime or pytorch"
    with pytest.raises(AdviseError, match=said):
        run(file, tmp_path / "run")


def test_a_file_that_is_no_image_ends_the_command_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = perceived.images(tmp_path / "data", each=4)
    (data / "red/2.png").write_bytes(b"not an image")
    file = perceived.recipe(tmp_path, "image-classification", perceived.vit(tmp_path / "model"), data, FIRST.format(1))
    assert main(["run", str(file), "--out", str(tmp_path / "run")]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "1 of 12 rows have no readable image in column 'image'" in told
    assert "the first is row 11 (red/2.png): it is no image" in told
    assert not (tmp_path / "run").exists()


def test_images_that_memory_does_not_hold_are_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "meminfo").write_text("MemAvailable:   4000000 kB\n")
    monkeypatch.setattr("advisor.execution.memory.MEMINFO", tmp_path / "meminfo")
    data, model = perceived.images(tmp_path / "data", each=12), perceived.vit(tmp_path / "model")
    file = perceived.recipe(tmp_path, "image-classification", model, data, FIRST.format(1), ", image_size: 2048")
    assert main(["run", str(file), "--out", str(tmp_path / "run")]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "not enough memory for batches of 16 images of 2048 pixels: it takes at least" in told
    assert "lower batch_size or image_size" in told and not (tmp_path / "run").exists()


@pytest.mark.slow
def test_deit_is_classified_and_its_int8_runs_in_pytorch(tmp_path: Path) -> None:
    data, model = perceived.images(tmp_path / "images"), perceived.vit(tmp_path / "model", "deit")
    steps = FIRST.format(6) + "  - quantization: {min_relative_accuracy: 0.5, backend: pytorch}\n"
    file = perceived.recipe(tmp_path, "image-classification", model, data, steps, ", image_size: 24")
    result = run(file, tmp_path / "run")
    assert result.steps[0].accuracy > 0.8
    assert result.steps[-1].artefact and result.steps[-1].artefact.kind == "torch-int8"
    honest(tmp_path / "run", data)
