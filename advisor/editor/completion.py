"""Completion: the keys, words and rules that may be written where the cursor stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from advisor.editor import fields
from advisor.editor.cursor import ITEM, Cursor, cursor
from advisor.editor.kinds import Kind
from advisor.families import registry
from advisor.policy.rule import Rule

_IGNORE = re.compile(r"#\s*advise\s*:\s*ignore\s*\[(?:[^\]]*,)?\s*(?P<word>[\w-]*)$")
NAMES_RULES = {("pack", ("disable",)), ("pack", ("override",))}  # mappings whose keys are rules
NAMES_FAMILIES = {("recipe", ("model",), "source"), ("recipe", ("model",), "family")}


class Suggestion(NamedTuple):
    """Something that may be written. replaces: how many characters before the cursor it takes the place of."""

    label: str
    text: str
    about: str
    kind: str  # key, value or rule
    replaces: int


def suggestions(kind: Kind, before: str, rules: tuple[Rule, ...]) -> list[Suggestion]:
    """What may be written at the end of a text. before: the file up to the cursor."""
    line = before[before.rfind("\n") + 1 :]
    if found := _IGNORE.search(line):
        return [_rule(one, len(found["word"])) for one in rules]
    if "#" in line and re.search(r"(^|\s)#", line):
        return []
    place = cursor(before)
    return list(dict.fromkeys([*_keys(kind, place, rules), *_values(kind, place, rules)]))


def _rule(rule: Rule, replaces: int, after: str = "") -> Suggestion:
    return Suggestion(rule.id, f"{rule.id}{after}", rule.title, "rule", replaces)


def _keys(kind: Kind, place: Cursor, rules: tuple[Rule, ...]) -> Iterator[Suggestion]:
    if place.key is not None:
        return
    size = len(place.word)
    if (kind, place.path) in NAMES_RULES:
        yield from (_rule(one, size, ": ") for one in rules)
    options = list(fields.choices(fields.at(kind, place.path), kind))
    for name in fields.keys(options):
        yield Suggestion(name, f"{name}: ", fields.described(kind, (*place.path, name)), "key", size)
    inside = list(fields.choices(fields.at(kind, (*place.path, ITEM)), kind))
    for name in fields.keys(inside):  # a list whose next item has not been started
        yield Suggestion(name, f"- {name}: ", fields.described(kind, (*place.path, ITEM, name)), "key", size)


def _values(kind: Kind, place: Cursor, rules: tuple[Rule, ...]) -> Iterator[Suggestion]:
    size = len(place.word)
    if (kind == "waivers" and place.key == "rule") or (place.path[:1], place.key) == (("waivers",), "rule"):
        yield from (_rule(one, size) for one in rules)
    if (kind, place.path, place.key) in NAMES_FAMILIES:
        yield from (Suggestion(name, name, "a family that is described", "value", size) for name in registry.names())
    options = list(fields.choices(fields.at(kind, _written(place)), kind))
    if place.key is None and fields.keys(options):
        return  # an item may be a word or a mapping; the mapping's keys are the words
    for word in fields.values(options):
        text = word if isinstance(word, str) else json.dumps(word)
        yield Suggestion(text, text, "", "value", size)


def _written(place: Cursor) -> tuple[str, ...]:
    """The path of the value that is being written."""
    return place.path if place.key is None else (*place.path, place.key)
