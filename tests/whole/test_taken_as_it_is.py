"""A model that was fine-tuned before is taken as baseline and teacher as it is, or refused; never with a new head."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import perceived
import pytest
import spans
import students
import tiny
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForSpeechSeq2Seq,
    AutoModelForTokenClassification,
)

from advisor.cli import main
from advisor.compute.structure.head import renumber
from advisor.compute.tasks.scorer import Scorer
from advisor.facts.tasks import WRITERS

RECIPE = """\
version: 1
name: taken
model: {source: model}
data: {source: text}
device: edge
goal: {relative_accuracy: ">= 0.05"}
steps:
  - finetune: {epochs: 0}
"""
MORE = "  - distillation: {student: student, epochs: 1, learning_rate: 2.0e-3}\n"
TRAINING = "training: {batch_size: 64, max_tokens: 24, joined_texts: 0}\n"


def prepared(folder: Path, text: Path, more: str = "", **config: Any) -> Path:
    """A recipe beside its data and a BERT with a head for two labels, whose config says this."""
    tiny.checkpoint("bert", folder / "model")
    torch.manual_seed(1)
    model = AutoModelForSequenceClassification.from_pretrained(folder / "model", num_labels=2)
    model.classifier.weight.data *= 20
    model.save_pretrained(folder / "model")
    tiny.configure(folder / "model", **config)
    shutil.copytree(text, folder / "text")
    (folder / "recipe.yaml").write_text(RECIPE + more + TRAINING)
    return folder / "recipe.yaml"


def run(recipe: Path) -> int:
    return main(["run", str(recipe), "--out", str(recipe.parent / "out"), "--no-ledger"])


def named(*names: str) -> dict[str, Any]:
    return {"id2label": {str(place): name for place, name in enumerate(names)}}


def test_it_is_the_teacher_of_a_given_student_and_nothing_is_trained_before(text: Path, tmp_path: Path) -> None:
    """Its labels are named in another order than the data's: asyncio, email."""
    recipe = prepared(tmp_path, text, MORE, **named("Email", "asyncio"))
    tiny.checkpoint("distilbert", tmp_path / "student", n_layers=2, dim=24, hidden_dim=48)
    assert run(recipe) in (0, 4)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    teacher, student = report["steps"]
    assert (teacher["words"], student["words"]) == ("taken as it is", "distilled into student")
    assert "its labels are matched by name and numbered as the data's" in teacher["notes"]
    was, now = (load_file(one / "model.safetensors") for one in (tmp_path / "model", tmp_path / "out/steps/0-finetune"))
    assert was.keys() == now.keys()
    for name, tensor in was.items():
        assert torch.equal(tensor.flip(0) if name.startswith("classifier") else tensor, now[name]), name
    assert student["relative_size"] < 1
    assert any("24 wide and the teacher's 48" in note for note in student["notes"])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (named("bad", "good"), "its labels are bad, good, those of the data asyncio, email"),
        (named("a", "b", "c"), "its head has 3 labels, the data have 2 labels"),
        ({"architectures": ["BertModel"]}, "its config names no classification head"),
    ],
)
def test_a_model_with_other_labels_is_refused_before_its_weights_are_read(
    config: dict[str, Any], message: str, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = prepared(tmp_path, text, **config)
    (tmp_path / "model" / "model.safetensors").write_bytes(b"not read")
    assert run(recipe) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"cannot be taken as it is (epochs: 0): {message}" in said and "recipe.yaml:8:24" in said
    assert not (tmp_path / "out").exists()


def test_a_head_whose_weights_are_missing_is_refused(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = prepared(tmp_path, text)
    tiny.tamper(tmp_path / "model", lambda tensors: tensors.pop("classifier.weight"))
    assert run(recipe) == 2
    assert "it has not been trained for these labels: missing is classifier.weight" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["bert", "gpt2", "opt", "roberta", "distilbert"])
def test_a_renumbered_head_gives_the_same_answers_under_other_numbers(name: str) -> None:
    torch.manual_seed(0)
    scorer: Scorer = Scorer(students.model(name, num_labels=3)).eval()
    for tensor in scorer.model.parameters():
        tensor.data.normal_(std=0.2)
    was = students.scores(scorer, "bert")
    renumber(scorer, students.family(name), (2, 0, 1))
    torch.testing.assert_close(students.scores(scorer, "bert"), was[:, [2, 0, 1]])
    assert (was[:, 0] - was[:, 1]).abs().min() > 0.01


def tagger(folder: Path) -> dict[str, Tensor]:
    """Tags in another order than the data's, whose O is the first, and then B before I of each kind."""
    tiny.checkpoint("bert", folder)
    tags = dict(enumerate(("I-PER", "B-PER", "O", "B-LOC")))
    return saved(AutoModelForTokenClassification.from_pretrained(folder, id2label=tags, num_labels=4), folder)


def answerer(folder: Path) -> dict[str, Tensor]:
    tiny.checkpoint("bert", folder)
    return saved(AutoModelForQuestionAnswering.from_pretrained(folder), folder)


def language_model(folder: Path) -> dict[str, Tensor]:
    tiny.checkpoint("gpt2", folder)
    return saved(AutoModelForCausalLM.from_pretrained(folder), folder)


def summarizer(folder: Path) -> dict[str, Tensor]:
    return load_file(tiny.writer(folder) / "model.safetensors")


def listener(folder: Path) -> dict[str, Tensor]:
    perceived.whisper(folder)
    return saved(AutoModelForSpeechSeq2Seq.from_pretrained(folder), folder)


def bart(folder: Path) -> dict[str, Tensor]:
    tiny.checkpoint("bart", folder)
    swapped = {0: "email", 1: "asyncio"}
    return saved(AutoModelForSequenceClassification.from_pretrained(folder, id2label=swapped), folder)


def saved(model: Any, folder: Path) -> dict[str, Tensor]:
    """The weights, which tell one label from another."""
    for name, tensor in model.named_parameters():
        if name.startswith(("classifier", "qa_outputs", "classification_head")):
            tensor.data.normal_()
    model.save_pretrained(folder)
    return load_file(folder / "model.safetensors")


SUMMARIES = [{"document": row["text"], "summary": f"about {row['label']}"} for row in tiny.docstrings()]
TEXTS = [{"text": row["text"]} for row in tiny.docstrings()]


@pytest.mark.parametrize(
    ("task", "model", "rows", "moved"),
    [
        ("token-classification", tagger, spans.tagged, {"classifier": [2, 3, 1, 0]}),
        ("text-classification", bart, tiny.docstrings, {"classification_head.out_proj": [1, 0]}),
        ("question-answering", answerer, spans.asked, {}),
        ("text-generation", language_model, lambda: TEXTS, {}),
        pytest.param("summarization", summarizer, lambda: SUMMARIES, {}, marks=pytest.mark.slow),
        pytest.param("automatic-speech-recognition", listener, None, {}, marks=pytest.mark.slow),
    ],
)
def test_a_model_that_was_fine_tuned_for_another_task_is_taken(
    task: str, model: Callable[[Path], dict[str, Tensor]], rows: Callable[[], Any] | None, moved: Any, tmp_path: Path
) -> None:
    """moved: the rows of its head by the part's name, in the order in which the data number the labels."""
    was = model(tmp_path / "model")
    data = tmp_path / "text"
    if rows:
        tiny.write_rows(data, rows())
    else:
        perceived.in_splits(perceived.speech, data)
    training = TRAINING.replace("joined", "max_new_tokens: 10, joined") if task in WRITERS else TRAINING
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("source: text", f"source: text, task: {task}") + training)
    assert run(tmp_path / "recipe.yaml") in (0, 4)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["task"] == task and report["steps"][0]["words"] == "taken as it is"
    now = load_file(tmp_path / "out/steps/0-finetune/model.safetensors")
    assert was.keys() == now.keys()
    for name, tensor in was.items():
        order = next((order for part, order in moved.items() if name.startswith(part)), slice(None))
        assert torch.equal(tensor[order], now[name]), name
    said = any("matched by name and numbered as the data's" in note for note in report["steps"][0]["notes"])
    assert said == bool(moved)


@pytest.mark.parametrize(
    ("task", "model_type", "expected"),
    [
        ("text-generation", "gpt2", "names no GPT2LMHeadModel (architectures)"),
        ("summarization", "t5", "names no T5ForConditionalGeneration (architectures)"),
        ("token-classification", "bert", "names no BertForTokenClassification (architectures)"),
        ("question-answering", "bert", "names no BertForQuestionAnswering (architectures)"),
        ("text-classification", "bart", "names no classification head (architectures)"),
        ("text-classification", "t5", "names no labels (id2label)"),
    ],
)
def test_a_model_without_the_task_s_head_is_found_by_check(
    task: str, model_type: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not because of a shape that its config could not express."""
    tiny.checkpoint(model_type, tmp_path / "model")
    named = {
        "architectures": ["OtherModel"],
        "id2label": {"0": "asyncio", "1": "email"} if model_type == "bart" else {},
    }
    tiny.configure(tmp_path / "model", **named)
    text = RECIPE.replace("source: text", f"samples: 3000, task: {task}").replace("source: model", "source: ./model")
    (tmp_path / "recipe.yaml").write_text(text)
    assert main(["check", str(tmp_path / "recipe.yaml")]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert f"0 epochs take the model as it is, but its config {expected}: fine-tune it" in said
    assert "Baseline and teacher have to do the task already" in said
