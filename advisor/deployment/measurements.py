"""The measured numbers: do they follow from the predictions, keep every bound, and speak of the right device?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from advisor.base.yamlfile import Document
from advisor.deployment.gates import ENOUGH as ENOUGH_ROWS
from advisor.deployment.gates import measured
from advisor.deployment.integrity import AGAIN
from advisor.deployment.requirements import Demand, Verdict, verdict
from advisor.deployment.rules import DEVICE, ENOUGH, NUMBERS, finding
from advisor.records.results import Measured, RunResult
from advisor.records.run_folder import REPORT, artefact
from advisor.review.findings import Finding, Place

RATIO_OF_ROWS = "relative_accuracy"


def verdicts(result: RunResult, demands: Sequence[Demand]) -> list[tuple[Demand, Verdict]]:
    """Every bound against the end of the interval that lies nearest to it."""
    found = []
    for demand in demands:
        examples = result.eval_samples if demand.name == RATIO_OF_ROWS else 0
        found.append(
            (demand, verdict(demand.bound, _proven(measured(demand.name, result.steps[-1]), demand, result), examples))
        )
    return found


def failing(judged: Sequence[tuple[Demand, Verdict]], document: Document) -> Iterator[Finding]:
    """The bounds that are not shown to hold."""
    for demand, found in judged:
        if found.state != "passed":
            by = f" (demanded by the rule {demand.rule})" if demand.rule else ""
            hint = f"report on about {found.needed:,} examples" if found.needed else "another recipe, or a looser gate"
            yield finding(NUMBERS, f"{told(demand, found)}{by}", _at(demand, document), hint)


def told(demand: Demand, found: Verdict) -> str:
    """A bound and what came of it, in words."""
    return f"{demand.name.replace('_', ' ')} {found.words}"


def _proven(found: Measured, demand: Demand, result: RunResult) -> Measured:
    """A relative accuracy without its interval shows nothing; the baseline's own, 1 by definition, needs none."""
    if demand.name != RATIO_OF_ROWS or found.interval or found.value is None or len(result.steps) == 1:
        return found
    return Measured(why_not=f"{found.value:.4g} without an interval")


def _at(demand: Demand, document: Document) -> Place:
    part = "gates" if "gates" in document.value else "goal"
    return Place.of(document, (part, demand.name))


def own_gates(out: Path, result: RunResult) -> Iterator[Finding]:
    """The gates that the run judged itself beside those of the recipe, int8's among them."""
    for gate in result.gates:
        if " " in gate.name and not gate.passed:
            value = gate.measured.value
            told = f"is {value:.4g}" if value is not None else f"was not measured: {gate.measured.why_not}"
            yield finding(NUMBERS, f"{gate.name} {told}, must be {gate.demanded}", out / REPORT, "keep more in fp32")


def enough(out: Path, result: RunResult) -> Iterator[Finding]:
    """Examples enough to verify a relative accuracy at all."""
    if result.eval_samples < ENOUGH_ROWS:
        told = f"{result.eval_samples:,} examples cannot verify a relative accuracy"
        yield finding(ENOUGH, told, out / REPORT, f"report on at least {ENOUGH_ROWS}")


def fits(out: Path, result: RunResult, device: str) -> Iterator[Finding]:
    """The artefact, as it lies in the folder, against the device that it is to serve on."""
    last = result.steps[-1]
    folder = out / last.path
    if not inside(last.path) or not folder.is_dir():
        yield finding(DEVICE, f"the artefact {last.path} is not in the run's folder", out / REPORT, AGAIN)
        return
    there = artefact(folder)
    if device not in there.devices:
        told = (
            f"{last.words} is an artefact of the kind {there.kind}, for {' or '.join(there.devices)}, not for {device}"
        )
        yield finding(DEVICE, told, folder, f"make one for {device}: device: {device} in the recipe")
    if last.artefact is None or last.artefact.kind != there.kind:
        told = (
            f"the folder holds {there.kind}, the report speaks of {last.artefact.kind if last.artefact else 'nothing'}"
        )
        yield finding(DEVICE, told, folder, AGAIN)
    if result.device != device:
        yield finding(DEVICE, f"it was measured for {result.device}, not for {device}", out / REPORT, AGAIN)


def inside(name: str) -> bool:
    """Does a path that a report names stay below the run's folder?"""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts
