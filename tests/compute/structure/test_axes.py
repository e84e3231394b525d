"""Axes: where the numbers of a head or neuron lie, in plain and in fused matrices."""

from __future__ import annotations

import pytest
import torch

from advisor.compute.structure.axes import LAYOUTS


@pytest.mark.parametrize(
    ("axis", "length", "places"),
    [
        ("hidden", 4, [0, 2]),
        ("attention", 9, [0, 1, 2, 6, 7, 8]),
        ("3attention", 27, [0, 1, 2, 6, 7, 8, 9, 10, 11, 15, 16, 17, 18, 19, 20, 24, 25, 26]),
        ("attention3", 27, [*range(9), *range(18, 27)]),
        ("heads", 3, [0, 2]),
        ("2intermediate", 8, [0, 2, 4, 6]),
    ],
)
def test_whole_units_stay(axis: str, length: int, places: list[int]) -> None:
    layout = LAYOUTS[axis]
    assert layout.numbers(torch.tensor([0, 2]), length, head_size=3).tolist() == places


@pytest.mark.parametrize("axis", sorted(LAYOUTS))
def test_the_sum_of_a_unit_is_that_of_its_places(axis: str) -> None:
    layout, head_size, units = LAYOUTS[axis], 3, 4
    length = units * layout.outer * layout.inner * (head_size if layout.in_heads else 1)
    along = torch.randn(length, generator=torch.Generator().manual_seed(0)).double()
    sums = [along[layout.numbers(torch.tensor([unit]), length, head_size)].sum() for unit in range(units)]
    assert layout.per_unit(along, head_size).tolist() == pytest.approx([float(one) for one in sums])
