"""Validate rule files: every fault at once, with its place and the nearest known name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from advisor.base.constraints import FORBID_EXTRA, Bound
from advisor.base.errors import Fault, PolicyError, suggest
from advisor.base.interval import Interval
from advisor.base.validation import build
from advisor.base.validation import faults as faults_of
from advisor.base.yamlfile import Document
from advisor.policy.conditions import parse
from advisor.policy.examples import mistakes_of
from advisor.policy.rule import Days, Effects, Evidence, Examples, Severity, Text
from advisor.policy.view import GATES, TRAINING, known, settings
from advisor.recipe.steps import STEPS
from advisor.records.training_settings import Training


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule as its file says it. waiver_days: the longest that a waiver for it may last, in days."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    id: Text
    title: Text
    origin: Text
    severity: Severity
    since: Text
    when: dict[str, Any]
    because: Text
    evidence: Annotated[tuple[Evidence, ...], Bound(min_length=1)]
    confidence: Literal["low", "medium", "high"]
    examples: Examples
    then: Effects = Effects()
    enforced_by: tuple[str, ...] = ()
    waiver_days: Days | None = None


def check(document: Document) -> None:
    """Validate a rule file.

    Raises:
        PolicyError: all that is wrong with it, each with its place.
    """
    rule, faults = build(RuleFile, document.value, document)
    if isinstance(document.value, dict):
        faults += parse(document.value.get("when", {}), document, ("when",))[1]
    if rule:
        faults += _name_faults(rule, document) + _setting_faults(rule, document) + _example_faults(rule, document)
        if rule.then == Effects() and not rule.enforced_by:
            faults.append(document.fault("then is empty: give an effect, or name in enforced_by what ensures it", ()))
    if faults:
        raise PolicyError(*faults)


def _example_faults(rule: RuleFile, document: Document) -> list[Fault]:
    groups = {"fires": rule.examples.fires, "quiet": rule.examples.quiet}
    places = [(one, ("examples", name, place)) for name, group in groups.items() for place, one in enumerate(group)]
    return faults_of([mistake for one, at in places for mistake in mistakes_of(one, at)], document)


def _name_faults(rule: RuleFile, document: Document) -> list[Fault]:
    faults = []
    named: list[tuple[str, tuple[str | int, ...]]] = []
    for effect in ("forbid", "require"):
        named += [(step, ("then", effect, place)) for place, step in enumerate(getattr(rule.then, effect))]
    for place, pair in enumerate(rule.then.order):
        named += [(step, ("then", "order", place, side)) for side, step in enumerate(pair)]
    for step, at in named:
        if step not in STEPS:
            faults.append(document.fault(f"unknown step {step}", at, suggest(step, STEPS)))
    return faults


def _setting_faults(rule: RuleFile, document: Document) -> list[Fault]:
    faults = []
    for effect in ("allow_only", "limit", "prefer"):
        for name, value in (getattr(rule.then, effect) or {}).items():
            step, _, setting = name.partition(".")
            names = [f"{one.name}.{item}" for one in STEPS.values() for item in settings(one)]
            names += (*TRAINING, *(GATES if effect == "limit" else ()))
            at = ("then", effect, name)
            if effect == "limit" and name in GATES:
                faults += _interval_faults(value, document, at)
            elif name in TRAINING:
                faults += _training_faults(name, value if effect != "prefer" else [value], document, at)
            elif step not in STEPS or setting not in settings(STEPS[step]):
                faults.append(document.fault(f"unknown setting {name}", at, suggest(name, names), key=True))
            elif effect == "limit":
                faults += _interval_faults(value, document, at)
            elif setting in STEPS[step].measured:
                faults.append(document.fault(f"{name} is measured: it can only be limited", at, key=True))
            else:
                faults += _value_faults(name, [value] if effect == "prefer" else value, document, at)
    return faults


def _training_faults(name: str, value: Any, document: Document, at: tuple[str, ...]) -> list[Fault]:
    """Of a limit, or of values that are allowed, for a setting that all steps share."""
    if isinstance(value, str):
        words = known()[name]
        wrong = f"{name} is one of {', '.join(map(str, words))}: use allow_only" if words else ""
        return [document.fault(wrong, at, key=True)] if wrong else _interval_faults(value, document, at)
    setting = name.partition(".")[2]
    return [fault for one in value for fault in build(Training, {setting: one}, document, at)[1]]


def _value_faults(name: str, values: list[Any], document: Document, at: tuple[str, ...]) -> list[Fault]:
    """What the step itself says of values for one of its settings."""
    step, _, setting = name.partition(".")
    faults = [fault for value in values for fault in build(STEPS[step], {setting: value}, document, at)[1]]
    told = [f"{step}.{fault.message.removeprefix('.'.join(at) + '.')}" for fault in faults]
    return [document.fault(message, at, fault.hint) for message, fault in zip(told, faults, strict=True)]


def _interval_faults(text: str, document: Document, at: tuple[str, ...]) -> list[Fault]:
    try:
        Interval.parse(text)
    except ValueError as error:
        return [document.fault(f"{at[-1]}: {error}", at)]
    return []
