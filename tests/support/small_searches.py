"""A search as a literal value: trials in every state, recipes that rules and sizes leave out, and a front."""

from __future__ import annotations

from dataclasses import replace

from advisor.records.results import Measured
from advisor.records.search import (
    Agreement,
    Excluded,
    Forecast,
    Point,
    Reached,
    SearchResult,
    SeedOfPoint,
    Spent,
    Trial,
)


def measured(value: float, width: float = 0.0) -> Measured:
    return Measured(value, source="counted", interval=(value - width, value + width) if width else None)


def trial(number: int, keep: int, int8: bool, share: float, accuracy: float, cost: float | None = None) -> Trial:
    """A trial; measured where it has a cost."""
    choices = {"layers": keep, "choose": "spread", "int8": int8}
    name = f"{keep} of 12 layers{', int8' if int8 else ''}"
    rungs = (
        Reached("0", measured(accuracy - 0.08, 0.02), 0.6, "a"),
        Reached("1/9", measured(accuracy, 0.01), 0.4, "b"),
    )
    made = Trial(number, "proposed", 1, name, "moderate", choices, {"steps": []}, share, rungs=rungs)
    if cost is None:
        return replace(made, status="stopped", why="4 of 6 trials of its level go on, and it is not one of them")
    full = (*rungs, Reached("1", measured(accuracy, 0.01), 0.35, "c"))
    return replace(
        made, status="measured", rungs=full, kept=measured(accuracy, 0.01), size_mb=measured(260 * share),
        time=measured(cost, 0.01), emissions=measured(cost, 0.02), latency_ms=measured(40 * cost),
        meets={"relative_accuracy": accuracy - 0.01 >= 0.97, "relative_emissions": cost + 0.02 <= 0.5},
    )  # fmt: skip


FAILED = replace(
    trial(5, 2, False, 0.17, 0.7), status="failed", why="the disk is full: 12 MB are free", rungs=(), kept=Measured()
)
TRIALS = (
    replace(trial(0, 8, True, 0.66, 0.985, 0.31), origin="advised"),
    replace(trial(1, 6, True, 0.5, 0.972, 0.24), origin="level"),
    trial(2, 8, False, 0.66, 0.984, 0.66),
    trial(3, 4, True, 0.33, 0.93, 0.16),
    trial(4, 3, False, 0.25, 0.88),
    FAILED,
)
ONE = Excluded("1 of 12 layers", "extreme", {"layers": 1}, "layers/at-least-two", "fewer than 2 layers forget the task")
EXCLUDED = (
    ONE,
    replace(ONE, name="1 of 12 layers, int8"),
    Excluded("12 of 12 layers", "", {"layers": 12}, "", "438 MB are above the goal of 300 MB"),
)  # fmt: skip


def seed(number: int, kept: float) -> SeedOfPoint:
    return SeedOfPoint(
        number, f"runs/{number}", measured(kept, 0.01), measured(171), measured(0.3, 0.01), measured(0.31, 0.02),
        measured(12.4),
    )  # fmt: skip


def going() -> SearchResult:
    """A search that has not ended."""
    return SearchResult(
        "bert-base-uncased", "sst2", "cpu", {"relative_accuracy": ">= 0.97", "relative_emissions": "<= 0.5"},
        {"layers": (12, 8, 6, 4, 3, 2, 1), "choose": ("spread", "top"), "int8": (False, True)}, "2h", "0" * 64,
        requests=100_000, forecast=Forecast(5400.0, 120.0, None, "3 finished runs of BERT on this machine"),
        trials=TRIALS, excluded=EXCLUDED, frontier=(0, 1, 3),
        agreement=(Agreement("1/9", "1", 0.67, 4), Agreement("0", "1/9", None, 2)),
        spent=Spent(1800.0, 40.0, 2.25, 1), wall_seconds=1200.0,
        provenance={"machine": "AMD EPYC", "versions": {"torch": "2.13"}},
    )  # fmt: skip


def ended() -> SearchResult:
    """A search that found a recipe that meets its goals."""
    met = {"relative_accuracy": True, "relative_emissions": True}
    first = Point(0, TRIALS[0].name, "recipes/0.yaml", (seed(0, 0.986), seed(1, 0.982), seed(2, 0.984)), met, {})
    missed = Point(
        1, TRIALS[1].name, "recipes/1.yaml", (replace(seed(0, 0.968), emissions=measured(0.24, 0.02)),),
        {**met, "relative_accuracy": False}, {"relative_accuracy": 0.958},
    )  # fmt: skip
    return replace(going(), front=(first, missed), stopped="the goals are met with certainty")
