"""Spread: what several seeds of one recipe give: mean, standard deviation and range, and gates judged on the mean.

A gate is a claim about the recipe, so luck with one seed must neither pass nor fail it. Whoever deploys one of the
models has its own run with its own gates, in the folder of its seed.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from advisor.base.interval import Interval
from advisor.base.rounding import rounded
from advisor.records.break_even import break_even_of_seeds
from advisor.records.results import CONSTANT_GATES, NOT_YET, VERSION, GateResult, Measured, RunResult
from advisor.runs.summary import warning


@dataclass(frozen=True, slots=True)
class Spread:
    """A number over all seeds. stdev: of the sample; None for one seed, which has none."""

    mean: float
    stdev: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SeedStep:
    """A model after one step, over all seeds. accuracy: the value of the task's metric. None: not measured."""

    name: str
    words: str
    accuracy: Spread
    relative_accuracy: Spread | None
    relative_size: Spread
    relative_time: Spread | None
    relative_emissions: Spread | None


@dataclass(frozen=True, slots=True)
class SeedsResult:
    """The finished runs of one recipe with several seeds. paths: the folder of each below the outer one.

    summary: what is to be read before every number; empty where nothing is. payback: requests after which one of the
    models has saved what making all of them emitted.
    """

    name: str
    seeds: tuple[int, ...]
    paths: tuple[str, ...]
    steps: tuple[SeedStep, ...]
    gates: tuple[GateResult, ...]
    runs: tuple[RunResult, ...]
    version: int = VERSION
    summary: str = ""
    payback: Measured = NOT_YET

    @property
    def passed(self) -> bool:
        return all(gate.passed for gate in self.gates)


def gathered(runs: Sequence[RunResult], seeds: Sequence[int], paths: Sequence[str]) -> SeedsResult:
    """All seeds' runs as one result."""
    steps = tuple(
        SeedStep(
            step.name,
            step.words,
            _of([run.steps[place].accuracy for run in runs]),
            spread([run.steps[place].relative_accuracy for run in runs]),
            _of([run.steps[place].relative_size for run in runs]),
            spread([run.steps[place].served.time for run in runs]),
            spread([run.steps[place].served.emissions for run in runs]),
        )
        for place, step in enumerate(runs[0].steps)
    )
    gates = tuple(_gate([run.gates[place] for run in runs]) for place in range(len(runs[0].gates)))
    found = SeedsResult(runs[0].name, tuple(seeds), tuple(paths), steps, gates, tuple(runs))
    return replace(found, summary=warning(gates), payback=break_even_of_seeds(runs))


def spread(measured: Sequence[Measured]) -> Spread | None:
    """The spread of a measurement, None where a seed has none."""
    values = [one.value for one in measured if one.value is not None]
    return _of(values) if len(values) == len(measured) else None


def _of(values: Sequence[float]) -> Spread:
    stdev = statistics.stdev(values) if len(values) > 1 else None
    return Spread(statistics.fmean(values), stdev, min(values), max(values))


def _gate(gates: Sequence[GateResult]) -> GateResult:
    first, found = gates[0], spread([gate.measured for gate in gates])
    if found is None:
        missing = next(gate.measured for gate in gates if gate.measured.value is None)
        return GateResult(first.name, first.demanded, missing, False)
    several = len(gates) > 1
    source = f"mean of {len(gates)} seeds, {rounded(found.low)} to {rounded(found.high)}" if several else "one seed"
    measured = Measured(found.mean, source=source, spread=(found.low, found.high))
    passed = Interval.parse(first.demanded).holds(found.mean)
    if first.name in CONSTANT_GATES:
        return _constant_gate(gates, measured, passed)
    return GateResult(first.name, first.demanded, measured, passed)


def _constant_gate(gates: Sequence[GateResult], measured: Measured, passed: bool) -> GateResult:
    """The mean against a constant answer; one seed whose model is no better shows that the recipe may make such."""
    first = gates[0]
    worthless = sum(gate.state == "missed" for gate in gates)
    unclear = sum(gate.state == "not shown" for gate in gates)
    of = f"of {len(gates)} seeds"
    if not passed:
        words = f"no better than a constant answer in the mean {of}: {first.measured.source}"
        return GateResult(first.name, first.demanded, measured, False, "missed", words)
    if worthless or unclear:
        words = f"not shown to be better than a constant answer with {worthless + unclear} {of}"
        return GateResult(first.name, first.demanded, measured, True, "not shown", words)
    return GateResult(first.name, first.demanded, measured, True, "passed", first.words)
