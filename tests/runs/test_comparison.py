"""Predicted beside measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.records.results import Measured, Predicted, Served, StepResult
from advisor.runs.comparison import compared, where

STEP = StepResult(
    "layer_removal", "4 layers", "steps/1-layer_removal", 9, 9, 25, 0.88, Measured(0.979), 0.741,
    Served(time=Measured(0.55), emissions=Measured(why_not="this machine has no cuda device")),
    predicted=Predicted((0.98, 1.0), (0.33, 0.61), (0.3, 0.61), (0.741, 0.741)),
)  # fmt: skip


def test_each_number_lies_somewhere_or_nowhere() -> None:
    assert {one.name: one.where for one in compared(STEP)} == {
        "relative_accuracy": "below",
        "relative_time": "inside",
        "relative_emissions": "",
        "relative_size": "inside",
    }
    assert {one.where for one in compared(replace(STEP, predicted=Predicted()))} == {""}


@pytest.mark.parametrize(
    ("value", "found"), [(0.9746, "below"), (0.9796, "inside"), (1.0004, "inside"), (1.001, "above")]
)
def test_ends_count_as_they_are_printed(value: float, found: str) -> None:
    assert where((0.98, 1.0), value) == found


@given(st.floats(0, 2), st.floats(0, 2), st.floats(0, 2))
def test_what_lies_between_two_ends_is_inside(one: float, other: float, value: float) -> None:
    low, high = sorted((one, other))
    found = where((low, high), value)
    assert found in ("inside", "below", "above")
    if low <= value <= high:
        assert found == "inside"
