"""Bounds of settings, as annotations that pydantic applies when a file is read.

The package annotated-types offers the same, but importing it costs a tenth of the time advice may take.
"""

from __future__ import annotations

from typing import Any


class Bound:
    """A limit on a setting, in the words of pydantic's core schema: gt, ge, lt, le, min_length."""

    __slots__ = ("limits",)

    def __init__(self, **limits: float) -> None:
        self.limits = limits

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return {**handler(source), **self.limits}
