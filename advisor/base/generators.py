"""Generators that do work, yield progress meanwhile, and return a result."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

Result = TypeVar("Result")


def result_of(work: Generator[Any, None, Result]) -> Result:
    """The result of some work whose progress nobody wants to see."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: Result = end.value
            return found
