"""Past runs as plain text: a line for each, and a page for one with predicted beside measured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from advisor.advice.ranges import Range
from advisor.base.rounding import judged, rounded
from advisor.records.measuring import TIME_DERIVED, is_time_derived
from advisor.records.results import Measured
from advisor.report.shares import percent
from advisor.report.style import columns
from advisor.runs.comparison import where
from advisor.runs.record import Quantity, Record, StepRecord

SHARES = ("accuracy", "size", "time", "emissions")
HEAD = ("id", "finished", "name", "family", "device", "samples", "last model", *SHARES, "gates")
SHORT = 10  # signs of an id; enough to tell a million runs apart


def table(found: Sequence[Record]) -> str:
    """The runs, the latest first; shares of the baseline of their last model, with ! outside what was predicted."""
    shown = "".join(line + "\n" for line in columns([HEAD, *map(_row, found)]))
    judged = [inside for one in found for quantity in one.last.quantities if (inside := _inside(quantity)) is not None]
    held = f"{sum(judged)} of {len(judged)} measured numbers of last models lie inside their predicted range"
    derived = any(map(is_time_derived, map(_emissions, found)))
    told = f"emissions without a decimal are {TIME_DERIVED}\n" if derived else ""
    return shown + (f"{held} (! outside)\n" if judged else "") + told


def _emissions(one: Record) -> Measured:
    return _measured(one.last.quantity("relative_emissions"))


def _measured(found: Quantity | None) -> Measured:
    return Measured(found.value, source=found.source) if found else Measured()


def as_json(found: Sequence[Record]) -> str:
    return json.dumps([plain(one) for one in found], indent=2) + "\n"


def plain(one: Record) -> dict[str, Any]:
    """A record as plain values, its id first."""
    return {"id": one.id, **one.content()}


def _row(one: Record) -> tuple[str, ...]:
    samples = f"{one.samples:,}" if one.samples is not None else "?"
    states = [step for step in one.steps if step.name != "finetune"]
    words = ", ".join(step.words for step in states) or "fine-tuned only"
    shares = [_share(one.last, f"relative_{name}") for name in SHARES]
    when = one.finished[:16].replace("T", " ") or "?"
    gates = "passed" if one.passed else "missed"
    return (one.id[:SHORT], when, one.name, one.family, one.device, samples, words, *shares, gates)


def _share(step: StepRecord, name: str) -> str:
    found = step.quantity(name)
    if found is None or found.value is None:
        return "-"
    return f"{percent(_measured(found))}{'!' if _inside(found) is False else ''}"


def _inside(one: Quantity) -> bool | None:
    """Did the measured value fall into the predicted range? None where either is missing."""
    found = where(one.predicted, one.value)
    return found == "inside" if found else None


def page(one: Record) -> str:
    """All that is known of a run."""
    return "\n".join(_page(one)) + "\n"


def _page(one: Record) -> Iterator[str]:
    samples = "?" if one.samples is None else f"{one.samples:,}"
    policy = f"{one.policy} {one.policy_version} · sha256 {one.policy_sha256[:12]}" if one.policy else "not stated"
    about = {
        "id": one.id,
        "name": one.name,
        "finished": one.finished or "unknown",
        "model": f"{one.model} ({one.family})",
        "data": f"{one.data} · {samples} training rows · {one.eval_samples:,} report rows",
        "device": f"{one.device}, trained on {one.train_on}",
        "machine": one.machine or "unknown",
        "policy": policy,
        "versions": ", ".join(f"{name} {version}" for name, version in one.versions.items()) or "unknown",
        "took": f"{one.seconds:,.0f} s",
    }
    yield from columns(list(about.items()))
    if one.summary:
        yield from ("", one.summary)
    for step in one.steps:
        yield ""
        yield f"{step.words}: {step.metric} {step.score:.4f}, {step.parameters:,} parameters, {step.size_bytes:,} bytes"
        rows = [_quantity(quantity) for quantity in step.quantities if quantity.value is not None or quantity.predicted]
        yield from (f"  {line}" for line in columns([("", "predicted", "measured", "", "source"), *rows]))
    yield ""
    yield from columns([("gate", "required", "measured", ""), *map(_gate, one.gates)])
    yield from ("", one.recipe.rstrip())


def _quantity(one: Quantity) -> tuple[str, ...]:
    predicted = _range(*one.predicted) if one.predicted else "-"
    measured = "not measured" if one.value is None else rounded(one.value)
    verdict = {True: "inside", False: "OUTSIDE", None: ""}[_inside(one)]
    return (
        one.name.replace("_", " "),
        predicted,
        measured,
        verdict,
        one.source if one.value is not None else one.why_not,
    )


def _range(low: float, high: float) -> str:
    return rounded(low) if low == high else str(Range(low, high))


def _gate(gate: Any) -> tuple[str, ...]:
    return (gate.name, gate.demanded, judged(gate.value, gate.demanded), "passed" if gate.passed else "missed")
