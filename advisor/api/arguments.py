"""Check the arguments of API functions: every fault at once, each with what was expected and what was given."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Integral, Real

from advisor.base.errors import AdviseError, Fault, suggest


class Arguments:
    """Collects what is wrong with the arguments of one call."""

    def __init__(self, function: str) -> None:
        self.function = function
        self.faults: list[Fault] = []

    def wrong(self, message: str, hint: str = "") -> None:
        """Note a fault."""
        self.faults.append(Fault(f"{self.function}: {message}", hint=hint))

    def whole(self, name: str, value: object, least: int) -> None:
        """A whole number of at least `least`, or None."""
        fits = isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least
        if value is not None and not fits:
            self.wrong(f"{name}: expected a whole number of at least {least}, got {value!r}")

    def number(self, name: str, value: object, least: float, most: float) -> None:
        """A finite number between two bounds, or None."""
        fits = isinstance(value, Real) and not isinstance(value, bool) and least <= float(value) <= most
        if value is not None and not (fits and math.isfinite(float(value))):  # type: ignore[arg-type]
            self.wrong(f"{name}: expected a number from {least:g} to {most:g}, got {value!r}")

    def choice(self, name: str, value: object, known: Iterable[str]) -> None:
        """One of some words, or None."""
        names = list(known)
        if value is not None and value not in names:
            self.wrong(f"{name}: expected one of {', '.join(names)}, got {value!r}", suggest(value, names))

    def refuse(self) -> None:
        """Raise an AdviseError with every fault that was noted."""
        if self.faults:
            raise AdviseError(*self.faults)
