"""advise: a declarative, rule-based advisor for making language models small and green.

`advisor.load(run_dir)` gives the model of a finished run as a predictor: see `advisor.runs.predictor.load`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from advisor.runs.predictor import load

__all__ = ["load"]


def __getattr__(name: str) -> Any:
    if name == "load":  # imported when it is asked for: advice does without it
        return import_module("advisor.runs.predictor").load
    raise AttributeError(f"module 'advisor' has no attribute {name!r}")
