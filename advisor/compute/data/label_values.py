"""A label as a source has it."""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
from contextlib import suppress
from typing import Any

Class = int | str | float  # a label as the source has it; a number with a fraction means regression
STRING = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
NUMBER = r"-?\d+(?:\.\d*)?(?:e[+-]?\d+)?"
ITEM = rf"(?:{STRING}|{NUMBER}|True|False)"
# An array of numpy as pandas writes it, without commas: ['a' 'b'], [0 1], [0. 1.] or [ True False].
ARRAY = re.compile(rf"\[\s*{ITEM}(?:\s+{ITEM})+\s*\]", re.DOTALL)
# What is numpy's within what Python writes: array(['a', 'b'], dtype=object), np.int64(3). Strings are passed over.
IN_NUMPY = re.compile(
    rf"(?P<text>{STRING})|array\((?P<array>\[(?:\s*{ITEM}(?:\s*,\s*{ITEM})*)?\s*\])(?:,\s*dtype=[\w'<>|]+)?\)"
    rf"|np\.\w+\((?P<one>{ITEM})\)",
    re.DOTALL,
)
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


def listed(value: Any) -> Any:
    """A list that is written as JSON, as Python's or as numpy's, as that list; any other value as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "(")):
        return value
    items = re.findall(ITEM, value, re.DOTALL) if ARRAY.fullmatch(value.strip()) else []
    found = literal(f"[{', '.join(items)}]" if items else value, value)
    return list(found) if isinstance(found, list | tuple) else value


def literal(text: str, otherwise: Any) -> Any:
    """What a text says as JSON or as Python writes it, arrays of numpy in it as lists; or else something else."""
    for read in (json.loads, ast.literal_eval, _of_numpy):
        with suppress(ValueError, TypeError, SyntaxError, MemoryError, RecursionError), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's own, of a backslash before a letter
            return read(text.strip())
    return otherwise


def _of_numpy(text: str) -> Any:
    return ast.literal_eval(IN_NUMPY.sub(lambda found: found["text"] or found["array"] or found["one"], text))
