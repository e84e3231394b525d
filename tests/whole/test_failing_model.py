"""A model whose own code fails on its sizes is refused before a run begins, not with a traceback in training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny
from transformers import AutoConfig, AutoModel

from advisor.cli import main


def failing(folder: Path) -> Path:
    """A quarter of StableLM's heads of 12 turns by position: three channels, which go by no pairs."""
    sizes = {"hidden_size": 48, "num_attention_heads": 4, "num_key_value_heads": 4, "intermediate_size": 64}
    more = {"num_hidden_layers": 2, "vocab_size": tiny.VOCABULARY, "pad_token_id": 0}
    AutoModel.from_config(AutoConfig.for_model("stablelm", **sizes, **more)).save_pretrained(folder)
    tiny.tokenizer("llama").save_pretrained(folder)
    return folder


def recipe(folder: Path, model: Path, text: Path, steps: str) -> Path:
    file = folder / "recipe.yaml"
    file.write_text(
        f"version: 1\nname: fails\nmodel: {{source: {json.dumps(str(model))}}}\ndevice: cpu\n"
        f"data: {{source: {json.dumps(str(text))}, task: text-classification}}\nsteps:\n{steps}"
    )
    return file


def test_a_model_that_cannot_read_a_row_is_refused_before_anything_is_written(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out = failing(tmp_path / "model"), tmp_path / "out"
    file = recipe(tmp_path, model, text, "  - finetune: {epochs: 1}\n")
    assert main(["run", str(file), "--out", str(out), "--no-ledger"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert f"{model}: the model fails on a row: RuntimeError: The size of tensor a (3) must match" in told
    assert "see whether transformers runs it" in told
    assert not out.exists()


def test_a_given_student_that_cannot_read_a_row_is_named(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    student = failing(tmp_path / "student")
    steps = f"  - finetune: {{epochs: 1}}\n  - distillation: {{student: {json.dumps(str(student))}, epochs: 1}}\n"
    file = recipe(tmp_path, checkpoints["bert"], text, steps)
    assert main(["run", str(file), "--out", str(tmp_path / "out"), "--no-ledger"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert f"{student}: the model fails on a row: RuntimeError: The size" in told
