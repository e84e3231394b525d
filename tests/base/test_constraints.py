"""Counts as people write them."""

from __future__ import annotations

import pytest

from advisor.base.constraints import amount
from advisor.recipe.reader import loads

HEAD = "version: 1\nname: x\nmodel: {source: bert}\ndevice: cpu\nsteps: [finetune]\ndata:\n  samples: "


@pytest.mark.parametrize(
    ("written", "count"),
    [("10k", 10_000), ("1.5M", 1_500_000), ("25,000", 25_000), ("25_000", 25_000), ("1e4", 10_000), ("2B", 2 * 10**9)],
)
def test_a_recipe_takes_counts_as_people_write_them(written: str, count: int) -> None:
    assert loads(HEAD + written)[0].data.samples == count


@pytest.mark.parametrize("written", ["1.2345k", "10 k", "2,50", "k", 7, None, 2.5])
def test_what_is_no_such_count_is_left_alone(written: object) -> None:
    assert amount(written) == written
