"""A model whose own code fails on its sizes is refused before a run begins, not with a traceback in training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny
from transformers import AutoConfig, AutoModel

from advisor.cli import main


def test_a_model_that_cannot_read_a_row_is_refused_before_anything_is_written(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A quarter of StableLM's heads of 12 turns by position: three channels, which go by no pairs."""
    model, out = tmp_path / "model", tmp_path / "out"
    sizes = {"hidden_size": 48, "num_attention_heads": 4, "num_key_value_heads": 4, "intermediate_size": 64}
    more = {"num_hidden_layers": 2, "vocab_size": tiny.VOCABULARY, "pad_token_id": 0}
    AutoModel.from_config(AutoConfig.for_model("stablelm", **sizes, **more)).save_pretrained(model)
    tiny.tokenizer("llama").save_pretrained(model)
    file = tmp_path / "recipe.yaml"
    file.write_text(
        f"version: 1\nname: fails\nmodel: {{source: {json.dumps(str(model))}}}\ndevice: cpu\n"
        f"data: {{source: {json.dumps(str(text))}, task: text-classification}}\nsteps:\n  - finetune: {{epochs: 1}}\n"
    )
    assert main(["run", str(file), "--out", str(out), "--no-ledger"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert f"{model}: the model fails on a row: RuntimeError: The size of tensor a (3) must match" in told
    assert "see whether transformers runs it" in told
    assert not out.exists()
