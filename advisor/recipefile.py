"""Read recipe files: every value with its place, every fault at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from advisor.errors import AdviseError, Fault, suggest
from advisor.interval import Interval
from advisor.recipe import AS_BOUND, Recipe, StatedWaiver
from advisor.step import Step
from advisor.steps import STEPS
from advisor.yamlfile import Document, build, parse, read


def load(path: Path, name: str = "") -> tuple[Recipe, Document]:
    """Read and validate a recipe file.

    Raises:
        AdviseError: all that is wrong with it, each with its place.
    """
    document = read(path, name)
    return validate(document), document


def loads(text: str | bytes, name: str = "recipe") -> tuple[Recipe, Document]:
    """Like `load`, from text."""
    document = parse(text, name)
    return validate(document), document


def validate(document: Document) -> Recipe:
    """Make a recipe of a document. Raises as `load` does."""
    value = document.value
    if not isinstance(value, dict):
        raise AdviseError(Fault("a recipe is a mapping: version, name, model, device, steps …", document.name, 1, 1))
    steps, faults = _steps(value.get("steps"), document)
    rest = {**value, "steps": [step.name for step in steps] or ["faulty"]} if "steps" in value else value
    rest = {name: part for name, part in rest.items() if name != "waivers"}
    recipe, more = build(Recipe, rest, document)
    faults += more + _target_faults(document) + _history_faults(document)
    if faults or recipe is None:
        raise AdviseError(*sorted(faults, key=lambda fault: (fault.line, fault.column)))
    return replace(recipe, steps=tuple(steps), waivers=tuple(waiver for waiver, _ in stated_waivers(document)[0]))


def stated_waivers(document: Document) -> tuple[list[tuple[StatedWaiver, int]], list[Fault]]:
    """The well-formed waivers of a document, each with its index, and what is wrong with the others.

    A malformed waiver does not make a recipe invalid: it excuses nothing, and review says so.
    """
    value = document.value.get("waivers") if isinstance(document.value, dict) else None
    if value is None:
        return [], []
    if not isinstance(value, list):
        form = "a list, as in `- {rule: …, reason: …, owner: …, until: 2026-12-31}`"
        return [], [document.fault(f"waivers: expected {form}", ("waivers",))]
    made = [build(StatedWaiver, entry, document, ("waivers", place)) for place, entry in enumerate(value)]
    return [(one, place) for place, (one, _) in enumerate(made) if one], [fault for _, wrong in made for fault in wrong]


def _steps(value: Any, document: Document) -> tuple[list[Step], list[Fault]]:
    if value is None:
        return [], []
    if not isinstance(value, list) or not value:
        return [], [document.fault("steps: expected a list, as in `- finetune: {epochs: 3}`", ("steps",))]
    found: list[Step] = []
    faults: list[Fault] = []
    for place, entry in enumerate(value):
        step, wrong = _step(entry, document, place)
        faults += wrong
        if step and step.name in [one.name for one in found]:
            faults.append(document.fault(f"{step.name} stands twice: each step at most once", ("steps", place)))
        elif step:
            found.append(step)
    return found, faults


def _step(entry: Any, document: Document, place: int) -> tuple[Step | None, list[Fault]]:
    at: tuple[str | int, ...] = ("steps", place)
    if isinstance(entry, str) and entry in STEPS:
        entry = {entry: None}
    if not isinstance(entry, dict) or len(entry) != 1:
        form = "one step with its settings, as in `- finetune: {epochs: 3}`"
        return None, [document.fault(f"steps.{place}: expected {form}", at)]
    name, settings = next(iter(entry.items()))
    if name not in STEPS:
        return None, [document.fault(f"unknown step {name}", (*at, name), suggest(name, STEPS), key=True)]
    return build(STEPS[name], {} if settings is None else settings, document, (*at, name))


def _target_faults(document: Document) -> list[Fault]:
    faults = []
    for part in ("goal", "gates"):
        targets = document.value.get(part)
        for name, text in targets.items() if isinstance(targets, dict) else ():
            sign = AS_BOUND.get(name)
            if sign is None or not isinstance(text, str):
                continue
            try:
                bound = Interval.parse(text)
            except ValueError as error:
                faults.append(document.fault(f"{part}.{name}: {error}", (part, name)))
                continue
            end = bound.low if sign == ">=" else bound.high
            open_ = bound.high is None if sign == ">=" else bound.low is None
            if end is None or not open_ or end <= 0 or (name == "relative_accuracy" and end > 1):
                limit = " of at most 1" if name == "relative_accuracy" else ""
                faults.append(
                    document.fault(
                        f'{part}.{name}: expected "{sign} number" above 0{limit}, got {text!r}', (part, name)
                    )
                )
    return faults


def _history_faults(document: Document) -> list[Fault]:
    """Ranges of own runs that are none."""
    history = document.value.get("history")
    faults = []
    for name, text in history.items() if isinstance(history, dict) else ():
        if name.startswith("relative_") and isinstance(text, str):
            try:
                Interval.parse(text)
            except ValueError as error:
                faults.append(document.fault(f"history.{name}: {error}", ("history", name)))
    return faults
