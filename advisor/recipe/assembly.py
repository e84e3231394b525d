"""Assembly: a recipe of the plain values of a file. Knows no text and no places: mistakes carry paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from advisor.base.errors import short
from advisor.base.frozen import names, replace
from advisor.base.interval import Interval
from advisor.base.validation import Mistake, validate
from advisor.base.yamlfile import Path_
from advisor.facts.tasks import OLDER, current, meanings
from advisor.recipe.consistency import contradictions
from advisor.recipe.recipe import AS_BOUND, SHARES, Recipe, StatedWaiver
from advisor.recipe.steps import STEPS
from advisor.recipe.steps.step import Step

# Kinds of mistakes in a recipe's structure, which types alone cannot name.
NO_MAPPING, TOO_DEEP, NEWER = "no_mapping", "too_deep", "newer_format"
NO_LIST, UNKNOWN_STEP, NO_STEP, NO_SETTINGS = "no_list", "unknown_step", "no_step", "no_settings"
TWICE, BESIDE, AMBIGUOUS, MISREAD = "step_twice", "beside_step", "ambiguous_task", "misread_name"
QUOTES = ("“”", "„“", "„”", "””", "‘’", "’’", "‚‘", "‚’", "«»", "»«")
NAMED = (("model", "source"), ("data", "source"), ("data", "text"), ("data", "pair"), ("data", "label"))
MOST_STEPS = 100  # that are looked at: each kind may be there once
VERSION = 1  # of the format of recipes; a newer one may mean something else by the same words
KEYS = frozenset(names(Recipe))


def assemble(value: Any) -> tuple[Recipe | None, list[Mistake]]:
    """A recipe of a file's value, with everything that is wrong with it.

    Malformed waivers are left out without a mistake: they have no effect, and review reports them (`waivers_of`).
    """
    if wrong := _whole(value):
        return None, [wrong]
    steps, mistakes = _steps(value)
    values = {name: part for name, part in value.items() if name != "waivers"}
    mistakes += _older_task(values)
    if "steps" in value:  # each step has a type of its own, so the recipe's type is shown their names only
        values["steps"] = [step.name for step in steps] or ["faulty"]
    recipe, wrong_values = validate(Recipe, values)
    mistakes += [*wrong_values, *_misread_names(value), *_bounds(value), *_ranges(value)]
    if recipe is None:
        return None, mistakes
    waivers = tuple(waiver for waiver, _ in waivers_of(value)[0])
    return replace(recipe, steps=tuple(steps), waivers=waivers), [*mistakes, *contradictions(recipe)]


def _older_task(values: dict[str, Any]) -> Iterator[Mistake]:
    """Replace the older name of a task in the values; one that can mean several tasks is a mistake."""
    data = values.get("data")
    if not isinstance(data, dict):
        return
    values["data"] = current(data)
    task = data.get("task")
    if several := meanings(task):
        yield Mistake(("data", "task"), f"data.task: {several}", AMBIGUOUS, task, OLDER[str(task)])
        del values["data"]["task"]


def waivers_of(value: Any) -> tuple[list[tuple[StatedWaiver, int]], list[Mistake]]:
    """The well-formed waivers of a file's value, each with its index, and what is wrong with the others."""
    listed = value.get("waivers") if isinstance(value, dict) else None
    if listed is None:
        return [], []
    if not isinstance(listed, list):
        form = "a list, as in `- {rule: …, reason: …, owner: …, until: 2026-12-31}`"
        return [], [Mistake(("waivers",), f"waivers: expected {form}")]
    made = [validate(StatedWaiver, entry, ("waivers", place)) for place, entry in enumerate(listed)]
    return [(one, place) for place, (one, _) in enumerate(made) if one], [one for _, wrong in made for one in wrong]


def _whole(value: Any) -> Mistake | None:
    """What is wrong with a file as a whole."""
    if value is None:
        return Mistake((), "the file is empty", NO_MAPPING)
    if not isinstance(value, dict) or not value:
        return Mistake((), "a recipe is a mapping: version, name, model, device, steps …", NO_MAPPING, value)
    version = value.get("version")
    if isinstance(version, int) and version > VERSION:
        return Mistake(("version",), f"version {version} of the format: this advise reads version {VERSION}", NEWER)
    (key, inner), *others = value.items()
    if others or key in KEYS or not isinstance(inner, dict) or len(KEYS & set(inner)) < 2:
        return None
    return Mistake((key,), f"unknown key {short(key)}", TOO_DEEP, inner, key=True)


def _steps(recipe: Mapping[str, Any]) -> tuple[list[Step], list[Mistake]]:
    """The steps that are well formed, and what is wrong with the others."""
    value = recipe.get("steps", [])
    if "steps" in recipe and (not isinstance(value, list) or not value):
        return [], [Mistake(("steps",), "steps: expected a list of steps", NO_LIST, value)]
    if len(value) > MOST_STEPS:
        return [], [Mistake(("steps",), f"steps: {len(value):,} of them: use each step at most once")]
    found: dict[str, Step] = {}
    mistakes: list[Mistake] = []
    for place, entry in enumerate(value):
        step, wrong = step_of(entry, ("steps", place))
        mistakes += wrong
        if step and step.name in found:
            message = f"{step.name} appears twice: use each step at most once"
            mistakes.append(Mistake(("steps", place), message, TWICE))
        elif step:
            found[step.name] = step
    return list(found.values()), mistakes


def step_of(entry: Any, at: Path_) -> tuple[Step | None, list[Mistake]]:
    """One item of a list of steps, or all that is wrong with it. at: where the item stands."""
    if isinstance(entry, str) and entry in STEPS:
        entry = {entry: None}
    if not isinstance(entry, dict) or len(entry) != 1:
        return None, list(_no_step(entry, at))
    name, settings = next(iter(entry.items()))
    if name not in STEPS:
        return None, [Mistake((*at, name), f"unknown step {short(name)}", UNKNOWN_STEP, name, key=True)]
    if settings is not None and not isinstance(settings, dict):
        message = f"{'.'.join(map(str, at))}.{name}: expected settings"
        return None, [Mistake((*at, name), message, NO_SETTINGS, settings)]
    return validate(STEPS[name], settings or {}, (*at, name))


def _no_step(entry: Any, at: Path_) -> Iterator[Mistake]:
    """An item of the steps that is not one step with its settings."""
    first = next(iter(entry), None) if isinstance(entry, dict) else None
    if isinstance(entry, str):
        yield Mistake(at, f"unknown step {short(entry)}", UNKNOWN_STEP, entry)
    elif first in STEPS:
        for name in list(entry)[1:]:
            where = f"is in the same item as {first}" if name in STEPS else f"is beside {first} instead of below it"
            yield Mistake((*at, name), f"{short(name)} {where}", BESIDE, key=True)
    else:
        yield Mistake(at, f"{'.'.join(map(str, at))}: expected one step with its settings", NO_STEP, entry)


def _misread_names(recipe: Mapping[str, Any]) -> Iterator[Mistake]:
    """Names within quotes or beside spaces that are none to YAML, so that they would be names of nothing."""
    for part, name in NAMED:
        text = recipe[part].get(name) if isinstance(recipe.get(part), dict) else None
        if not isinstance(text, str):
            continue
        if len(text) > 2 and text[0] + text[-1] in QUOTES:
            message = f"{part}.{name}: typographic quotes ({text[0]}), which YAML takes for letters"
            yield Mistake((part, name), message, MISREAD, text[1:-1].strip())
        elif text.strip() and text != text.strip():
            message = f"{part}.{name}: begins or ends with a space, which YAML takes for a letter"
            yield Mistake((part, name), message, MISREAD, text.strip())


def _bounds(recipe: Mapping[str, Any]) -> Iterator[Mistake]:
    """Goals and gates that are not bounds, or bound the wrong side."""
    for part in ("goal", "gates"):
        targets = recipe.get(part)
        for name, text in targets.items() if isinstance(targets, dict) else ():
            wrong = _no_bound(name, text) if name in AS_BOUND and isinstance(text, str) else ""
            if wrong:
                yield Mistake((part, name), f"{part}.{name}: {wrong}", got=text)


def _no_bound(name: str, text: str) -> str:
    """What is wrong with a bound; empty where nothing is."""
    sign = AS_BOUND[name]
    try:
        bound = Interval.parse(text)
    except ValueError as error:
        return str(error)
    end, other = (bound.low, bound.high) if sign == ">=" else (bound.high, bound.low)
    if end is None or other is not None or end <= 0 or (name in SHARES and end > 1):
        limit = " of at most 1" if name in SHARES else ""
        return f'expected "{sign} number" above 0{limit}, got {short(text)!r}'
    return ""


def _ranges(recipe: Mapping[str, Any]) -> Iterator[Mistake]:
    """Malformed ranges of own runs."""
    history = recipe.get("history")
    for name, text in history.items() if isinstance(history, dict) else ():
        if name.startswith("relative_") and isinstance(text, str):
            try:
                Interval.parse(text)
            except ValueError as error:
                yield Mistake(("history", name), f"history.{name}: {error}")
