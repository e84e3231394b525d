"""A label as a source has it."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

Class = int | str | float  # a label as the source has it; a number with a fraction means regression


NAME_THEM = "name the columns with --text, --pair and --label"


def label_of(value: Any, unlabelled: int | None = -1) -> Any:
    """A label as int, str or bool; None where it is missing or -1; a fraction or a list stays as it is."""
    if isinstance(value, str):
        value = value.strip()
        with suppress(ValueError):
            number = float(value)
            value = number if abs(number) < 2**53 else value  # neither inf nor nan nor rounded
    if isinstance(value, float) and (value.is_integer() or math.isnan(value)):
        value = None if math.isnan(value) else int(value)
    return None if value in (None, "", unlabelled) else value
