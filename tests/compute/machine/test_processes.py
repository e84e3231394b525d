"""Processes share a batch: each row goes to one of them, and none is without a row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from advisor.compute.machine.processes import share


@given(st.integers(1, 40), st.integers(1, 9))
def test_each_row_goes_to_one_process(rows: int, count: int) -> None:
    parts = [list(share(range(rows), place, count)) for place in range(count)]
    assert sorted(row for part in parts[:rows] for row in part) == list(range(rows))
    assert parts[rows:] == [[0]] * max(0, count - rows)
