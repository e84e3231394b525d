"""The teacher's hidden states: remembered or not they are the same, and each block of a student has its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
import students
import tiny
import torch

from advisor.compute.bench import logits
from advisor.compute.blocks import Block
from advisor.compute.teacher import partners, taught


@pytest.mark.parametrize(
    ("depth", "whole", "expected"),
    [(4, 12, [2, 5, 8, 11]), (8, 12, [1, 2, 4, 5, 7, 8, 10, 11]), (3, 3, [0, 1, 2]), (1, 6, [5]), (2, 5, [2, 4])],
)
def test_partners(depth: int, whole: int, expected: list[int]) -> None:
    found = partners({"encoder": depth}, {"encoder": whole, "decoder": 3})
    assert found == {("encoder", own): ("encoder", other) for own, other in enumerate(expected)}


def test_every_block_has_a_partner_of_its_own_and_the_last_the_last() -> None:
    for whole in range(1, 49):
        for depth in range(1, whole + 1):
            found = [number for _, number in partners({"decoder": depth}, {"decoder": whole}).values()]
            assert found == sorted(set(found)) and len(found) == depth
            assert found[0] >= 0 and found[-1] == whole - 1


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_remembered_states_are_those_of_a_pass(name: str) -> None:
    bench, one = students.bench(name).with_teacher(students.student(name)), students.student(name)
    wanted: list[Block] = students.blocks_of(one, name)[1::2]
    (_, remembered), told = students.finish(taught(bench, wanted))
    assert [(one.done, one.total) for one in told] == [(64, 96), (96, 96)]  # one pass for scores and states
    (_, asked), told = students.finish(taught(replace(bench, states_bytes=0), wanted))
    assert not told and bench.teacher is not None and bench.teacher.scores is not None
    torch.testing.assert_close(bench.teacher.scores, logits(one, bench, bench.train), rtol=0.05, atol=0.1)
    for batch in bench.batches(bench.train, seed=1):
        first, second = remembered(batch), asked(batch)
        assert list(first) == list(second) == wanted
        for block in wanted:
            positions = len(batch.rows) if block[0] == "decoder" and name == "t5" else int(batch.attention_mask.sum())
            assert first[block].shape == second[block].shape == (positions, 48)
            torch.testing.assert_close(first[block].float(), second[block], rtol=1e-2, atol=2e-2)
