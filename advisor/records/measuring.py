"""How serving is measured, and what a figure of energy that nobody measured is called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.records.results import Measured

TIME_DERIVED = "time-derived (power not measured)"


@dataclass(frozen=True, slots=True)
class Measuring:
    """How a run's models are measured.

    seconds: how long each model answers requests. power_log: CSV file of an external power meter. protocol: "", or
    "aienergyscore" for that project's number of rows, batches and runs.
    """

    seconds: float = 10.0
    power_log: Path | None = None
    protocol: str = ""

    def stated(self) -> dict[str, Any]:
        """As a report keeps it: without the folders of this machine."""
        log = self.power_log.name if self.power_log else ""
        return {"seconds": self.seconds, "power_log": log, "protocol": self.protocol}


def two_scales(making: Measured, serving: Measured) -> str:
    """Why what making a model took is not weighed against serving it; empty where both are on one scale of energy."""
    derived = "is time-derived", "was metered"
    if is_time_derived(making) == is_time_derived(serving):
        return ""
    how = derived if is_time_derived(making) else derived[::-1]
    return f"making it {how[0]}, serving {how[1]}: two scales of energy"


def is_time_derived(measured: Measured) -> bool:
    """Whether a figure of energy or emissions is processor time under another name."""
    return measured.value is not None and measured.source.startswith(TIME_DERIVED)
