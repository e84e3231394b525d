"""Forms of values: those that can be read in one way only, those that are likely, and those that are neither."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.base.interval import Interval
from advisor.review.fixes.value_forms import comparison, number, part


@pytest.mark.parametrize(
    ("text", "whole", "value"),
    [
        ("3", True, 3),
        ("3.0", True, None),
        ("5e-5", False, 5e-5),
        ("3 epochs", True, 3),
        ("25,000", True, None),  # twenty-five to half of the world
        ("25 million", True, None),
        ("3 dozen", True, None),
        ("3 layers", True, None),  # which epochs do not count
        ("2,0", False, 2.0),
        ("0,125", False, 0.125),
        ("2,000", False, None),
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
    assert number(text, whole, "epochs") == value


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("25_000 rows", "samples", 25_000),
        ("8 layers", "encoder_keep", 8),
        ("64 tokens", "max_tokens", 64),
        ("2 classes", "labels", 2),
        ("1 epoch", "epochs", 1),
        ("25 rows", "epochs", None),
    ],
)
def test_the_word_for_what_a_setting_counts(text: str, name: str, value: int | None) -> None:
    assert number(text, True, name) == value


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
        ("50 Mb", "size_mb", None),  # megabits
        ("1,000 MB", "size_mb", None),
        ("1 GB", "size_mb", None),
        (90, "relative_accuracy", ">= 0.9"),
        (5, "relative_accuracy", None),
        ("5%", "relative_accuracy", None),
        ("at least 5%", "relative_accuracy", ">= 0.05"),
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
    made = comparison(given_, target)
    assert (made.value if made else None) == bound


@given(st.floats(1e-3, 1).map(lambda value: round(value, 3)), st.sampled_from([">=", ">", ">= "]))
def test_a_right_bound_is_left_alone(value: float, sign: str) -> None:
    assert comparison(f"{sign}{value}", "relative_accuracy") is None


@given(st.text() | st.integers() | st.floats() | st.none(), st.sampled_from(["relative_accuracy", "size_mb"]))
def test_what_comes_out_is_a_bound_on_the_right_side(given_: object, target: str) -> None:
    bound = comparison(given_, target)
    if bound is not None:
        interval = Interval.parse(bound.value)
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
    made = part(given_, name)
    assert (made.value if made else None) == whole


@given(
    st.fractions(Fraction(1, 1000), 1000, max_denominator=1000).map(float),
    st.sampled_from(["", ">= ", "<= ", "> ", "at least ", "≤"]),
    st.sampled_from(["", "%", " %", " MB", "ms", " GB", " million"]),
    st.sampled_from(["relative_accuracy", "relative_emissions", "size_mb", "latency_ms"]),
)
def test_a_certain_bound_keeps_the_magnitude(value: float, sign: str, unit: str, target: str) -> None:
    made = comparison(f"{sign}{value:g}{unit}", target)
    if made and made.certain:
        bound = Interval.parse(made.value)
        meant = Fraction(f"{value:g}") / (100 if "%" in unit else 1)
        assert (bound.low or bound.high) == meant


@given(st.integers(1, 10**6), st.sampled_from(["", " rows", " epochs", " k", " million", " dozen", ",000", "%", ".5"]),
       st.sampled_from(["samples", "epochs", "keep"]))  # fmt: skip
def test_a_certain_count_keeps_the_magnitude(value: int, more: str, name: str) -> None:
    assert number(f"{value}{more}", True, name) in (None, value)
    assert more.strip().isalpha() or more == "" or number(f"{value}{more}", True, name) is None
