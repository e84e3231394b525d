"""Energy from processor time, where no power is measured: the seconds that this process computed, at a fixed power.

Shares of it are shares of processor time under another name, and are called so everywhere (`TIME_DERIVED`).
"""

from __future__ import annotations

import logging
import os
from functools import cache
from typing import NamedTuple

from codecarbon.core.cpu import TDP
from codecarbon.core.util import count_cpus

from advisor.records.measuring import TIME_DERIVED

logging.getLogger("codecarbon").setLevel(logging.ERROR)  # it warns of every CPU that its table lacks


class Assumed(NamedTuple):
    """Power that the CPU is assumed to draw for each thread that computes; its design power shared among them."""

    watts: float
    cpu: str

    def words(self) -> str:
        """In a few words, for a report."""
        return f"{TIME_DERIVED}: this process's processor time at {self.watts:.3g} W a thread ({self.cpu})"


@cache
def assumed_power() -> Assumed:
    """Of this machine's CPU, by codecarbon's table of design powers; its default where the table lacks it."""
    found = TDP()
    threads = count_cpus()
    return Assumed((found.tdp or 4.0 * threads) / threads, found.model)


def processor_seconds() -> float:
    """Processor time of this process and of those that it has waited for, in user and system mode."""
    return sum(os.times()[:4])
