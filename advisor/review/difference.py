"""Difference: what changed between two recipes in effect, not in text.

Both are read with all their defaults, planned, predicted and judged; compared are the runs and the findings. Two texts
with the same effect have no difference, however they are written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any, Literal, NamedTuple

from advisor.advice.prediction import Prediction, of_recipe
from advisor.advice.ranges import Range
from advisor.base.interval import show
from advisor.families import registry
from advisor.recipe.recipe import Recipe, StatedWaiver
from advisor.recipe.steps.step import Step
from advisor.review.findings import SEVERITIES, Finding
from advisor.review.outcome import Reviewed

BYTES = 4  # of a parameter before int8
Kind = Literal["added", "removed", "changed", "moved"]


class Change(NamedTuple):
    """A part of a recipe that changed. before, after: in words; empty where the part is absent.

    effect: does it change the run?
    """

    part: str
    kind: Kind
    before: str = ""
    after: str = ""
    effect: bool = True


class Outcome(NamedTuple):
    """What a recipe leads to. parameters and compute are exact; None: unknown, or without evidence.

    size_mb, and accuracy, time and emissions as shares of the fine-tuned model, are ranges.
    """

    baseline_parameters: int | None
    parameters: int | None
    size_mb: Range | None
    compute: float | None
    accuracy: Range | None
    time: Range | None
    emissions: Range | None


class Difference(NamedTuple):
    """All that changed. broken: findings that count now and did not before; satisfied: the other way round.

    waived: what counted before and is waived now.
    """

    changes: tuple[Change, ...]
    before: Outcome
    after: Outcome
    broken: tuple[Finding, ...]
    satisfied: tuple[Finding, ...]
    waived: tuple[Finding, ...]

    @property
    def in_effect(self) -> bool:
        """Did anything change but words?"""
        said = self.broken or self.satisfied or self.waived
        return bool(said) or self.before != self.after or any(one.effect for one in self.changes)

    def breaks(self, fail_on: str) -> bool:
        """Is a rule newly broken, of this severity or worse?"""
        worst = SEVERITIES.index(fail_on)
        return any(SEVERITIES.index(one.severity) <= worst for one in self.broken)


def difference(old: Reviewed, new: Reviewed) -> Difference:
    """Compare two recipes that were reviewed by the same policy."""
    before, after = (tuple(one for one in each.findings if one.counts) for each in (old, new))
    excused = _keys(one for one in new.findings if one.waiver)
    left = _beyond(before, after)
    return Difference(
        tuple(_changes(old, new)),
        outcome(old),
        outcome(new),
        _beyond(after, before),
        tuple(one for one in left if _key(one) not in excused),
        tuple(one for one in left if _key(one) in excused),
    )


def _key(finding: Finding) -> tuple[str, ...]:
    """A finding by rule and place in the tree; a step's number moves when others come or go."""
    return (finding.rule, *(part for part in finding.path if isinstance(part, str)))


def _keys(findings: Iterable[Finding]) -> Counter[tuple[str, ...]]:
    return Counter(map(_key, findings))


def _beyond(these: Iterable[Finding], those: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that have no counterpart among others, the worst first."""
    left, found = _keys(those), []
    for one in these:
        if left[_key(one)] == 0:
            found.append(one)
        left[_key(one)] -= left[_key(one)] > 0
    return tuple(sorted(found, key=lambda one: SEVERITIES.index(one.severity)))


def outcome(one: Reviewed) -> Outcome:
    """What a recipe leads to, from its plan and the register of evidence."""
    family = one.plan.family if one.plan else registry.find(one.facts.model.family or "")
    found: Prediction = of_recipe(one.plan, family, one.facts.data, one.recipe.step("quantization") is not None)
    baseline = one.plan.baseline_parameters if one.plan else None
    whole = (baseline or 0) * BYTES / 1e6
    size = Range(found.size.low * whole, found.size.high * whole) if found.size and baseline else None
    return Outcome(baseline, found.parameters, size, found.compute, found.accuracy, found.time, found.emissions)


def _changes(old: Reviewed, new: Reviewed) -> Iterator[Change]:
    one, other = old.recipe, new.recipe
    yield from _value("name", one.name, other.name, effect=False)
    yield from _value("model", old.model.source.source, new.model.source.source)
    yield from _value("model.family", old.facts.model.family, new.facts.model.family)
    yield from _fields("data", one.data, other.data)
    yield from _value("device", one.device, other.device)
    yield from _bounds("goal", one.goal.bounds(), other.goal.bounds())
    yield from _value("goal.requests", one.goal.requests, other.goal.requests, effect=False)
    yield from _bounds("gates", one.gate_bounds(), other.gate_bounds())
    yield from _fields("training", one.training, other.training)
    yield from _steps(one, other)
    yield from _waivers(one, other)


def _value(part: str, before: Any, after: Any, effect: bool = True) -> Iterator[Change]:
    """A change of one value; None means that it is not given."""
    if before != after:
        kind: Kind = "added" if before is None else "removed" if after is None else "changed"
        yield Change(part, kind, _said(before), _said(after), effect)


def _said(value: Any) -> str:
    if value is None:
        return ""
    return show(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _fields(part: str, before: Any, after: Any) -> Iterator[Change]:
    for item in fields(before):
        yield from _value(f"{part}.{item.name}", getattr(before, item.name), getattr(after, item.name))


def _bounds(part: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    for name in dict.fromkeys([*before, *after]):
        yield from _value(f"{part}.{name}", before.get(name), after.get(name))


def _steps(old: Recipe, new: Recipe) -> Iterator[Change]:
    for name in dict.fromkeys([*old.step_names, *new.step_names]):
        before, after = old.step(name), new.step(name)
        if before is None and after is not None:
            yield Change(name, "added", "", _settings(after))
        elif after is None and before is not None:
            yield Change(name, "removed", _settings(before), "")
        elif before != after:
            yield from _fields(name, before, after)
    both = set(old.step_names) & set(new.step_names)
    before_, after_ = ([name for name in one.step_names if name in both] for one in (old, new))
    if before_ != after_:
        yield Change("order of steps", "moved", ", ".join(before_), ", ".join(after_))


def _settings(step: Step) -> str:
    given = ((item.name, getattr(step, item.name)) for item in fields(step))
    return ", ".join(f"{name} {_said(value)}" for name, value in given if value is not None)


def _waivers(old: Recipe, new: Recipe) -> Iterator[Change]:
    """Waivers in the recipes' own lists; the findings show what they cover."""
    for waiver in old.waivers:
        if waiver not in new.waivers:
            yield Change("waiver", "removed", _waiver(waiver), "", effect=False)
    for waiver in new.waivers:
        if waiver not in old.waivers:
            yield Change("waiver", "added", "", _waiver(waiver), effect=False)


def _waiver(waiver: StatedWaiver) -> str:
    where = f" at {waiver.where}" if waiver.where else ""
    return f"{waiver.rule}{where} until {waiver.until} ({waiver.owner}: {waiver.reason})"
