"""Every further family that can be executed: its table is proven on a tiny model, which is cut, saved and reloaded."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import students
import tiny
import torch

from advisor.cli import main
from advisor.compute.structure import checkpoint
from advisor.compute.structure.axes import LAYOUTS
from advisor.compute.structure.blocks import Block
from advisor.compute.structure.surgery import Kept, block_of, keep_layers, narrow
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.training.gradual_pruning import cut
from advisor.families import registry
from advisor.policy.shipped import shipped
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.recipe.steps.matrix_pruning import MatrixPruning

HEAD_SIZE = 12
STEPS = """\
  - finetune: {epochs: 1, learning_rate: 2.0e-3}
  - layer_removal: {keep: 3}
  - distillation: {epochs: 1, learning_rate: 1.0e-3}
  - matrix_pruning: {hidden_size: 36, intermediate_size: 72, increments: 2, epochs: 1, learning_rate: 1.0e-3}
  - quantization: {}
"""


def answers(one: Scorer, name: str) -> torch.Tensor:
    batch = next(students.context(name).batches(students.context(name).train.take(8)))
    with torch.no_grad():
        return one(**batch.inputs)


def units_of(one: Scorer, name: str, unit: str, block: Block | None) -> Any:
    """The tensors with units of this kind, each with the axis that has them; block: of this block alone."""
    places = dict(one.model.named_parameters())
    for tensor, (axes, stack, number) in students.family(name).tensor_names(students.config_of(one)).items():
        for dimension, axis in enumerate(axes.split()):
            mine = block is None or block_of(tensor, stack, number) == block
            if axis in LAYOUTS and LAYOUTS[axis].unit == unit and mine:
                yield places[tensor], dimension, LAYOUTS[axis]


def changed(
    one: Scorer, name: str, unit: str, units: list[int], zero: bool = False, block: Block | None = None
) -> Scorer:
    """A copy with its units in this order, or with these units as 0."""
    other = copy.deepcopy(one)
    for tensor, dimension, layout in units_of(other, name, unit, block):
        numbers = layout.numbers(torch.tensor(units), tensor.shape[dimension], HEAD_SIZE)
        moved = tensor.data.index_select(dimension, numbers)
        tensor.data = tensor.data.index_fill(dimension, numbers, 0.0) if zero else moved
    return other


def test_every_family_that_can_be_executed_is_tried_here_or_everywhere() -> None:
    assert set(tiny.KIN) | set(tiny.FAMILIES) == set(registry.executable())


@pytest.mark.parametrize("name", tiny.KIN)
def test_the_order_of_heads_neurons_and_channels_means_nothing(name: str) -> None:
    one, config = students.student(name), students.family(name)
    before = answers(one, name)
    stack, alike = config.stacks[0].name, config.heads_alike
    heads = changed(one, name, "attention", [2, 0, 3, 1], block=None if alike else (stack, 1))
    neurons = changed(one, name, "intermediate", [*range(95, -1, -1)], block=(stack, 1))
    for other in (heads, neurons, changed(one, name, "hidden", [*range(47, -1, -1)])):
        assert torch.allclose(answers(other, name), before, atol=1e-5 * float(before.abs().max()))


@pytest.mark.parametrize("name", tiny.KIN)
def test_neurons_that_are_cut_are_neurons_of_zero(name: str) -> None:
    one, family = students.student(name), students.family(name)
    kept = [*range(0, 96, 3)]
    blocks = {block: torch.tensor(kept) for block in students.blocks_of(one, name)}
    config = students.resized(one, name, intermediate_size=len(kept))
    smaller = narrow(one, family, config, Kept(intermediate=blocks), HEAD_SIZE)
    zeroed = changed(one, name, "intermediate", sorted(set(range(96)) - set(kept)), zero=True)
    expected = answers(zeroed, name)
    assert torch.allclose(answers(smaller, name), expected, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("name", tiny.KIN)
def test_it_loses_layers_and_width_and_reloads_with_the_stock_class(name: str, tmp_path: Path) -> None:
    one, family, context = students.student(name), students.family(name), students.context(name)
    before = students.config_of(one)
    shallow = LayerRemoval(2).resized(family, before)
    (stack,) = family.shape(before).layers
    one = keep_layers(one, family, shallow, {stack: (0, 3)})
    narrowed = MatrixPruning(24, None, 40, increments=1).resized(family, students.config_of(one))
    one = cut(one, context, family.shape(narrowed))
    checkpoint.save(one.eval(), students.tokenizer(), tmp_path / "cut")
    batch = next(context.batches(context.train.take(8)))
    checkpoint.prove(one, tmp_path / "cut", batch, family.parameters(narrowed))


@pytest.mark.slow
@pytest.mark.parametrize("name", tiny.KIN)
def test_the_whole_chain(name: str, text: Path, tmp_path: Path) -> None:
    model, recipe, out = tiny.checkpoint(name, tmp_path / "model"), tmp_path / "recipe.yaml", tmp_path / "out"
    recipe.write_text(
        f"version: 1\nname: {name}\nmodel: {{source: gone, family: {name}}}\ndevice: cpu\n"
        f'goal: {{relative_accuracy: ">= 0.3"}}\nsteps:\n{STEPS}training: {{batch_size: 64, max_tokens: 24}}\n'
    )
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "pack.yaml").write_text("name: open\nversion: '1'\ndescription: forbids nothing\n")
    shutil.copy(shipped("rules") / "core" / "distillation" / "finetune-first.yaml", pack)
    arguments = ["--model", str(model), "--data", str(text), "--out", str(out), "--no-ledger", "--policy", str(pack)]
    assert main(["run", str(recipe), *arguments]) in (0, 4)
    report = json.loads((out / "report.json").read_text())
    assert [step["parameters"] for step in report["steps"]] == [
        step["predicted_parameters"] for step in report["steps"]
    ]
    assert report["steps"][-1]["artefact"]["kind"] == "onnx"
