"""The budget of a search: hours, watt-hours or a number of trials."""

from __future__ import annotations

import re
from typing import NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.records.search import Spent

UNITS = {"min": 60.0, "h": 3600.0, "wh": 1.0, "trials": 1.0, "trial": 1.0}
PATTERN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(min|h|wh|trials?)\s*", re.IGNORECASE)
HINT = "for example 2h, 90min, 200wh or 30trials"


class Budget(NamedTuple):
    """What may be spent; one of the three is set. seconds: of the clock on the wall. text: as it was given."""

    text: str
    seconds: float | None = None
    wh: float | None = None
    trials: int | None = None

    def left(self, wall: float, spent: Spent, trials: int) -> float:
        """The share that is left, at most 1; below 0 where more was spent."""
        if self.seconds is not None:
            return 1 - wall / self.seconds
        if self.wh is not None:
            return 1 - spent.wh / self.wh
        return 1 - trials / (self.trials or 1)

    def takes(self, seconds: float, wh: float | None) -> float:
        """The share that some work will use up; 0 of a number of trials, and where its energy is not known."""
        if self.seconds is not None:
            return seconds / self.seconds
        return (wh or 0.0) / self.wh if self.wh is not None else 0.0


def parse(text: str) -> Budget:
    """A budget as people write it.

    Raises:
        AdviseError: it is none, or nothing.
    """
    found = PATTERN.fullmatch(text)
    if found is None:
        raise AdviseError(Fault(f"--budget: expected hours, watt-hours or trials, got {text!r}", hint=HINT))
    unit = found[2].lower()
    amount = float(found[1]) * UNITS[unit]
    if amount <= 0 or (unit.startswith("trial") and amount != int(amount)):
        raise AdviseError(Fault(f"--budget: expected more than nothing, in whole trials, got {text!r}", hint=HINT))
    written = text.strip()
    if unit == "wh":
        return Budget(written, wh=amount)
    return Budget(written, trials=int(amount)) if unit.startswith("trial") else Budget(written, seconds=amount)
