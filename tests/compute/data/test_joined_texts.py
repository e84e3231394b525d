"""Joined texts are made of two training texts each, always the same for a seed."""

from __future__ import annotations

from functools import partial

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from advisor.compute.data.batches import encode
from advisor.compute.data.dataset import Rows
from advisor.compute.data.joined_texts import joined, whole

TEXTS = st.lists(st.text("abc", min_size=1), min_size=1, max_size=8)


@given(TEXTS, st.integers(0, 12), st.integers(0, 9))
def test_as_many_as_there_are_rows_at_most_and_each_of_two_of_them(texts: list[str], most: int, seed: int) -> None:
    found = joined(Rows(tuple(texts), None, (0,) * len(texts)), most, seed)
    assert len(found.texts) == min(most, len(texts))
    assert set(found.texts) <= {f"{one} {other}" for one in texts for other in texts}
    assert set(found.labels) <= {-1}
    assert found == joined(Rows(tuple(texts), None, (0,) * len(texts)), most, seed)


def test_another_seed_makes_other_texts() -> None:
    rows = Rows(tuple("abcdefghijklmnop"), None, (0,) * 16)
    assert joined(rows, 16, 0) != joined(rows, 16, 1)


def test_pairs_are_not_joined() -> None:
    assert len(joined(Rows(("a", "b"), ("c", "d"), (0, 1)), 10, 0)) == 0


def test_what_any_tokenizer_cuts_is_left_out() -> None:
    rows = Rows(("one", "one two three", "one two three four five six"), None, (-1,) * 3)
    words, letters = (
        partial(encode, tokenizer=_tokenizer(split), max_tokens=9)
        for split in (pre_tokenizers.Whitespace(), pre_tokenizers.Split("", "isolated"))
    )
    assert whole(rows, [words], 4) == rows.take([0, 1])
    assert whole(rows, [words, letters], 4) == whole(rows, [letters], 4) == rows.take([0])


def _tokenizer(split: pre_tokenizers.PreTokenizer) -> PreTrainedTokenizerFast:
    """One to which every part of a text is the same unknown word."""
    made = Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
    made.pre_tokenizer = split
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>")
