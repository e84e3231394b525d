"""Types that nobody described run, and those without a classifier do what transformers has a class for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from packs import open_pack
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM

import advisor
from advisor.cli import main

pytestmark = pytest.mark.slow

STEPS = """\
  - finetune: {epochs: 1, learning_rate: 5.0e-3}
  - layer_removal: {LAYERS}
  - distillation: {epochs: 1, learning_rate: 5.0e-3}
  - matrix_pruning: {intermediate_size: 48, increments: 1, epochs: 1, learning_rate: 1.0e-3}
"""
COMMON = {"vocab_size": tiny.VOCABULARY, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1}
GRANITE = {
    **{"num_hidden_layers": 3, "num_key_value_heads": 2, "hidden_size": 48, "num_attention_heads": 4},
    **{"intermediate_size": 96},
}
TWO_STACKS = {
    **{"encoder_layers": 2, "decoder_layers": 2, "d_model": 48, "encoder_attention_heads": 4},
    **{"decoder_attention_heads": 4, "encoder_ffn_dim": 96, "decoder_ffn_dim": 96, "max_position_embeddings": 64},
    **{"decoder_start_token_id": 0, "forced_eos_token_id": 1},
}


def checkpoint(name: str, folder: Path, class_: Any, **sizes: Any) -> Path:
    torch.manual_seed(0)
    class_.from_config(AutoConfig.for_model(name, **{**COMMON, **sizes})).save_pretrained(folder)
    tiny.tokenizer("t5" if class_ is AutoModelForSeq2SeqLM else "llama").save_pretrained(folder)
    return folder


def ran(folder: Path, task: str, layers: str, model: Path, data: Path) -> Path:
    """The folder of the finished run."""
    recipe, out, pack = folder / "recipe.yaml", folder / "out", open_pack(folder / "pack")
    written = "" if task == "text-classification" else ", max_new_tokens: 8"
    recipe.write_text(
        f"version: 1\nname: {task}\nmodel: {{source: {json.dumps(str(model))}}}\ndevice: edge\n"
        f"data: {{source: {json.dumps(str(data))}, task: {task}}}\ngoal: {{relative_accuracy: '>= 0.01'}}\n"
        f"steps:\n{STEPS.replace('LAYERS', layers)}training: {{batch_size: 16, max_tokens: 16{written}}}\n"
    )
    assert main(
        ["run", str(recipe), "--out", str(out), "--no-ledger", "--policy", str(pack), "--measure-seconds", "0.3"]
    ) in (0, 4)
    report = json.loads((out / "report.json").read_text())
    assert len(report["steps"]) == 4
    for step in report["steps"]:
        assert step["parameters"] == step["predicted_parameters"]
        assert advisor.load(out, step=step["name"])(["Return the message"])
    found = advisor.gate(out, policy=str(pack), rescore=str(data))
    assert {one.rule for one in found if one.severity == "error"} <= {"gate-enough", "gate-numbers", "gate-device"}
    return out


def test_a_type_that_no_file_describes_is_inferred_and_run(text: Path, tmp_path: Path) -> None:
    model = checkpoint("stablelm", tmp_path / "stablelm", AutoModel, **{**GRANITE, "hidden_size": 64})
    out = ran(tmp_path, "text-classification", "keep: 2", model, text)
    kept = AutoConfig.from_pretrained(out / "steps" / "3-matrix_pruning")
    assert (kept.model_type, kept.num_hidden_layers, kept.intermediate_size) == ("stablelm", 2, 48)


def test_granite_is_a_language_model(tmp_path: Path) -> None:
    data = tiny.write_rows(tmp_path / "data", [{"text": row["text"]} for row in tiny.docstrings()])
    model = checkpoint("granite", tmp_path / "granite", AutoModelForCausalLM, **GRANITE)
    out = ran(tmp_path, "text-generation", "keep: 2", model, data)
    kept = AutoModelForCausalLM.from_pretrained(out / "steps" / "3-matrix_pruning")
    assert kept.config.num_hidden_layers == 2 and kept.config.intermediate_size == 48


@pytest.mark.parametrize("name", ["pegasus", "marian"])
def test_it_writes_summaries(name: str, tmp_path: Path) -> None:
    rows = [{"document": row["text"], "summary": f"about {row['label']}"} for row in tiny.docstrings()]
    data = tiny.write_rows(tmp_path / "data", rows)
    model = checkpoint(name, tmp_path / name, AutoModelForSeq2SeqLM, **TWO_STACKS)
    out = ran(tmp_path, "summarization", "encoder_keep: 1, decoder_keep: 1", model, data)
    kept = AutoModelForSeq2SeqLM.from_pretrained(out / "steps" / "3-matrix_pruning")
    assert (kept.config.encoder_layers, kept.config.decoder_layers, kept.config.encoder_ffn_dim) == (1, 1, 48)
