"""What a recipe file with nonsense in a step's settings is answered."""

from __future__ import annotations

import pytest

from advisor.base.errors import AdviseError
from advisor.recipe.reader import loads


def refusal(step: str) -> str:
    """The first line of the answer to a recipe with this step, without its place."""
    head = "version: 1\nname: x\nmodel: {source: bert}\ndevice: cpu\nsteps:\n"
    with pytest.raises(AdviseError) as caught:
        loads(f"{head}  - {step}\n", "r.yaml")
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == ("r.yaml", 6) and fault.column > 4
    return fault.message
