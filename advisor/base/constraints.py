"""Bounds and forms of settings, as annotations that pydantic applies when a file is read.

The package annotated-types offers the same, but importing it costs a tenth of the time advice may take.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

_AMOUNT = re.compile(r"^([0-9]{1,15}(?:\.[0-9]{1,15})?)([kMB])$")
_THOUSANDS = re.compile(r"^[0-9]{1,3}(,[0-9]{3}){1,5}$")
_UNITS = {"k": 1_000, "M": 1_000_000, "B": 1_000_000_000}


class Bound:
    """A limit on a setting, in the words of pydantic's core schema: gt, ge, lt, le, min_length."""

    __slots__ = ("limits",)

    def __init__(self, **limits: float) -> None:
        self.limits = limits

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return {**handler(source), **self.limits}


class Amount:
    """A count as people write it: 10k, 1.5M, or 25,000 where the comma does not end the value; beside plain numbers."""

    __slots__ = ()

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(amount, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        number = handler(schema)
        words = {"type": "string", "pattern": f"{_AMOUNT.pattern}|{_THOUSANDS.pattern}"}
        return {**{key: number[key] for key in ("title",) if key in number}, "anyOf": [number, words]}


def amount(value: Any) -> Any:
    """The number that 10k or 25,000 stands for; anything else as it is."""
    if isinstance(value, str) and (match := _AMOUNT.match(value)):
        count = Fraction(match[1]) * _UNITS[match[2]]
        return int(count) if count.denominator == 1 else value
    return int(value.replace(",", "")) if isinstance(value, str) and _THOUSANDS.match(value) else value


FORBID_EXTRA: dict[str, Any] = {"extra": "forbid"}
