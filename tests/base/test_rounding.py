"""Numbers as people write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.base.interval import Interval
from advisor.base.rounding import beside, judged, rounded


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0, 4, "0"),
        (1, 4, "1"),
        (0.97777, 4, "0.9778"),
        (0.00003114, 3, "0.0000311"),
        (12_345.6, 4, "12,346"),
        (1234.5, 3, "1,234"),
        (100, 3, "100"),
        (0.99996, 4, "1"),
        (99.996, 4, "100"),
        (-0.2, 4, "-0.2"),
    ],
)
def test_examples(value: float, digits: int, text: str) -> None:
    assert rounded(value, digits) == text


@given(st.floats(1e-9, 1e15), st.integers(1, 6))
def test_it_is_the_number_but_for_the_last_digit(value: float, digits: int) -> None:
    text = rounded(value, digits)
    assert "e" not in text
    assert math.isclose(float(text.replace(",", "")), value, rel_tol=0.5000001 * 10 ** (1 - digits))


@pytest.mark.parametrize(
    ("value", "bound", "text"),
    [(0.94996, ">= 0.95", "0.94996"), (0.95, ">= 0.95", "0.95"), (0.949_999_996, ">= 0.95", "0.949999996"),
     (200.004, "<= 200", "200.004"), (123.456, "<= 200", "123.5"), (0.0, "> 0", "0")],
)  # fmt: skip
def test_a_number_beside_a_bound_stays_on_its_side(value: float, bound: str, text: str) -> None:
    assert beside(value, Interval.parse(bound)) == text


def test_a_bound_that_nobody_can_read_does_not_hide_the_number() -> None:
    assert judged(0.25, "<script>") == "0.25"
    assert judged(None, ">= 0.9") == "not measured"
