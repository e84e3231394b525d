"""Tasks whose quick chains leave something out: fine-tuned, resumed with every other step, gated and loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from packs import open_pack
from transformers import AutoConfig, AutoModelForCausalLM

import advisor
from advisor.cli import main
from advisor.report.escape import escaped

pytestmark = pytest.mark.slow

FIRST = "  - finetune: {{epochs: {epochs}, learning_rate: 5.0e-3}}\n"
REST = """\
  - layer_removal: {{{layers}}}
  - distillation: {{epochs: 2, learning_rate: 2.0e-3}}
  - matrix_pruning: {{intermediate_size: 48, increments: 1, epochs: 1, learning_rate: 1.0e-3}}
  - quantization: {{backend: onnxruntime, min_relative_accuracy: 0}}
"""
Rows = list[dict[str, Any]]


def numbers() -> Rows:
    return [
        {"text": row["text"], "label": (row["label"] == "email") + len(row["text"].split()) / 20}
        for row in tiny.docstrings()
    ]


def several() -> Rows:
    long = [len(row["text"]) > 60 for row in tiny.docstrings()]
    return [
        {"text": row["text"], "labels": [row["label"], *(["long"] * one)]}
        for row, one in zip(tiny.docstrings(), long, strict=True)
    ]


def alone() -> Rows:
    return [{"text": row["text"]} for row in tiny.docstrings()]


def summaries() -> Rows:
    return [{"document": row["text"], "summary": f"about {row['label']}"} for row in tiny.docstrings()]


def translations() -> Rows:
    words = {"asyncio": "this one is about asyncio", "email": "that is all about email"}  # BLEU counts four in a row
    return [{"translation": {"en": row["text"], "de": words[row["label"]]}} for row in tiny.docstrings()]


def encoder(folder: Path) -> Path:
    return tiny.checkpoint("bert", folder)


def decoder(folder: Path) -> Path:
    torch.manual_seed(0)
    common = {"vocab_size": tiny.VOCABULARY, "pad_token_id": 0}
    AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", **common, **tiny.KIN["llama"])).save_pretrained(
        folder
    )
    tiny.tokenizer("llama").save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("task", "metric", "rows", "model", "layers", "epochs"),
    [
        ("text-classification", "pearson", numbers, encoder, "keep: 3", 6),
        ("text-classification", "micro_f1", several, encoder, "keep: 3", 6),
        ("text-generation", "bits_saved_per_byte", alone, decoder, "keep: 3", 1),
        ("summarization", "rouge_l", summaries, tiny.writer, "decoder_keep: 2", 7),
        ("translation", "bleu", translations, tiny.writer, "decoder_keep: 2", 7),
    ],
    ids=["regression", "several labels", "language model", "summaries", "translations"],
)
def test_a_task_is_carried_out_whole(  # noqa: PLR0913, PLR0917
    task: str, metric: str, rows: Callable[[], Rows], model: Callable[[Path], Path], layers: str, epochs: int,
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    data, out, pack = tiny.write_rows(tmp_path / "data", rows()), tmp_path / "out", open_pack(tmp_path / "pack")
    source, file = model(tmp_path / "model"), tmp_path / "recipe.yaml"
    written = "" if task == "text-classification" else ", max_new_tokens: 16"
    head = (
        f"version: 1\nname: whole\nmodel: {{source: {json.dumps(str(source))}}}\ndevice: edge\n"
        f"data: {{source: {json.dumps(str(data))}, task: {task}}}\ngoal: {{relative_accuracy: '>= 0.01'}}\n"
    )
    tail = f"training: {{batch_size: 16, max_tokens: 16, joined_texts: 0{written}}}\n"
    command = ["run", str(file), "--out", str(out), "--no-ledger", "--policy", str(pack), "--measure-seconds", "0.3"]

    first = FIRST.format(epochs=epochs)
    file.write_text(f"{head}steps:\n{first}{tail}")
    assert main(command) in (0, 4)
    before = json.loads((out / "report.json").read_text())["steps"][0]
    file.write_text(f"{head}steps:\n{first}{REST.format(layers=layers)}{tail}")
    assert main([*command, "--resume"]) in (0, 4)
    assert "fine-tuned: reused from the earlier run" in capsys.readouterr().err

    steps = json.loads((out / "report.json").read_text())["steps"]
    assert steps[0]["metrics"] == before["metrics"] and len(steps) == 5
    for step in steps:
        assert step["metric"] == metric and step["parameters"] == step["predicted_parameters"]
        assert advisor.load(out, step=step["name"])(["Return the message"])
    assert steps[0]["accuracy"] > 0 and steps[-1]["relative_accuracy"]["interval"]
    card = (out / "README.md").read_text()
    assert steps[-1]["artefact"]["kind"] == "onnx" and escaped(metric) in card
    found = advisor.gate(out, policy=str(pack), rescore=str(data))
    assert {one.rule for one in found if one.severity == "error"} <= {"gate-enough", "gate-numbers", "gate-device"}
