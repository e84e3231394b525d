"""Fixes of recipes that are not valid: misspelt keys and words, quotes, signs, keys in the wrong place.

A fix is safe where the recipe says the same under every reading; all others need --unsafe-fixes.
"""

from __future__ import annotations

import typing
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from itertools import islice
from typing import Any

from advisor.base.errors import MOST_FAULTS, AdviseError, short
from advisor.base.validation import type_hints
from advisor.base.yamlfile import Document, parse
from advisor.facts.facts import DEVICES
from advisor.families import registry
from advisor.recipe.common_mistakes import SYNONYMS
from advisor.recipe.flow_style import flow
from advisor.recipe.recipe import (
    AS_BOUND,
    Aims,
    DataSource,
    Gates,
    ModelSource,
    OwnRuns,
    PolicyStamp,
    Recipe,
    StatedWaiver,
    Targets,
)
from advisor.recipe.steps import STEPS
from advisor.records.training_settings import Training
from advisor.review.findings import Edit, Finding, Fix, Path_
from advisor.review.fixes import value_forms
from advisor.review.fixes.edits import COMPARISON
from advisor.review.fixes.words import certain, clear
from advisor.review.fixes.yaml_layout import lines_of

PARTS: dict[str, type] = {
    "model": ModelSource,
    "data": DataSource,
    "goal": Aims,
    "gates": Gates,
    "training": Training,
    "policy": PolicyStamp,
    "history": OwnRuns,
}
# Names of other tools that can mean one thing only.
SAME = ("max_length", "lr", "num_train_epochs", "train_batch_size", "d_model", "d_ff", "ffn_dim", "num_heads")


def with_fixes(findings: Iterable[Finding], text: str | None) -> Iterator[Finding]:
    """What keeps a recipe from being judged, each finding with the fix for its place. text: None if unread."""
    at: dict[tuple[int, int], Fix] | None
    try:
        at = fixes(parse(text or "", ""))
    except AdviseError:
        at = None  # YAML cannot read it
    lines = lines_of(text or "")
    for one in findings:
        place = one.place
        fix = quotes(lines, place.line) if at is None else at.get((place.line, place.column))
        yield replace(one, fix=replace(fix, words=one.fix.words) if fix and one.fix else fix or one.fix)


def fixes(document: Document) -> dict[tuple[int, int], Fix]:
    """The fixes of an invalid recipe by the line and column of what they change."""
    found = {}
    for fix in _all(document):
        edit = fix.edits[-1]
        mark = document.mark(edit.path, key=edit.action != "set")
        found[mark.line, mark.column] = fix
    return found


def quotes(lines: Sequence[str], line: int) -> Fix | None:
    """Quotes around a bare comparison in a line that YAML cannot read, or in the line before."""
    for number in (line, line - 1):
        found = COMPARISON.search(lines[number - 1]) if 0 < number <= len(lines) else None
        if found:
            return Fix(f'write "{found["bound"]}" in quotes', True, (Edit((number,), "quote"),))
    return None


def _all(document: Document) -> Iterator[Fix]:
    value = document.value
    if not isinstance(value, dict):
        return
    yield from _keys(value, (), [item.name for item in fields(Recipe)])
    yield from _word(value.get("device"), ("device",), DEVICES)
    yield from _number(value.get("version"), ("version",), typing.Literal[1])
    yield from _family(value.get("model"))
    yield from _misplaced(value)
    for part, type_ in PARTS.items():
        yield from _part(value.get(part), (part,), type_)
        if whole := value_forms.part(value.get(part), part):
            yield Fix(short(f"write {part}: {flow(whole.value)}"), whole.certain, (Edit((part,), "set", whole.value),))
    for place, step in enumerate(_list(value.get("steps"))):
        if isinstance(step, dict):
            yield from _keys(step, ("steps", place), STEPS)
            for name, settings in step.items():
                yield from _part(settings, ("steps", place, name), STEPS[name]) if name in STEPS else ()
    for place, waiver in enumerate(_list(value.get("waivers"))):
        yield from _part(waiver, ("waivers", place), StatedWaiver)


def _list(value: Any) -> list[Any]:
    return value[:MOST_FAULTS] if isinstance(value, list) else []


def _part(value: Any, path: Path_, type_: type) -> Iterator[Fix]:
    if not isinstance(value, dict):
        return
    hints = type_hints(type_)
    yield from _keys(value, path, [item.name for item in fields(type_)])
    for name, given in value.items():
        if issubclass(type_, Targets) and name in AS_BOUND:
            yield from _sign(given, (*path, name))
        elif name in hints:
            yield from _word(given, (*path, name), [word for word in _words(hints[name]) if isinstance(word, str)])
            yield from _number(given, (*path, name), hints[name])


def _words(hint: Any) -> list[Any]:
    """All words that a type allows, if it names words."""
    if typing.get_origin(hint) is typing.Literal:
        return list(typing.get_args(hint))
    return [word for one in typing.get_args(hint) for word in _words(one)]


def _keys(value: dict[str, Any], path: Path_, known: Collection[str]) -> Iterator[Fix]:
    for key in islice(value, MOST_FAULTS):
        other = SYNONYMS[key] if key in SAME else ""
        sure = other if other in known else certain(key, known)
        right = None if key in known else sure or clear(key, known)
        if right and right not in value:
            yield Fix(f"write {right} instead of {key}", bool(sure), (Edit((*path, key), "rename", right),))


def _word(given: Any, path: Path_, known: Collection[str]) -> Iterator[Fix]:
    if not isinstance(given, str) or given in known:
        return
    sure = certain(given, known)
    if right := sure or clear(given, known):
        yield Fix(f"write {right} instead of {given}", bool(sure), (Edit(path, "set", right),))


def _family(model: Any) -> Iterator[Fix]:
    """Families that are not described have names too, often one letter apart, so only the spelling is safe to fix."""
    given = model.get("family") if isinstance(model, dict) else None
    for fix in _word(given, ("model", "family"), (*registry.names(), *registry.OTHERS.values())):
        yield replace(fix, safe=str(given).lower().replace("-", "_") == fix.edits[0].value)


def _misplaced(value: dict[str, Any]) -> Iterator[Fix]:
    """Keys at the top or in a step's settings that only one part has."""
    steps = [(("steps", place), step) for place, step in enumerate(_list(value.get("steps"))) if isinstance(step, dict)]
    inside = [((*at, name), inner) for at, step in steps for name, inner in step.items() if name in STEPS]
    for path, holder in [((), value), *inside]:
        for key, given in islice(holder.items(), MOST_FAULTS) if isinstance(holder, dict) else ():
            home = _home(key, path)
            if home and not isinstance(given, dict | list) and isinstance(value.get(home, {}), dict | None):
                yield from _moved((*path, key), home, given, value)


def _moved(path: Path_, home: str, given: Any, value: dict[str, Any]) -> Iterator[Fix]:
    there = value.get(home)
    if there is not None and path[-1] in there:
        return
    new = Edit((home, path[-1]), "set", given) if home in value else Edit((home,), "set", {path[-1]: given})
    certain_ = len(path) == 1 and home != "goal"  # a step's own setting would hold for all steps, a goal may be a gate
    yield Fix(f"move {path[-1]} to {home}", certain_, (new, Edit(path, "remove")))


def _home(key: str, path: Path_) -> str | None:
    """The one part that a key belongs to, if it is in the wrong place."""
    here = fields(STEPS[str(path[-1])]) if path else fields(Recipe)
    if key in [item.name for item in here] or key in STEPS:
        return None
    homes = [part for part in ("model", "data", "training", "goal") if key in _names(PARTS[part])]
    elsewhere = any(key in _names(step) for step in STEPS.values())
    return homes[0] if len(homes) == 1 and not elsewhere else None


def _names(type_: type) -> list[str]:
    return [item.name for item in fields(type_)]


def _number(given: Any, path: Path_, hint: Any) -> Iterator[Fix]:
    """A value that has to be a number, written as something else."""
    if not isinstance(given, str) or _takes_words(hint):
        return
    value = value_forms.number(given, not _takes(hint, float), str(path[-1]))
    words = _words(hint)
    if value is not None and (not words or value in words):
        yield Fix(f"write {value}", True, (Edit(path, "set", value),))


def _takes_words(hint: Any) -> bool:
    return _takes(hint, str)


def _takes(hint: Any, type_: type) -> bool:
    return hint is type_ or any(_takes(one, type_) for one in typing.get_args(hint))


def _sign(given: Any, path: Path_) -> Iterator[Fix]:
    bound = value_forms.comparison(given, str(path[-1]))
    if bound:
        yield Fix(f'write "{bound.value}"', bound.certain, (Edit(path, "set", bound.value),))
