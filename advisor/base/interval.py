"""Intervals of exact numbers, as conditions, limits and gates write them: "< 10000", ">= 1/3", "1000..9999"."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from advisor.base.errors import short

NUMBER = r"[-+]?(?:\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d{1,3})?|\.\d+)(?:/\d+)?"
_COMPARISON = re.compile(rf"^(<=|>=|<|>)\s*({NUMBER})$", re.ASCII)
_RANGE = re.compile(rf"^({NUMBER})\s*\.\.\s*({NUMBER})$", re.ASCII)
MOST_SIGNS, LARGEST = 60, Fraction(10) ** 300  # of a number that somebody writes
FORMS = '"< 10000", "<= 1/3", ">= 0.90", "> 5" or a range "1000..9999"'

Number = int | float | Fraction


def exact(number: Number) -> Fraction:
    """The number as it is written: 0.9 is 9/10, not the nearest binary fraction."""
    return Fraction(repr(number)) if isinstance(number, float) else Fraction(number)


class Interval(NamedTuple):
    """Numbers between two ends; an end of None is open to infinity. Both ends belong to it unless excluded."""

    low: Fraction | None = None
    high: Fraction | None = None
    without_low: bool = False
    without_high: bool = False

    @classmethod
    def parse(cls, text: str) -> Interval:
        """Read one of the forms above.

        Raises:
            ValueError: it is none of them, a range whose ends are the wrong way round, or beyond all numbers in use.
        """
        if match := _COMPARISON.match(text.strip()):
            sign, number = match[1], _written(match[2])
            if sign[0] == "<":
                return cls(high=number, without_high=sign == "<")
            return cls(low=number, without_low=sign == ">")
        if match := _RANGE.match(text.strip()):
            low, high = _written(match[1]), _written(match[2])
            if low <= high:
                return cls(low=low, high=high)
            raise ValueError(f"the range {short(text)!r} ends before it begins")
        raise ValueError(f"{short(text)!r} is not a comparison: write {FORMS}")

    def holds(self, number: Number) -> bool:
        """Does the number lie in the interval? Infinities are allowed."""
        if isinstance(number, float) and number in (float("inf"), float("-inf")):
            return (self.high is None) if number > 0 else (self.low is None)
        # Whole numbers multiplied crosswise: comparing fractions as such is ten times slower.
        value, parts = (number, 1) if isinstance(number, int) else exact(number).as_integer_ratio()
        if self.low is not None:
            beyond = value * self.low.denominator - self.low.numerator * parts
            if beyond < 0 or (beyond == 0 and self.without_low):
                return False
        if self.high is not None:
            short = self.high.numerator * parts - value * self.high.denominator
            if short < 0 or (short == 0 and self.without_high):
                return False
        return True

    def meets(self, other: Interval) -> bool:
        """Is there a number in both? Between two numbers there is always another, so settings count as real numbers."""
        low, without_low = max(self._from(), other._from())
        high, within_high = min(self._to(), other._to())
        return low < high or (low == high and not without_low and within_high)

    def within(self, other: Interval) -> bool:
        """Does every number of this one lie in the other?"""
        return self._from() >= other._from() and self._to() <= other._to()

    def _from(self) -> tuple[Fraction | float, bool]:
        """The low end, such that a larger one is narrower: an end that does not belong is beyond one that does."""
        return (float("-inf") if self.low is None else self.low, self.without_low)

    def _to(self) -> tuple[Fraction | float, bool]:
        return (float("inf") if self.high is None else self.high, not self.without_high)

    def __str__(self) -> str:
        if self.low is not None and self.high is not None:
            return f"{show(self.low)}..{show(self.high)}"
        if self.low is not None:
            return f"{'>' if self.without_low else '>='} {show(self.low)}"
        return f"{'<' if self.without_high else '<='} {show(self.high or Fraction(0))}"


def _written(text: str) -> Fraction:
    """The number that somebody wrote. Raises ValueError for one that nobody means, or that no float comes near."""
    try:
        number = Fraction(text.replace("_", "")) if len(text) <= MOST_SIGNS else LARGEST + 1
    except ZeroDivisionError:
        number = LARGEST + 1
    if number and not 1 / LARGEST <= abs(number) <= LARGEST:
        raise ValueError(f"{text[:MOST_SIGNS]!r} is out of range: write a number from 1e-300 to 1e300, or 0")
    return number


def show(number: Number) -> str:
    """A number as people write it: 10,000; 0.95; 1/3."""
    value = exact(number)
    if value.denominator == 1:
        return f"{value.numerator:,}"
    short = f"{float(value):.6g}"
    return short if Fraction(short) == value else f"{value.numerator}/{value.denominator}"


def near(number: Number) -> str:
    """A measured or computed number as people read it: exact where that is short, else with six digits."""
    value = exact(number)
    return show(number) if value.denominator <= 1000 else f"{float(value):.6g}"
