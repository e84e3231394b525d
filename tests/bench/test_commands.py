"""Every measurement can still be started: nothing that it imports has been renamed or removed."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.mark.parametrize("name", sorted(file.stem for file in BENCH.glob("*.py")))
def test_a_measurement_can_be_started(name: str) -> None:
    assert importlib.import_module(name).__doc__
