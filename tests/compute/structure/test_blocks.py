"""Blocks of every family, and what passes through them."""

from __future__ import annotations

import pytest
import students
import tiny
import torch

from advisor.compute.structure.blocks import blocks, hidden, watched

KINDS = {"bert": "BertLayer", "gpt2": "GPT2Block", "opt": "OPTDecoderLayer", "t5": "T5Block"}


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_all_blocks_are_found_in_their_order(name: str) -> None:
    one = students.student(name)
    found = blocks(one.model, students.family(name))
    assert list(found) == sorted(students.blocks_of(one, name))
    assert {type(module).__name__ for module in found.values()} == {KINDS[name]}
    assert len(set(map(id, found.values()))) == len(found)


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_what_leaves_a_block_goes_into_the_next(name: str) -> None:
    one, batch = students.student(name), students.batch(name)
    with torch.no_grad(), watched(one.model, students.family(name)) as passed:
        one(**batch.inputs)
    assert list(passed) != [] and set(passed) == set(students.blocks_of(one, name))
    for (stack, number), states in passed.items():
        positions = 1 if stack == "decoder" and name == "t5" else batch.inputs["input_ids"].shape[1]
        assert states.before.shape == states.after.shape == (8, positions, 48)
        assert not torch.equal(states.before, states.after)
        if number:
            assert torch.equal(states.before, passed[stack, number - 1].after)


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_nothing_is_watched_any_longer(name: str) -> None:
    one, batch = students.student(name), students.batch(name)
    with watched(one.model, students.family(name)) as passed:
        pass
    one(**batch.inputs)
    assert passed == {}


def test_hidden_states_come_first_of_whatever_a_block_returns() -> None:
    states = torch.ones(2, 3, 4)
    for output in (states, (states,), (states, None), [states, None]):  # OpenAI GPT's blocks return lists
        assert hidden(output) is states
