"""Influence of blocks: skipping one is removing it, and the blocks that do nothing go first."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest
import students
import tiny
import torch

from advisor.compute.blocks import blocks
from advisor.compute.influence import least_missed_go, skipped
from advisor.compute.keeper import DiskKeeper
from advisor.compute.scorer import Scorer
from advisor.results import Progress
from advisor.steps.layer_removal import LayerRemoval


def disable(one: Scorer, name: str, wanted: tuple[str, int]) -> None:
    """Make a pre-norm block add nothing to what it is given."""
    outputs = ("c_proj", "out_proj", "fc2", "wo", ".o.")
    block = blocks(one.model, students.family(name))[wanted]
    with torch.no_grad():
        for key, tensor in block.named_parameters():
            if any(output in f"{key}." for output in outputs):
                tensor.zero_()


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_a_model_that_skips_a_block_answers_as_one_without_it(name: str) -> None:
    one, family = students.student(name), students.family(name)
    step = LayerRemoval(encoder_keep=2, decoder_keep=1) if name == "t5" else LayerRemoval(keep=2)
    kept = {
        stack: set(numbers)
        for stack, numbers in step.numbers(
            family.shape(students.config_of(one)).layers,
            family.shape(step.resized(family, students.config_of(one))).layers,
        ).items()
    }
    gone = [(stack, number) for stack, number in students.blocks_of(one, name) if number not in kept[stack]]
    config = step.resized(family, students.config_of(one))
    smaller, _ = students.finish(step.apply(one, config, students.bench(name)))
    whole = students.scores(one, name)
    with skipped(one.model, family, gone):
        skipping = students.scores(one, name)
    torch.testing.assert_close(skipping, students.scores(smaller, name), atol=2e-5, rtol=2e-5)
    assert not torch.allclose(skipping, whole, atol=1e-3)
    assert torch.equal(students.scores(one, name), whole)  # nothing is skipped any longer


@pytest.mark.parametrize("name", ["gpt2", "opt", "t5"])
def test_blocks_that_do_nothing_go_first(name: str) -> None:
    one, stack = students.student(name), "encoder" if name == "t5" else "decoder"
    for number in (2, 0):
        disable(one, name, (stack, number))
    layers = students.family(name).shape(students.config_of(one)).layers
    kept, told = students.finish(least_missed_go(one, students.bench(name), {**layers, stack: 2}, 48))
    assert kept[stack] == (1, 3)
    assert [(one.done, one.total) for one in told] == [(1, 2), (2, 2)]


@pytest.mark.parametrize("name", ["bert", "t5"])
def test_what_was_measured_before_a_kill_is_not_measured_again(name: str, tmp_path: Path) -> None:
    keep = {"encoder": 1, "decoder": 1} if name == "t5" else {"encoder": 1}

    def choosing(folder: Path) -> Generator[Progress, None, dict[str, tuple[int, ...]]]:
        bench = replace(students.bench(name), keeper=DiskKeeper(folder, "the same"))
        return least_missed_go(students.student(name), bench, keep, 48)

    whole, told = students.finish(choosing(tmp_path / "whole"))
    cut_off = choosing(tmp_path / "killed")
    assert [next(cut_off), next(cut_off)] == told[:2]
    cut_off.close()
    assert students.finish(choosing(tmp_path / "killed")) == (whole, told[2:])


def test_t5_keeps_as_many_blocks_of_each_stack_as_asked() -> None:
    kept, told = students.finish(
        least_missed_go(students.student("t5"), students.bench("t5"), {"encoder": 3, "decoder": 1}, 48)
    )
    assert (len(kept["encoder"]), len(kept["decoder"])) == (3, 1) and len(told) == 3
    assert told[-1].note.startswith("decoder ")
