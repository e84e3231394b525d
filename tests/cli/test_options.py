"""Values of options as people type them."""

from __future__ import annotations

import argparse

import pytest

from advisor.cli.options import count


@pytest.mark.parametrize(
    ("text", "number"), [("3000", 3_000), ("3_000", 3_000), ("3,000", 3_000), ("3k", 3_000), ("1.5M", 1_500_000)]
)
def test_counts_are_read_as_in_recipes(text: str, number: int) -> None:
    assert count(text) == number


@pytest.mark.parametrize("text", ["3 k", "k", "3K", "1.5", "0.0001k", "0k", "three"])
def test_what_is_no_count_is_told_as_it_was_typed(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected a whole number of at least 1, got"):
        count(text)
