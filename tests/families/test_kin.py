"""Every further family that can be executed: a tiny model of it is cut, saved and reloaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import students
import tiny
import torch
from packs import open_pack
from transformers import AutoModelForSequenceClassification

import advisor
from advisor.cli import main
from advisor.compute.int8 import backends
from advisor.compute.structure import checkpoint
from advisor.compute.structure.surgery import keep_layers, narrow
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.training.gradual_pruning import cut
from advisor.facts.cpu import Use, instruction_sets, int8_for, multiplies_bf16
from advisor.families import registry
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.recipe.steps.matrix_pruning import MatrixPruning

STEPS = """\
  - finetune: {epochs: 1, learning_rate: 2.0e-3}
  - layer_removal: {LAYERS}
  - distillation: {epochs: 1, learning_rate: 1.0e-3}
  - matrix_pruning: {WIDTHS, increments: 2, epochs: 1, learning_rate: 1.0e-3}
  - quantization: {}
"""


def test_every_family_that_can_be_executed_is_tried_here_or_everywhere() -> None:
    assert set(tiny.KIN) | set(tiny.FAMILIES) >= set(registry.executable())


def answers(one: Scorer, name: str) -> torch.Tensor:
    batch = next(students.context(name).batches(students.context(name).train.take(8)))
    with torch.no_grad():
        return one(**batch.inputs)


@pytest.mark.parametrize("name", tiny.KIN)
def test_neurons_that_are_cut_are_neurons_of_zero(name: str) -> None:
    one = students.student(name)
    kept = students.drawn(one, "ffn", 32)
    expected = answers(students.without(one, kept), name)
    assert torch.allclose(answers(narrow(one, kept), name), expected, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("name", tiny.KIN)
def test_it_loses_layers_and_width_and_reloads_with_the_stock_class(name: str, tmp_path: Path) -> None:
    one, family, context = students.student(name), students.family(name), students.context(name)
    before = students.config_of(one)
    two = len(family.stacks) > 1
    shallow = (LayerRemoval(encoder_keep=2, decoder_keep=2) if two else LayerRemoval(2)).resized(family, before)
    one = keep_layers(one, {stack.name: (0, 3) for stack in family.stacks})
    assert family.shape(students.config_of(one)) == family.shape(shallow)
    step = MatrixPruning(24, None if family.hidden_follows_heads or not family.loses_heads else 2, 40, increments=1)
    narrowed = step.resized(family, students.config_of(one))
    one = cut(one, context, family.shape(narrowed))
    assert family.shape(students.config_of(one)) == family.shape(narrowed)
    checkpoint.save(one.eval(), students.tokenizer(), tmp_path / "cut")
    batch = next(context.batches(context.train.take(8)))
    checkpoint.prove(one, tmp_path / "cut", batch, family.parameters(narrowed))


def steps_for(name: str) -> str:
    family = students.family(name)
    layers = "encoder_keep: 3, decoder_keep: 3" if len(family.stacks) > 1 else "keep: 3"
    heads = "heads: 2, " if family.loses_heads and not family.hidden_follows_heads else ""
    widths = f"hidden_size: {24 if heads else 36}, {heads}intermediate_size: 72"
    return STEPS.replace("LAYERS", layers).replace("WIDTHS", widths)


def test_heads_that_share_keys_go_group_by_group_in_a_run(text: Path, tmp_path: Path) -> None:
    """Of four heads in two groups, two in one stay. The other kinds of blocks have chains of their own in `whole/`."""
    model, recipe, out = tiny.checkpoint("llama", tmp_path / "model"), tmp_path / "recipe.yaml", tmp_path / "out"
    steps = steps_for("llama").replace("  - quantization: {}\n", "")
    recipe.write_text(
        f"version: 1\nname: grouped\nmodel: {{source: gone}}\ndevice: edge\n"
        f'goal: {{relative_accuracy: ">= 0.3"}}\nsteps:\n{steps}'
        "training: {batch_size: 64, max_tokens: 16, joined_texts: 0}\n"
    )
    arguments = ["--model", str(model), "--data", str(text), "--out", str(out), "--no-ledger"]
    assert main(["run", str(recipe), *arguments, "--policy", str(open_pack(tmp_path / "pack"))]) in (0, 4)
    report = json.loads((out / "report.json").read_text())
    assert [step["parameters"] for step in report["steps"]] == [
        step["predicted_parameters"] for step in report["steps"]
    ]
    kept = AutoModelForSequenceClassification.from_pretrained(out / report["steps"][-1]["path"]).config
    assert (kept.num_hidden_layers, kept.num_attention_heads, kept.num_key_value_heads) == (3, 2, 1)
    assert (kept.hidden_size, kept.head_dim) == (24, 12)
    assert advisor.load(out)(["a text"])[0].probabilities


@pytest.mark.slow
@pytest.mark.parametrize("name", tiny.KIN)
def test_the_whole_chain(name: str, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, recipe, out = tiny.checkpoint(name, tmp_path / "model"), tmp_path / "recipe.yaml", tmp_path / "out"
    recipe.write_text(
        f"version: 1\nname: {name}\nmodel: {{source: gone}}\ndevice: cpu\n"
        f'goal: {{relative_accuracy: ">= 0.3"}}\nsteps:\n{steps_for(name)}'
        "training: {batch_size: 64, max_tokens: 24}\n"
    )
    pack = open_pack(tmp_path / "pack")
    arguments = ["--model", str(model), "--data", str(text), "--out", str(out), "--no-ledger", "--policy", str(pack)]
    arguments += ["--measure-seconds", "0.3"]
    assert main(["run", str(recipe), *arguments]) in (0, 4)
    report = json.loads((out / "report.json").read_text())
    assert [step["parameters"] for step in report["steps"]] == [
        step["predicted_parameters"] for step in report["steps"]
    ]
    assert backends.wrote(out / report["steps"][-1]["path"]) == suited(name)
    for step in report["steps"]:
        scores = advisor.load(out, step=step["name"])(["a text"])[0].probabilities.values()
        assert sum(scores) == pytest.approx(1, abs=1e-5), step["name"]
    found = advisor.gate(out, rescore=str(text), policy=str(pack))
    assert {one.rule for one in found if one.severity == "error"} <= {"gate-enough", "gate-numbers"}  # few rows
    assert main(["run", str(recipe), *arguments, "--resume"]) in (0, 4)
    assert "nothing has changed" in capsys.readouterr().err


def suited(name: str) -> str:
    """The backend for this CPU. Of mT5's blocks one matrix stays fp32, which OpenVINO can multiply in bfloat16."""
    use = Use(24, in_bf16=name == "mt5" and multiplies_bf16())
    return int8_for(instruction_sets(), backends.installed(), use).backends[0]
