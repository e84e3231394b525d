"""Read recipe files: every value with its place, every fault at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError, Fault, suggest
from advisor.base.interval import Interval
from advisor.base.validation import build
from advisor.base.yamlfile import Document, parse, read
from advisor.recipe import common_mistakes
from advisor.recipe.consistency import contradictions
from advisor.recipe.recipe import AS_BOUND, SHARES, Recipe, StatedWaiver
from advisor.recipe.steps import STEPS
from advisor.recipe.steps.step import Step


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
    value = _mapping(document)
    steps, faults = _steps(value, document)
    rest = {**value, "steps": [step.name for step in steps] or ["faulty"]} if "steps" in value else value
    rest = {name: part for name, part in rest.items() if name != "waivers"}
    recipe, more = build(Recipe, rest, document, hints=common_mistakes.HINTS)
    faults += [*more, *_target_faults(document), *_history_faults(document)]
    faults += contradictions(recipe, document) if recipe else []
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


def _mapping(document: Document) -> dict[str, Any]:
    value = document.value
    if value is None:
        hint = "advise --model M --samples N --device D -o FILE writes a recipe"
        raise AdviseError(Fault("the file is empty", document.name, 1, 1, hint))
    if not isinstance(value, dict) or not value:
        hint = "version: 1, then name, model, device and steps, each in a line of its own"
        raise AdviseError(document.fault("a recipe is a mapping: version, name, model, device, steps …", (), hint))
    if faults := common_mistakes.too_deep(value, document):
        raise AdviseError(*faults)
    return value


def _steps(recipe: dict[str, Any], document: Document) -> tuple[list[Step], list[Fault]]:
    if "steps" not in recipe:
        return [], []
    value = recipe["steps"]
    if not isinstance(value, list) or not value:
        return [], [common_mistakes.no_list(value, document)]
    found: list[Step] = []
    faults: list[Fault] = []
    for place, entry in enumerate(value):
        step, wrong = _step(entry, document, place)
        faults += wrong
        if step and step.name in [one.name for one in found]:
            hint = "keep one of the two"
            message = f"{step.name} stands twice: each step at most once"
            faults.append(document.fault(message, ("steps", place), hint))
        elif step:
            found.append(step)
    return found, faults


def _step(entry: Any, document: Document, place: int) -> tuple[Step | None, list[Fault]]:
    at: tuple[str | int, ...] = ("steps", place)
    if isinstance(entry, str) and entry in STEPS:
        entry = {entry: None}
    if not isinstance(entry, dict) or len(entry) != 1:
        return None, common_mistakes.no_step(entry, document, place)
    name, settings = next(iter(entry.items()))
    if name not in STEPS:
        return None, [document.fault(f"unknown step {name}", (*at, name), suggest(name, STEPS), key=True)]
    if settings is not None and not isinstance(settings, dict):
        return None, [common_mistakes.no_settings(name, document, place)]
    return build(STEPS[name], settings or {}, document, (*at, name), common_mistakes.HINTS)


def _target_faults(document: Document) -> list[Fault]:
    faults = []
    for part in ("goal", "gates"):
        targets = document.value.get(part)
        for name, text in targets.items() if isinstance(targets, dict) else ():
            wrong = _target(name, text) if name in AS_BOUND and isinstance(text, str) else ""
            if wrong:
                faults.append(
                    document.fault(f"{part}.{name}: {wrong}", (part, name), common_mistakes.bound(name, text))
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


def _target(name: str, text: str) -> str:
    """What is wrong with a target; empty where nothing is."""
    sign = AS_BOUND[name]
    try:
        bound = Interval.parse(text)
    except ValueError as error:
        return str(error)
    end = bound.low if sign == ">=" else bound.high
    open_ = bound.high is None if sign == ">=" else bound.low is None
    if end is None or not open_ or end <= 0 or (name in SHARES and end > 1):
        limit = " of at most 1" if name in SHARES else ""
        return f'expected "{sign} number" above 0{limit}, got {text!r}'
    return ""
