"""Meant: what a value clearly says that a recipe takes only in another form, as `95%` for a bound of 0.95."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from math import isfinite
from typing import Any

from advisor.base.interval import Interval, show
from advisor.recipe.recipe import AS_BOUND

Number = int | float
UNITS = {"size_mb": "mb", "latency_ms": "ms"}
SIGNS = {"≥": ">=", "≤": "<=", "=>": ">=", "=<": "<=", "at least": ">=", "at most": "<="}
_BOUND = re.compile(r"^(>=|<=|>|<|)\s*(\d+(?:\.\d+)?)\s*(%|[a-z]+|)$")
_COUNTED = re.compile(r"^(\d[\d_]*)\s+[a-z]{3,}$")  # 3 epochs
_THOUSANDS = re.compile(r"^\d{1,3}(,\d{3})+$")
_DECIMAL_COMMA = re.compile(r"^\d+,\d+$")
_PERCENT = re.compile(r"^(\d+(?:\.\d+)?)\s*%$")


def number(text: str, whole: bool) -> Number | None:
    """The number in a text: in quotes, with the word for what it counts, with a comma, or as a percentage."""
    if whole and (match := _COUNTED.match(text)):
        return int(match[1].replace("_", ""))
    if whole and _THOUSANDS.match(text):
        return int(text.replace(",", ""))
    if not whole and _DECIMAL_COMMA.match(text):
        return float(text.replace(",", "."))
    if not whole and (match := _PERCENT.match(text)):
        return float(Fraction(match[1]) / 100)
    return json_number(text)


def json_number(text: str) -> Number | None:
    """The number that a text is, in the form in which JSON writes numbers."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) else None


def comparison(given: Any, target: str) -> str | None:
    """The bound of a target, which has one side only; None where it is right already, or not clear."""
    if not isinstance(given, str | int | float) or isinstance(given, bool):
        return None
    text = str(given).strip(" '\"“”„‘’").lower()
    for other, sign in SIGNS.items():
        text = text.replace(other, sign)
    match = _BOUND.match(text.replace(",", ".") if _BOUND.match(text.replace(",", ".")) else text)
    if match is None or match[1][:1] not in ("", AS_BOUND[target][0]) or match[3] not in ("", "%", UNITS.get(target)):
        return None
    value = _share(Fraction(match[2]), match[3], target)
    if value is None or (isinstance(given, str) and _same(given, value)):
        return None
    return f"{match[1] or AS_BOUND[target]} {show(value).replace(',', '')}"


def _share(value: Fraction, unit: str, target: str) -> Fraction | None:
    """The number of a bound; a relative one may be given in per cent."""
    relative = target.startswith("relative_")
    if unit == "%" and not relative:
        return None
    if unit == "%" or (target == "relative_accuracy" and value >= 2):
        value /= 100
    return value if value > 0 and (value <= 1 or target != "relative_accuracy") else None


def _same(given: str, value: Fraction) -> bool:
    """Is it a comparison with this number already?"""
    try:
        bound = Interval.parse(given)
    except ValueError:
        return False
    return value in (bound.low, bound.high)


def part(given: Any, name: str) -> dict[str, Any] | None:
    """A part that is given as its one most telling value."""
    if name in ("goal", "gates") and isinstance(given, str):
        bound = comparison(given, "relative_accuracy") or (given if _accuracy(given) else None)
        return {"relative_accuracy": bound} if bound else None
    if name in ("model", "data") and isinstance(given, str) and given.strip():
        return {"source": given}
    count = isinstance(given, int) and not isinstance(given, bool) and given > 0
    return {"samples": given} if name == "data" and count else None


def _accuracy(given: str) -> bool:
    try:
        bound = Interval.parse(given)
    except ValueError:
        return False
    return bound.low is not None and bound.high is None and 0 < bound.low <= 1
