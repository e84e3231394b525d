"""Numbers in words: exact where they were written, short where they were computed."""

from __future__ import annotations

from fractions import Fraction

import pytest

from advisor.base.interval import Interval, near, show


@pytest.mark.parametrize(
    ("number", "exact", "read"),
    [
        (10_000, "10,000", "10,000"),
        (Fraction(1, 3), "1/3", "1/3"),
        (0.95, "0.95", "0.95"),
        (0.5159838828997326, "2579919414498663/5000000000000000", "0.515984"),
    ],
)
def test_numbers_in_words(number: int | float | Fraction, exact: str, read: str) -> None:
    assert (show(number), near(number)) == (exact, read)


@pytest.mark.parametrize(
    "number", ["9" * 5000, "1e999", "1e999999999", "0e999999999", "1e-400", "1/0", "1/1e-400", "３"]
)
def test_numbers_that_nobody_means_are_refused_at_once(number: str) -> None:
    for text in (f"<= {number}", f"0..{number}"):
        with pytest.raises(ValueError, match=r"is out of range|is not a comparison"):
            Interval.parse(text)
