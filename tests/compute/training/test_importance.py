"""Influence of blocks: skipping one is removing it, and the blocks that do nothing go first."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest
import students
import tiny
import torch

from advisor.compute.structure.blocks import blocks
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.training.importance import least_missed_go, missed, skipped
from advisor.compute.training.state import DiskKeeper
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.records.results import Progress


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
    smaller, _ = students.finish(step.apply(one, config, students.context(name)))
    whole = students.scores(one, name)
    with skipped(one.model, family, gone):
        skipping = students.scores(one, name)
    torch.testing.assert_close(skipping, students.scores(smaller, name), atol=2e-5, rtol=2e-5)
    assert not torch.allclose(skipping, whole, atol=1e-3)
    assert torch.equal(students.scores(one, name), whole)  # nothing is skipped any longer


@pytest.mark.parametrize("name", tiny.FAMILIES)
@pytest.mark.parametrize("first", [0, 2])
def test_a_block_is_missed_as_if_all_were_computed_anew(name: str, first: int) -> None:
    one, family, context = students.student(name), students.family(name), students.context(name)
    every = list(blocks(one.model, family))
    gone, left = every[first : first + 1], every[:first] + every[first + 1 :]
    whole = students.logits(one, context, context.train.take(48))
    found = missed(one, context, gone, left, context.train.take(48))
    for block in left:
        with skipped(one.model, family, [*gone, block]):
            scores = students.logits(one, context, context.train.take(48))
        assert (
            found[block] == pytest.approx(float(students.TASK.divergence(scores, whole)), rel=1e-5) and found[block] > 0
        )
    assert torch.equal(whole, students.logits(one, context, context.train.take(48)))  # nothing is replaced any longer


def test_the_distance_by_hand() -> None:
    """Of classes the divergence of (1/4, 3/4) from (1/2, 1/2), whatever is added to scores; of a number its square."""
    even, other = torch.tensor([[7.0, 7.0]]), torch.tensor([[1.0, 3.0]]).log()
    assert float(students.TASK.divergence(other, even)) == pytest.approx(
        0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    )
    assert float(students.TASK.divergence(torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [5.0]]))) == 4.5


def test_a_regression_s_blocks_are_told_apart() -> None:
    one, context = students.student("bert", num_labels=1), students.context("bert")
    found = missed(one, context, [], list(blocks(one.model, context.family)), context.train.take(16))
    assert len(set(found.values())) == 4 and min(found.values()) > 0


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_only_what_lies_behind_a_missing_block_is_computed_again(name: str) -> None:
    one, context = students.student(name), students.context(name)
    every = blocks(one.model, students.family(name))
    computed: list[tuple[str, int]] = []
    for block, module in every.items():
        matrix = next(part for part in module.modules() if getattr(part, "weight", torch.empty(0)).dim() == 2)
        matrix.register_forward_hook(lambda *_, block=block: computed.append(block))
    rows = context.train.take(8)  # one batch
    order = [("encoder", number) for number in range(4)] + [("decoder", number) for number in range(4)]
    order = [block for block in order if block in every]
    gone, left = order[1:2], [order[0], *order[2:]]
    missed(one, context, gone, left, rows)
    for place, block in enumerate(order):
        before = [other for other in left if order.index(other) < place and block not in gone]
        assert computed.count(block) == 2 + len(before)


@pytest.mark.parametrize("name", ["gpt2", "opt", "t5"])
def test_blocks_that_do_nothing_go_first(name: str) -> None:
    one, stack = students.student(name), "encoder" if name == "t5" else "decoder"
    for number in (2, 0):
        disable(one, name, (stack, number))
    layers = students.family(name).shape(students.config_of(one)).layers
    kept, told = students.finish(least_missed_go(one, students.context(name), {**layers, stack: 2}, 48))
    assert kept[stack] == (1, 3)
    assert [(one.done, one.total) for one in told] == [(1, 2), (2, 2)]


@pytest.mark.parametrize("name", ["bert", "t5"])
def test_what_was_measured_before_a_kill_is_not_measured_again(name: str, tmp_path: Path) -> None:
    keep = {"encoder": 1, "decoder": 1} if name == "t5" else {"encoder": 1}

    def choosing(folder: Path) -> Generator[Progress, None, dict[str, tuple[int, ...]]]:
        context = replace(students.context(name), keeper=DiskKeeper(folder, "the same"))
        return least_missed_go(students.student(name), context, keep, 48)

    whole, told = students.finish(choosing(tmp_path / "whole"))
    cut_off = choosing(tmp_path / "killed")
    assert [next(cut_off), next(cut_off)] == told[:2]
    cut_off.close()
    assert students.finish(choosing(tmp_path / "killed")) == (whole, told[2:])


def test_t5_keeps_as_many_blocks_of_each_stack_as_asked() -> None:
    kept, told = students.finish(
        least_missed_go(students.student("t5"), students.context("t5"), {"encoder": 3, "decoder": 1}, 48)
    )
    assert (len(kept["encoder"]), len(kept["decoder"])) == (3, 1) and len(told) == 3
    assert told[-1].note.startswith("decoder ")
