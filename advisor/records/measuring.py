"""How serving is measured, and what a figure of energy that nobody measured is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.records.results import Measured

EXTERNAL = "external power meter"
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
    one, other = scale(making), scale(serving)
    return "" if one == other else f"making it {one}, serving {other}: two scales of energy"


def of_two_scales(making: Sequence[Measured]) -> str:
    """Why what making several models took is not added up; empty where it all is on one scale."""
    found = sorted(set(map(scale, making)))
    return f"making some {found[0]}, making others {found[1]}: two scales of energy" if len(found) > 1 else ""


def scale(measured: Measured) -> str:
    """How a figure of energy or emissions came about, in words: figures of one scale alone can be weighed."""
    if is_time_derived(measured):
        return "is time-derived"
    return f"was metered by {'an external meter' if measured.source.startswith(EXTERNAL) else 'counters'}"


def is_time_derived(measured: Measured) -> bool:
    """Whether a figure of energy or emissions is processor time under another name."""
    return measured.value is not None and measured.source.startswith(TIME_DERIVED)
