"""Bits per byte: every token of a text counts once, padding never, and the numbers by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from advisor.base.generators import result_of
from advisor.compute.data.labels import Rows
from advisor.compute.tasks.metrics import value
from advisor.compute.tasks.registry import task_of
from advisor.compute.tasks.text_generation import windows

TEXTS = ("a short text", "another text, which is a good deal longer than the first one", "größer")
TASK = task_of("text-generation", ())


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    found = tiny.tokenizer("gpt2")
    found.pad_token = found.eos_token
    return found


def uniform(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """A model that knows nothing: every one of 400 tokens is as likely."""
    return torch.zeros(*input_ids.shape, 400)


def test_windows_overlap_by_half_and_count_each_token_once() -> None:
    assert list(windows(range(5), 8)) == [(1, (0, 1, 2, 3, 4))]
    assert list(windows(range(13), 8)) == [(1, tuple(range(8))), (4, tuple(range(4, 12))), (4, tuple(range(8, 13)))]
    for length in range(2, 40):
        counted = [one for first, window in windows(range(length), 8) for one in window[first:]]
        assert counted == list(range(1, length))


@pytest.mark.parametrize(("max_tokens", "size"), [(8, 1), (8, 3), (64, 2)])
def test_bits_are_those_of_all_tokens_whatever_the_windows_and_batches(
    tokenizer: Any, max_tokens: int, size: int
) -> None:
    rows = TASK.encode(Rows(TEXTS, None, ("",) * 3), tokenizer, max_tokens)
    order = list(range(len(rows)))
    batches = [TASK.collate(rows, order[at : at + size], 0) for at in range(0, len(order), size)]
    found = result_of(TASK.judging(uniform, batches, rows))
    tokens = [len(tokenizer(text)["input_ids"]) for text in TEXTS]
    assert found.table[:, 0].tolist() == pytest.approx([count * math.log2(400) for count in tokens])
    assert found.table[:, 1].tolist() == [12, 60, 8]  # bytes, not characters
    assert found.loss == pytest.approx(math.log(400))


def test_what_is_kept_is_a_share_of_the_bits_that_are_saved() -> None:
    table = np.array([[20.0, 10.0], [10.0, 20.0]])  # 30 bits for 30 bytes
    own = TASK.statistics("bits_saved_per_byte", (0, 0), table)
    assert value("bits_per_byte", own) == 1 and value("bits_saved_per_byte", own) == 7
    (nothing,) = TASK.constants("bits_saved_per_byte", (0, 0), table)
    assert value("bits_saved_per_byte", nothing) == 0


def test_texts_are_packed_into_blocks_to_learn_from(tokenizer: Any) -> None:
    rows = TASK.encode_to_learn(Rows(TEXTS, None, ("",) * 3), tokenizer, 8)
    assert {len(block) for block in rows.tokens[:-1]} == {8}
    first = tokenizer.eos_token_id  # it has no token that begins texts
    packed = [one for block in rows.tokens for one in block]
    assert packed[0] == first and packed.count(first) == len(TEXTS)
    batch = TASK.collate(rows, range(len(rows)), 0)
    assert TASK.counts(batch) == [len(block) - 1 for block in rows.tokens]
    assert len(TASK.positions(uniform(**batch.inputs), batch)) == sum(TASK.counts(batch))


def test_of_a_text_beyond_the_positions_the_end_is_continued(tokenizer: Any) -> None:
    torch.manual_seed(0)
    sizes = {**tiny.SIZES["gpt2"], "n_layer": 1, "n_positions": 24, "vocab_size": 400}
    scorer = TASK.scorer(AutoModelForCausalLM.from_config(AutoConfig.for_model("gpt2", **sizes)).eval(), tokenizer)
    end = "the end of it"
    long, short = scorer.continued([TEXTS[1] * 5 + end, end], 4)
    assert isinstance(long, str)
    assert scorer.continued([end], 4) == [short]  # padding at the left changes nothing
