"""Models that write, end to end: fine-tuned, made smaller, distilled, judged by their task, gated, loaded, resumed."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

import advisor
from advisor.cli import main

SMALL = {"num_layers": 2, "num_decoder_layers": 2, "d_model": 32, "num_heads": 2, "d_kv": 16, "d_ff": 64}
INT8 = "  - quantization: {backend: onnxruntime, min_relative_accuracy: 0}\n"
WAIVED = (
    "t5-small-data-no-prune",
    "small-data-few-layers",
    "language-model-depth",
    "int8-gate",
)


def recipe(folder: Path, task: str, steps: str, more: str = "") -> Path:
    file, until = folder / "recipe.yaml", date.today() + timedelta(days=30)
    waivers = "".join(f"  - {{rule: {rule}, reason: a test, owner: test, until: {until}}}\n" for rule in WAIVED)
    file.write_text(
        f"version: 1\nname: {task}\nmodel: {{source: gone}}\ndevice: edge\ndata: {{task: {task}{more}}}\n"
        f"goal: {{relative_accuracy: '>= 0.3'}}\nsteps:\n{steps}waivers:\n{waivers}"
        "training: {batch_size: 16, max_tokens: 16, max_new_tokens: 10}\n"
    )
    return file


def run(file: Path, model: Path, data: Path, *more: str) -> tuple[int, dict[str, Any]]:
    out = file.parent / "out"
    arguments = ["--model", str(model), "--data", str(data), "--out", str(out), "--no-ledger", *more]
    code = main(["run", str(file), *arguments])
    return code, json.loads((out / "report.json").read_text()) if (out / "report.json").exists() else {}


@pytest.fixture(scope="module")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gpt2")
    torch.manual_seed(0)
    sizes = {**tiny.SIZES["gpt2"], "n_layer": 2, "n_embd": 32, "n_inner": 64}
    config = AutoConfig.for_model("gpt2", vocab_size=tiny.VOCABULARY, pad_token_id=0, **sizes)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tiny.tokenizer("gpt2").save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def text_to_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.writer(tmp_path_factory.mktemp("t5"), **SMALL)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plain text, one docstring a line."""
    folder = tmp_path_factory.mktemp("corpus")
    lines = [" ".join(row["text"].split()) + "\n" for row in tiny.docstrings()]
    first, second = len(lines) * 6 // 10, len(lines) * 8 // 10
    for name, part in (("train", lines[:first]), ("validation", lines[first:second]), ("test", lines[second:])):
        (folder / f"{name}.txt").write_text("".join(part))
    return folder


@pytest.fixture(scope="module")
def summaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Docstrings, and a sentence that says which package they are from."""
    rows = [{"document": row["text"], "summary": f"about {row['label']}"} for row in tiny.docstrings()]
    return tiny.write_rows(tmp_path_factory.mktemp("summaries"), rows)


def test_a_language_model_from_its_corpus_to_a_gate(language_model: Path, corpus: Path, tmp_path: Path) -> None:
    steps = "  - finetune: {epochs: 1, learning_rate: 1.0e-2}\n  - layer_removal: {keep: 1}\n"
    steps += "  - distillation: {epochs: 1, learning_rate: 5.0e-3}\n"
    file = recipe(tmp_path, "text-generation", steps + INT8)
    code, report = run(file, language_model, corpus, "--track", "tensorboard")
    assert code == 0 and report["task"] == "text-generation"
    out = tmp_path / "out"
    for step in report["steps"]:
        assert step["parameters"] == step["predicted_parameters"]
        assert step["metrics"]["bits_saved_per_byte"] == pytest.approx(8 - step["metrics"]["bits_per_byte"])
        assert 0 < step["above_constant"]["value"] == pytest.approx(step["accuracy"])  # a constant saves nothing
    first, _, last, int8 = report["steps"]
    assert first["metrics"]["bits_per_byte"] < 5.5  # 8.6 bits a token of 1.5 bytes before it has learnt anything
    low, high = last["relative_accuracy"]["interval"]
    assert low <= last["relative_accuracy"]["value"] <= high
    assert "stride of 8" in report["notes"][0]
    assert "bits_saved_per_byte" in (out / "README.md").read_text()
    assert "AutoModelForCausalLM" in (out / "README.md").read_text()
    near_its_source(int8, last, "bits_per_byte", 0.02)
    predict = advisor.load(out, step="distillation")
    answers = predict(["Return the", "Return the message, which is longer than the other one"])
    kept = json.loads((out / "predictions.json").read_text())["scores"]["distillation"]
    rows = json.loads((out / "answers.json").read_text())["rows"]
    bits, size = kept[0]
    assert predict([rows[0]["text"]])[0].bits_per_byte == pytest.approx(bits / size, rel=1e-4)
    alone = predict(["Return the"])[0]
    assert answers[0].text == alone.text and answers[0].bits_per_byte == pytest.approx(alone.bits_per_byte, rel=1e-4)
    assert list((out / "tracking").glob("events.out.tfevents.*"))
    continued = advisor.load(out)(["Return the"])[0]  # by int8
    assert continued.text and continued.bits_per_byte == pytest.approx(alone.bits_per_byte, rel=0.1)
    assert not refused(out, corpus)


def near_its_source(int8: dict[str, Any], before: dict[str, Any], metric: str, within: float) -> None:
    """An int8 model of ONNX Runtime, judged by its task's metric and compared by the probabilities of tokens."""
    assert int8["artefact"]["kind"] == "onnx"
    assert int8["metrics"][metric] == pytest.approx(before["metrics"][metric], abs=within)
    assert 0 < int8["fp32_difference"] < 0.05
    assert any("of the tokens of the selection rows" in note for note in int8["notes"])
    assert any("of the time of fp32 in PyTorch" in note for note in int8["notes"])


def refused(out: Path, data: Path) -> list[str]:
    """Why a gate refuses the run, but for what makes it quick: few rows and no measurement."""
    found = advisor.gate(out, data=data)
    allowed = ("cannot verify", "not measured", "edge")
    return [
        one.message
        for one in found
        if one.severity == "error" and one.counts and not any(word in one.message for word in allowed)
    ]


def test_a_text_to_text_model_from_its_texts_to_a_gate(text_to_text: Path, summaries: Path, tmp_path: Path) -> None:
    steps = "  - finetune: {epochs: 7, learning_rate: 1.0e-2}\n  - layer_removal: {decoder_keep: 1}\n"
    steps += "  - distillation: {epochs: 2, learning_rate: 5.0e-3}\n"
    file = recipe(tmp_path, "summarization", steps + INT8, ', prefix: "summarize: "')
    _, report = run(file, text_to_text, summaries)
    out = tmp_path / "out"
    assert report["task"] == "summarization" and report["steps"][0]["metric"] == "rouge_l"
    near_its_source(*report["steps"][:1:-1], "rouge_l", 0.05)
    for step in report["steps"]:
        assert step["parameters"] == step["predicted_parameters"]
        assert set(step["metrics"]) == {"rouge_l", "rouge_1", "rouge_2", "length_ratio"}
    curve = report["steps"][0]["diagnostics"]["curve"]
    assert curve["chosen_by"] == "loss" and curve["points"][-1]["epoch"] == 7
    assert curve["points"][-1]["loss"] < curve["points"][0]["loss"]
    shown = report["steps"][-1]["diagnostics"]["changed"]["examples"]
    assert shown and all(one["before"].startswith("about") and one["before"] != one["after"] for one in shown)
    assert report["steps"][0]["accuracy"] > 0.45  # half of each summary is the same word; untrained it scores 0
    assert "'summarize: '" in report["notes"][0] and "epochs are chosen by the loss" in report["notes"][0]
    for step in ("finetune", "quantization"):
        texts = [answer.text for answer in advisor.load(out, step=step)(["Parse a message", "Run the event loop"])]
        assert all(text.strip().startswith("about") for text in texts)
    assert not refused(out, summaries)


@pytest.mark.slow
def test_a_translation_is_judged_by_its_corpus_and_resumed(
    text_to_text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = {"asyncio": "warten", "email": "Brief"}
    rows: list[dict[str, Any]] = [
        {"translation": {"en": row["text"], "de": f"ein {words[row['label']]} und ein {words[row['label']]}"}}
        for row in tiny.docstrings()
    ]
    data = tiny.write_rows(tmp_path / "data", rows)
    steps = "  - finetune: {epochs: 7, learning_rate: 1.0e-2}\n"
    file = recipe(tmp_path, "translation", steps)
    _, report = run(file, text_to_text, data)
    assert report["steps"][0]["metric"] == "bleu" and "nrefs:1" in report["notes"][0]
    assert report["steps"][0]["accuracy"] > 10
    file.write_text(file.read_text().replace("waivers", "  - distillation: {epochs: 1}\nwaivers"))
    _, again = run(file, text_to_text, data, "--resume")
    assert "fine-tuned: reused" in capsys.readouterr().err
    assert again["steps"][0]["metrics"] == report["steps"][0]["metrics"]


def writer(family: str, folder: Path) -> Path:
    """A tiny model of a family that writes; mBART has its own tokenizer, which marks languages."""
    torch.manual_seed(0)
    own = tiny.multilingual_tokenizer() if family == "mbart" else tiny.tokenizer("bart")
    small = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64}
    sizes = {**tiny.SIZES["t5"], **SMALL} if family == "mt5" else {**tiny.TWO_STACKS, **small, "init_std": 0.2}
    start = own.eos_token_id if family in ("bart", "mbart") else own.pad_token_id
    sizes |= {"pad_token_id": own.pad_token_id, "eos_token_id": own.eos_token_id, "bos_token_id": own.eos_token_id}
    config = AutoConfig.for_model(family, vocab_size=len(own), **{**sizes, "decoder_start_token_id": start})
    AutoModelForSeq2SeqLM.from_config(config).save_pretrained(folder)
    own.save_pretrained(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("family", ["bart", "mbart", "mt5", "pegasus"])
def test_other_families_write_too(family: str, summaries: Path, tmp_path: Path) -> None:
    """Fine-tuned, half of the decoder removed, distilled, loaded and asked."""
    model = writer(family, tmp_path / "model")
    task = "summarization" if family in ("bart", "pegasus") else "translation"
    steps = "  - finetune: {epochs: 7, learning_rate: 1.0e-2}\n  - layer_removal: {decoder_keep: 1}\n"
    steps += "  - distillation: {epochs: 2, learning_rate: 5.0e-3}\n"
    languages = ", source_lang: en_XX, target_lang: de_DE" if family == "mbart" else ""
    _, report = run(recipe(tmp_path, task, steps, f", text: document, label: summary{languages}"), model, summaries)
    assert [step["parameters"] for step in report["steps"]] == [one["predicted_parameters"] for one in report["steps"]]
    predict = advisor.load(tmp_path / "out", step="finetune")
    texts = [answer.text.strip() for answer in predict(["Parse a message", "Run the event loop"])]
    assert all(text.startswith("about") for text in texts)
    assert not refused(tmp_path / "out", summaries)


def test_what_cannot_be_run_is_refused_before_weights_are_read(
    language_model: Path, text_to_text: Path, corpus: Path, summaries: Path, tmp_path: Path, capsys: Any
) -> None:
    only = "  - finetune: {}\n"
    for task, model, data, steps, said in (
        ("summarization", language_model, summaries, only, "summarization cannot be done with this model"),
        ("text-generation", text_to_text, corpus, only, "text-generation cannot be done with this model"),
        (
            *("text-generation", language_model, corpus, only + "  - quantization: {backend: openvino}\n"),
            "openvino cannot serve text-generation: a model that writes is served by onnxruntime or pytorch",
        ),
    ):
        assert run(recipe(tmp_path, task, steps), model, data) == (2, {})
        assert said in capsys.readouterr().err
    assert run(recipe(tmp_path, "text-generation", only, ", metric: bits_per_byte"), language_model, corpus)[0] == 2
    assert "one of bits_saved_per_byte" in capsys.readouterr().err
