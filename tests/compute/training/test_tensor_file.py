"""What is written is read again, in any order, and no file is left."""

from __future__ import annotations

from pathlib import Path

import torch
from hypothesis import given
from hypothesis import strategies as st

from advisor.compute.training.tensor_file import Spool

SHAPES = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5)), min_size=1, max_size=12)


@given(SHAPES, st.randoms())
def test_tensors_come_back_in_any_order(shapes: list[tuple[int, int]], order: object) -> None:
    spool, tensors = Spool(None), [torch.randn(shape) for shape in shapes]
    for number, tensor in enumerate(tensors):
        spool.write(number, tensor)
    numbers = list(range(len(shapes)))
    order.shuffle(numbers)  # type: ignore[attr-defined]
    for number in numbers:
        assert torch.equal(spool.read(number), tensors[number].bfloat16())


def test_the_file_has_no_name(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write("states", torch.ones(1000))
    assert spool.read("states").sum() == 1000
    assert not list(tmp_path.iterdir())
