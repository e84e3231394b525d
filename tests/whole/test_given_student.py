"""A teacher is distilled into a given student: another architecture, with a tokenizer of its own, through all steps."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import perceived
import pytest
import tiny
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import advisor
from advisor.cli import main

pytestmark = pytest.mark.slow

RECIPE = """\
version: 1
name: given
model: {source: model}
data: {source: text}
device: cpu
goal: {relative_accuracy: ">= 0.05"}
steps:
  - finetune: {epochs: 1, learning_rate: 2.0e-3}
  - distillation: {student: student, epochs: 2, learning_rate: 2.0e-3}
  - quantization: {}
training: {batch_size: 32, max_tokens: 24, joined_texts: 20}
"""


def other_tokenizer(folder: Path) -> None:
    """Give a checkpoint a tokenizer of single bytes, whose tokens are never those of `tiny`."""
    file = folder / "tokenizer.json"
    found = json.loads(file.read_text())
    found["model"]["merges"] = []
    file.write_text(json.dumps(found))


def prepared(folder: Path, text: Path) -> Path:
    """A recipe beside its data, a BERT, and a DistilBERT as narrow as half of it."""
    tiny.checkpoint("bert", folder / "model")
    tiny.checkpoint("distilbert", folder / "student", n_layers=2, dim=24, hidden_dim=48)
    other_tokenizer(folder / "student")
    shutil.copytree(text, folder / "text")
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder / "recipe.yaml"


def run(recipe: Path, *more: str) -> int:
    out = recipe.parent / "out"
    return main(["run", str(recipe), "--out", str(out), "--no-ledger", "--measure-seconds", "0.2", *more])


@pytest.fixture(scope="module")
def ran(text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run, with the recipe, its model, student and data beside it."""
    recipe = prepared(tmp_path_factory.mktemp("given"), text)
    assert run(recipe) in (0, 4)  # few report rows verify nothing
    return recipe.parent / "out"


def test_the_artefact_is_the_student_with_its_own_tokenizer(ran: Path) -> None:
    report = json.loads((ran / "report.json").read_text())
    teacher, student, int8 = report["steps"]
    assert [one["words"] for one in report["steps"]] == ["fine-tuned", "distilled into student", "int8"]
    model = AutoModelForSequenceClassification.from_pretrained(ran / student["path"])
    assert model.config.model_type == "distilbert"
    assert model.num_parameters() == student["parameters"] == student["predicted_parameters"] < teacher["parameters"]
    kept = AutoTokenizer.from_pretrained(ran / int8["path"])
    assert kept("a text")["input_ids"] == AutoTokenizer.from_pretrained(ran.parent / "student")("a text")["input_ids"]
    assert len(kept("a text")["input_ids"]) > 5
    assert student["relative_size"] < 1 and student["served"]["latency_ms"]["value"] > 0
    assert any("other tokens" in note and "hidden states were not compared" in note for note in student["notes"])
    assert "distilled into student" in (ran / "README.md").read_text()
    assert str(ran.parent) not in (ran / "README.md").read_text()


def test_it_has_learned_from_its_teacher(ran: Path) -> None:
    was, now = (
        load_file(folder / "model.safetensors") for folder in (ran.parent / "student", ran / "steps/1-distillation")
    )
    name = "transformer.layer.0.ffn.lin1.weight"
    assert not was[name].equal(now[f"distilbert.{name}"])


def test_every_model_of_the_run_loads_and_answers(ran: Path) -> None:
    report = json.loads((ran / "report.json").read_text())
    recorded = json.loads((ran / "predictions.json").read_text()) if (ran / "predictions.json").exists() else None
    assert recorded is None or recorded["scores"].keys() == {one["name"] for one in report["steps"]}
    for step in ("finetune", "distillation", "quantization"):
        assert sum(advisor.load(ran, step=step)(["a text"])[0].probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_the_gate_understands_it(ran: Path) -> None:
    found = [one for one in advisor.gate(ran, rescore=str(ran.parent / "text")) if one.severity == "error"]
    assert {one.rule for one in found} <= {"gate-enough", "gate-numbers"}  # few rows; no better than one answer


def test_it_resumes_and_starts_over_where_the_student_changed(
    ran: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(ran.parent, folder)
    assert run(folder / "recipe.yaml", "--resume") in (0, 4)
    assert "nothing has changed" in capsys.readouterr().err  # a student counts by its content, not by its place
    tiny.tamper(folder / "student", lambda tensors: tensors["embeddings.word_embeddings.weight"].mul_(0.5))
    run(folder / "recipe.yaml", "--resume")
    said = capsys.readouterr().err
    assert "fine-tuned: reused" in said
    assert "it is repeated because the model before it changed" in said


def test_hidden_states_are_compared_where_it_is_as_wide_and_reads_the_same_tokens(text: Path, tmp_path: Path) -> None:
    """They change what it learns, though it is of another class than its teacher."""
    tiny.checkpoint("bert", tmp_path / "model")
    tiny.checkpoint("distilbert", tmp_path / "student", n_layers=2)
    shutil.copytree(text, tmp_path / "text")
    plain, learned = RECIPE.replace("  - quantization: {}\n", "").replace("device: cpu", "device: edge"), []
    for weight in (10.0, 0.0):
        (tmp_path / "recipe.yaml").write_text(
            plain.replace("{student: student", f"{{student: student, hidden_weight: {weight}")
        )
        out = tmp_path / f"out-{weight:g}"
        assert main(["run", str(tmp_path / "recipe.yaml"), "--out", str(out), "--no-ledger"]) in (0, 4)
        step = json.loads((out / "report.json").read_text())["steps"][-1]
        assert not any("not compared" in note for note in step["notes"])
        learned.append(
            load_file(out / step["path"] / "model.safetensors")["distilbert.transformer.layer.0.ffn.lin1.weight"]
        )
    assert not learned[0].equal(learned[1])


def test_a_student_of_images_is_made_for_the_same_size_and_may_have_other_patches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    perceived.images(Path("img"), each=12)
    perceived.vit(Path("model"))
    perceived.vit(Path("student"), num_hidden_layers=1, patch_size=8)
    own = "data: {source: img, task: image-classification}"
    text = RECIPE.replace("data: {source: text}", own).replace("  - quantization: {}\n", "")
    for side, said in ((8, "hidden states were not compared"), (12, "cannot be divided into patches of 8")):
        Path("recipe.yaml").write_text(text.replace("max_tokens: 24, joined_texts: 20", f"image_size: {side}"))
        code = main(["run", "recipe.yaml", "--out", f"run-{side}", "--measure-seconds", "0.1"])
        told = capsys.readouterr()
        assert said in " ".join((told.out + told.err).split()) and (code == 2) == (side == 12)
    config = json.loads(Path("run-8/steps/1-distillation/config.json").read_text())
    assert (config["image_size"], config["patch_size"]) == (8, 8)
