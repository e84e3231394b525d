"""How serving is measured, and what a figure of energy that nobody measured is called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from advisor.records.results import Measured

TIME_DERIVED = "time-derived (power not measured)"


@dataclass(frozen=True, slots=True)
class Measuring:
    """seconds: how long each model answers requests. power_log: CSV file of an external power meter."""

    seconds: float = 10.0
    power_log: Path | None = None


def is_time_derived(measured: Measured) -> bool:
    """Whether a figure of energy or emissions is processor time under another name."""
    return measured.value is not None and measured.source.startswith(TIME_DERIVED)
