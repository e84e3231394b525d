"""Values in another form than recipes take, as `95%` for a bound of 0.95.

A form is certain where it can be read in one way only. `25,000` is twenty-five to half of the world, `25 million` is
no 25, and `relative_accuracy: 5%` is a loss as often as a bound: such values are left to people, or to unsafe fixes.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction
from math import isfinite
from typing import Any, NamedTuple

from advisor.base.interval import Interval, show
from advisor.recipe.recipe import AS_BOUND, SHARES

Number = int | float
UNITS = {"size_mb": ("mb", "MB"), "latency_ms": ("ms",), "grams_per_1000": ("g",), "grams_to_make": ("g",)}
SIGNS = {"≥": ">=", "≤": "<=", "=>": ">=", "=<": "<=", "at least": ">=", "at most": "<="}
LIKELY_SHARE = Fraction(1, 2)  # of the accuracy that somebody wants to keep; less is a loss as often
# What the numbers of some settings count, beside their own names.
COUNTED = {
    "samples": ("rows", "examples", "texts"),
    "keep": ("layers", "blocks"),
    "labels": ("classes",),
    "texts": (),
    "tokens": (),
}
_DIGITS = "[0-9]{1,15}"  # nobody means a number of more
_BOUND = re.compile(rf"^(>=|<=|>|<|)\s*({_DIGITS}(?:\.{_DIGITS})?)\s*(%|[a-zA-Z]+|)$")
_COUNTED = re.compile(r"^([0-9][0-9_]{0,17})\s+([a-z]{3,})$")  # 3 epochs
_DECIMAL_COMMA = re.compile(rf"^{_DIGITS},(?![0-9]{{3}}$){_DIGITS}$|^0,{_DIGITS}$")  # 2,000 may be two thousand
_PERCENT = re.compile(rf"^({_DIGITS}(?:\.{_DIGITS})?)\s*%$")


class Form(NamedTuple):
    """A value in the form that recipes take. certain: nothing else can have been meant."""

    value: Any
    certain: bool


def number(text: str, whole: bool, name: str = "") -> Number | None:
    """The number that a text certainly is: in quotes, with the word for what it counts, or as a percentage.

    Args:
        name: of the setting, which says what it counts.
    """
    if whole and (match := _COUNTED.match(text)) and match[2].rstrip("s") in _counted(name):
        return int(match[1].replace("_", ""))
    if not whole and _DECIMAL_COMMA.match(text):
        return float(text.replace(",", "."))
    if not whole and (match := _PERCENT.match(text)):
        return float(Fraction(match[1]) / 100)
    value = json_number(text)
    return value if isinstance(value, int) or not whole else None


def _counted(name: str) -> set[str]:
    """The words, without a plural s, for what a setting counts."""
    last = name.rpartition("_")[2]
    return {word.rstrip("s") for word in (last, *COUNTED.get(last, ()))}


def json_number(text: str) -> Number | None:
    """The number that a text is, in the form in which JSON writes numbers."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) else None


def comparison(given: Any, target: str) -> Form | None:
    """The bound of a target, which has one side only; None where it is right already, or not clear."""
    if not isinstance(given, str | int | float) or isinstance(given, bool):
        return None
    match = _BOUND.match(_plain(str(given)))
    if match is None or match[1][:1] not in ("", AS_BOUND[target][0]) or not _fits(match[3], target):
        return None
    found = _share(match, target)
    if found is None or (isinstance(given, str) and _same(given, found.value)):
        return None
    return found._replace(value=f"{match[1] or AS_BOUND[target]} {show(found.value).replace(',', '')}")


def _plain(text: str) -> str:
    """A bound without quotes, with the signs that recipes know and a decimal point."""
    text = text.strip(" '\"“”„‘’")
    for other, sign in SIGNS.items():
        text = re.sub(re.escape(other), sign, text, flags=re.IGNORECASE)
    return re.sub(
        r"(?<!\d)\d+,\d+", lambda one: one[0].replace(",", ".") if _DECIMAL_COMMA.match(one[0]) else one[0], text
    )


def _fits(unit: str, target: str) -> bool:
    return unit in ("", *UNITS.get(target, ())) or (unit == "%" and target in (*SHARES, "relative_emissions"))


def _share(match: re.Match[str], target: str) -> Form | None:
    """The number of a bound, a relative one as a share, and whether it is certain."""
    sign, unit, value = match[1], match[3], Fraction(match[2])
    accuracy = target in SHARES
    hundredths = unit == "%" or (accuracy and value >= 2)
    value = value / 100 if hundredths else value
    if value <= 0 or (accuracy and (value > 1 or (not sign and value < LIKELY_SHARE))):
        return None
    if accuracy and unit != "%" and hundredths:
        return Form(value, False) if value >= LIKELY_SHARE else None
    return Form(value, bool(sign) or target != "relative_emissions")  # 90% may be what is saved


def _same(given: str, value: Fraction) -> bool:
    """Is it a comparison with this number already?"""
    try:
        bound = Interval.parse(given)
    except ValueError:
        return False
    return value in (bound.low, bound.high)


def part(given: Any, name: str) -> Form | None:
    """A part of a recipe that is given as its one most telling value."""
    if name in ("goal", "gates") and isinstance(given, str):
        signed = ">" in _plain(given)
        bound = comparison(given, "relative_accuracy") or (Form(given, True) if _accuracy(given) else None)
        return Form({"relative_accuracy": bound.value}, signed and bound.certain) if bound else None
    if name in ("model", "data") and isinstance(given, str) and given.strip():
        return Form({"source": given}, True)
    count = isinstance(given, int) and not isinstance(given, bool) and given > 0
    return Form({"samples": given}, False) if name == "data" and count else None


def _accuracy(given: str) -> bool:
    try:
        bound = Interval.parse(given)
    except ValueError:
        return False
    return bound.low is not None and bound.high is None and 0 < bound.low <= 1
