"""Meant: values that say clearly what they mean, and those that do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.base.interval import Interval
from advisor.review.fixes.value_forms import comparison, number, part


@pytest.mark.parametrize(
    ("text", "whole", "value"),
    [
        ("3", True, 3),
        ("5e-5", False, 5e-5),
        ("3 epochs", True, 3),
        ("25_000 rows", True, 25_000),
        ("25,000", True, 25_000),
        ("2,0", False, 2.0),
        ("90%", False, 0.9),
        ("90 %", False, 0.9),
        ("3 epochs", False, None),
        ("2,5", True, None),
        ("90%", True, None),
        ("three", True, None),
        ("NaN", False, None),
        ("1e999", False, None),
        ("true", True, None),
        ("[" * 100_000, True, None),
    ],
)
def test_numbers(text: str, whole: bool, value: float | None) -> None:
    assert number(text, whole) == value


@pytest.mark.parametrize(
    ("given_", "target", "bound"),
    [
        (0.9, "relative_accuracy", ">= 0.9"),
        ("> 90%", "relative_accuracy", "> 0.9"),
        ("0,95", "relative_accuracy", ">= 0.95"),
        ("50MB", "size_mb", "<= 50"),
        ("<= 1000 MB", "size_mb", "<= 1000"),
        ("20 ms", "latency_ms", "<= 20"),
        ("10%", "relative_emissions", "<= 0.1"),
        ("1 GB", "size_mb", None),
        ("20%", "size_mb", None),
        (">= 10%", "relative_emissions", None),  # the other way round
        ("<= 0.9", "relative_accuracy", None),
        (1.5, "relative_accuracy", None),
        (0, "size_mb", None),
        (True, "size_mb", None),
        ("", "size_mb", None),
        ([], "size_mb", None),
    ],
)
def test_comparisons(given_: object, target: str, bound: str | None) -> None:
    assert comparison(given_, target) == bound


@given(st.floats(1e-3, 1).map(lambda value: round(value, 3)), st.sampled_from([">=", ">", ">= "]))
def test_a_right_bound_is_left_alone(value: float, sign: str) -> None:
    assert comparison(f"{sign}{value}", "relative_accuracy") is None


@given(st.text() | st.integers() | st.floats() | st.none(), st.sampled_from(["relative_accuracy", "size_mb"]))
def test_what_comes_out_is_a_bound_on_the_right_side(given_: object, target: str) -> None:
    bound = comparison(given_, target)
    if bound is not None:
        interval = Interval.parse(bound)
        assert (interval.low is None) == (target == "size_mb")


@pytest.mark.parametrize(
    ("given_", "name", "whole"),
    [
        ("bert", "model", {"source": "bert"}),
        ("imdb", "data", {"source": "imdb"}),
        (25_000, "data", {"samples": 25_000}),
        (">= 0.9", "goal", {"relative_accuracy": ">= 0.9"}),
        ("90%", "gates", {"relative_accuracy": ">= 0.9"}),
        ("<= 0.1", "goal", None),
        (-1, "data", None),
        (True, "data", None),
        (" ", "model", None),
        (3, "model", None),
        ("x", "training", None),
    ],
)
def test_parts(given_: object, name: str, whole: dict | None) -> None:
    assert part(given_, name) == whole
