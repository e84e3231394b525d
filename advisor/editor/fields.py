"""What may stand at a path of a file, by the JSON Schemas that `advise schema` prints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from advisor.editor.cursor import ITEM
from advisor.editor.kinds import Kind
from advisor.report.schema import schema

Schema = dict[str, Any]


@cache
def _root(kind: Kind) -> Schema:
    made: Schema = json.loads(schema(kind))
    return made


def at(kind: Kind, path: Sequence[str]) -> list[Schema]:
    """The schemas of what may stand at a path, references resolved; none where nothing may."""
    found = [_root(kind)]
    for part in path:
        found = [inner for one in found for inner in _inside(one, part, kind)]
    return found


def choices(found: Sequence[Schema], kind: Kind) -> Iterator[Schema]:
    """The alternatives in some schemas, one by one."""
    for one in found:
        if "$ref" in one:
            yield from choices([_root(kind)["$defs"][one["$ref"].rsplit("/", 1)[1]]], kind)
        elif "anyOf" in one:
            yield from choices(one["anyOf"], kind)
        else:
            yield one


def _inside(holder: Schema, part: str, kind: Kind) -> Iterator[Schema]:
    for one in choices([holder], kind):
        if part == ITEM:
            yield from [one["items"]] if isinstance(one.get("items"), dict) else one.get("prefixItems", ())
        elif part in one.get("properties", {}):
            yield one["properties"][part]
        else:
            patterns = one.get("patternProperties", {}).items()
            yield from (inner for pattern, inner in patterns if re.search(pattern, part))
            yield from [one["additionalProperties"]] if isinstance(one.get("additionalProperties"), dict) else []


def described(kind: Kind, path: Sequence[str]) -> str:
    """What a field means, what it may be and its default, as Markdown; empty where there is no such field."""
    found = at(kind, path)
    if not found:
        return ""
    options = list(choices(found, kind))
    about = next((one["description"] for one in [*found, *options] if "description" in one), "")
    parts = [f"**{path[-1]}**: {about.split(chr(10))[0]}" if about else f"**{path[-1]}**", *_facts(found, options)]
    return "\n\n".join(parts)


def _facts(found: Sequence[Schema], options: Sequence[Schema]) -> Iterator[str]:
    words = [f"`{json.dumps(one)}`".replace('"', "") for one in values(options)]
    if words:
        yield f"One of {', '.join(words)}."
    bounds = list(filter(None, map(_bounds, options)))
    if bounds:
        yield f"{'; '.join(dict.fromkeys(bounds)).capitalize()}."
    defaults = [one["default"] for one in found if one.get("default") is not None]
    if defaults and not isinstance(defaults[0], dict | list):
        yield f"Default: `{json.dumps(defaults[0])}`."


def _bounds(option: Schema) -> str:
    """The type of a number or text, and its limits, in words."""
    type_ = {"integer": "a whole number", "number": "a number", "string": "a text"}.get(str(option.get("type")), "")
    if not type_ or "enum" in option:
        return ""
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {option[name]:,}" for name, sign in signs.items() if name in option]
    return " ".join([type_, " and ".join(limits)]).strip()


def values(options: Sequence[Schema]) -> list[Any]:
    """The words that may be written, in order."""
    found: list[Any] = []
    for one in options:
        found += one.get("enum", [one["const"]] if "const" in one else [])
        found += [True, False] if one.get("type") == "boolean" else []
    return [one for at, one in enumerate(found) if one not in found[:at] and not isinstance(one, list)]


def keys(options: Sequence[Schema]) -> dict[str, Schema]:
    """The keys that may be written, with the schema of what follows each."""
    found: dict[str, Schema] = {}
    for one in options:
        found |= one.get("properties", {})
        inner = one.get("additionalProperties")
        names = one.get("propertyNames", {}).get("enum", ())
        found |= {name: inner if isinstance(inner, dict) else {} for name in names}
    return found
