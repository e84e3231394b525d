"""Families that slow tests are run with: two by default, one of either kind of norm; the others where there is time."""

from __future__ import annotations

import pytest

FEW = ("bert", "gpt2", *(pytest.param(name, marks=pytest.mark.slow) for name in ("opt", "t5")))
