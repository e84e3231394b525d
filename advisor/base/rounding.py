"""Measured numbers as people write them: with the digits that count, and never with an exponent."""

from __future__ import annotations

import math

from advisor.base.interval import Interval

MOST_DIGITS = 17  # tell any two floats apart


def rounded(value: float, digits: int = 4) -> str:
    """A number with so many digits that count, and all digits before the point. Examples: 0.00145, 31,250."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if places else text


def beside(value: float, bound: Interval) -> str:
    """A number that is judged by a bound: four digits, and more where they would put it on the bound's other side."""
    for digits in range(4, MOST_DIGITS):
        text = rounded(value, digits)
        if bound.holds(float(text.replace(",", ""))) == bound.holds(value):
            return text
    return rounded(value, MOST_DIGITS)


def judged(value: float | None, required: str) -> str:
    """A number that a bound judges, or that it was not measured; never rounded onto the bound's other side."""
    if value is None:
        return "not measured"
    try:
        return beside(value, Interval.parse(required))
    except ValueError:  # of a report that somebody edited
        return rounded(value)
