"""The measured numbers: do they keep every bound, and are they of the right device?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from advisor.base.rounding import judged, rounded
from advisor.base.yamlfile import Document
from advisor.deployment.gates import ENOUGH as ENOUGH_ROWS
from advisor.deployment.gates import measured
from advisor.deployment.requirements import Demand, Verdict, verdict
from advisor.deployment.rules import DEVICE, ENOUGH, NUMBERS, finding
from advisor.recipe.recipe import SHARES
from advisor.records.results import CONSTANT_GATES, GateResult, Measured, RunResult
from advisor.records.run_folder import AGAIN, REPORT, artefact, inside
from advisor.review.findings import Finding, Place


def verdicts(result: RunResult, demands: Sequence[Demand]) -> list[tuple[Demand, Verdict]]:
    """Every bound against the end of the interval that lies nearest to it."""
    found = []
    for demand in demands:
        examples = result.eval_samples if demand.name in SHARES else 0
        number = proven(measured(demand.name, result.steps), demand.name, result)
        found.append((demand, verdict(demand.bound, number, examples)))
    return found


def proven(found: Measured, name: str, result: RunResult) -> Measured:
    """A share of rows without its interval shows nothing; the baseline's own, 1 by definition, needs none."""
    by_definition = len(result.steps) == 1 and name != "worst_class_recall"
    if name not in SHARES or found.interval or found.value is None or by_definition:
        return found
    return Measured(why_not=f"{rounded(found.value)} without an interval")


def failing(judged: Sequence[tuple[Demand, Verdict]], document: Document) -> Iterator[Finding]:
    """The bounds that are not shown to hold."""
    for demand, found in judged:
        if found.state != "passed":
            by = f" (demanded by the rule {demand.rule})" if demand.rule else ""
            hint = f"report on about {found.needed:,} examples" if found.needed else "another recipe, or a looser gate"
            yield finding(NUMBERS, f"{words(demand, found)}{by}", _at(demand, document), hint)


def words(demand: Demand, found: Verdict) -> str:
    """A bound and its verdict, in words."""
    return f"{demand.name.replace('_', ' ')} {found.words}"


def _at(demand: Demand, document: Document) -> Place:
    part = "gates" if "gates" in document.value else "goal"
    return Place.of(document, (part, demand.name))


def own_gates(out: Path, gates: Sequence[GateResult]) -> Iterator[Finding]:
    """The gates that every run has beside those of its recipe: against a constant answer, and int8's."""
    for gate in gates:
        hint = "train longer, on more or other rows, or judge by another metric" if gate.name in CONSTANT_GATES else ""
        if gate.name in CONSTANT_GATES and gate.state != "passed":
            yield finding(NUMBERS, f"{gate.name}: {gate.words}", out / REPORT, hint)
        elif " " in gate.name and not gate.passed:
            value = gate.measured.value
            what = f"was not measured: {gate.measured.why_not}"
            what = what if value is None else f"is {judged(value, gate.demanded)}"
            yield finding(NUMBERS, f"{gate.name} {what}, must be {gate.demanded}", out / REPORT, "keep more in fp32")


def enough(out: Path, result: RunResult) -> Iterator[Finding]:
    """Examples enough to verify a relative accuracy at all."""
    if result.eval_samples < ENOUGH_ROWS:
        what = f"{result.eval_samples:,} examples cannot verify a relative accuracy"
        yield finding(ENOUGH, what, out / REPORT, f"report on at least {ENOUGH_ROWS}")


def fits(out: Path, result: RunResult, device: str) -> Iterator[Finding]:
    """The artefact, as it lies in the folder, against the device that it is to serve on."""
    last = result.steps[-1]
    folder = out / last.path
    if not inside(last.path) or not folder.is_dir():
        yield finding(DEVICE, f"the artefact {last.path} is not in the run's folder", out / REPORT, AGAIN)
        return
    there = artefact(folder)
    if device not in there.devices:
        what = (
            f"{last.words} is an artefact of the kind {there.kind}, for {' or '.join(there.devices)}, not for {device}"
        )
        yield finding(DEVICE, what, folder, f"make one for {device}: device: {device} in the recipe")
    if last.artefact is None or last.artefact.kind != there.kind:
        what = (
            f"the folder holds {there.kind}, the report speaks of {last.artefact.kind if last.artefact else 'nothing'}"
        )
        yield finding(DEVICE, what, folder, AGAIN)
    if result.device != device:
        yield finding(DEVICE, f"it was measured for {result.device}, not for {device}", out / REPORT, AGAIN)
