"""Joined texts are made of two training texts each, always the same for a seed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from advisor.compute.data.batches import Encoded
from advisor.compute.data.dataset import Rows
from advisor.compute.data.joined_texts import joined

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


def test_what_was_cut_is_left_out() -> None:
    rows = Encoded(((1, 2, 3), (1, 2), (1, 2, 3, 4)), (0, 1, 2))
    assert rows.shorter_than(4) == Encoded(((1, 2, 3), (1, 2)), (0, 1))
