"""JSON Schemas of the files that people write and that runs leave, made of the same dataclasses that read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from advisor.base.interval import NUMBER
from advisor.facts.facts import declared
from advisor.policy.packfile import Manifest
from advisor.policy.rulefile import RuleFile
from advisor.policy.view import GATES, META, TRAINING, is_text, known, settings
from advisor.recipe.recipe import Recipe, StatedWaiver
from advisor.recipe.steps import STEPS
from advisor.records.results import RunResult
from advisor.records.search import SearchResult
from advisor.report.field_docs import described
from advisor.report.findings_schema import findings

Schema = dict[str, Any]
COMPARISON = rf"^\s*((<=|>=|<|>|!=)\s*{NUMBER}|{NUMBER}\s*\.\.\s*{NUMBER})\s*$"
OF_TWO = r"^\s*(<=|>=|<|>|!=)\s*[a-z_]+\.[a-z_]+\s*$"  # a comparison with another number
CONDITIONS: Schema = {"$ref": "#/$defs/conditions"}


def schema(what: str) -> str:
    """The schema of one of SCHEMAS as JSON text."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:advise:{what}:1"}
    return json.dumps({**head, **SCHEMAS[what]()}, indent=2, ensure_ascii=False) + "\n"


def _of(type_: Any) -> Schema:
    from pydantic import TypeAdapter

    made: Schema = described(TypeAdapter(type_).json_schema())
    return made


def _recipe() -> Schema:
    made = _of(Recipe)
    steps = {name: _inlined(step, made) for name, step in STEPS.items()}
    one = {"type": "object", "properties": steps, "additionalProperties": False, "minProperties": 1, "maxProperties": 1}
    items = {"anyOf": [{"enum": list(STEPS)}, one]}
    made["$defs"]["StatedWaiver"] |= _waiver()
    made["properties"]["steps"] = {"type": "array", "minItems": 1, "items": items, "description": "In order."}
    return {**made, "title": "A recipe of advise"}


def _waiver() -> Schema:
    """A waiver's fields; its last day is a date."""
    made = _of(StatedWaiver)
    made["properties"]["until"]["format"] = "date"
    return made


def _waivers() -> Schema:
    """A file of waivers that stands beside recipes."""
    items = {"type": "array", "items": _waiver()}
    made = {"type": "object", "properties": {"waivers": items}, "required": ["waivers"], "additionalProperties": False}
    return {**made, "title": "Waivers of advise"}


def _inlined(step: type, into: Schema) -> Schema:
    """A step's settings, or nothing for all its defaults; what it refers to goes to the whole schema's definitions."""
    made = _of(step)
    into.setdefault("$defs", {}).update(made.pop("$defs", {}))
    return {"anyOf": [made, {"type": "null"}], "description": (step.__doc__ or "").splitlines()[0]}


def _rule() -> Schema:
    made = _of(RuleFile)
    made["properties"]["when"] = CONDITIONS
    made.setdefault("$defs", {})["conditions"] = _conditions()
    names = {"enum": list(STEPS)}
    some = {"type": "array", "items": names}
    pair = {"type": "array", "items": names, "minItems": 2, "maxItems": 2}
    names_of_settings = [f"{step.name}.{item}" for step in STEPS.values() for item in settings(step)]
    names_of_settings += TRAINING
    every, bounded = {"enum": names_of_settings}, {"enum": [*names_of_settings, *GATES]}
    comparison = {"type": "string", "pattern": COMPARISON}
    _narrow(
        made["$defs"]["Effects"]["properties"],
        forbid=some,
        require=some,
        order={"type": "array", "items": pair},
        limit={"type": "object", "propertyNames": bounded, "additionalProperties": comparison},
        prefer={"type": "object", "propertyNames": every},
        allow_only={"type": "object", "propertyNames": every, "additionalProperties": {"type": "array"}},
    )
    return {**made, "title": "A rule of advise"}


def _narrow(fields: Schema, **types: Schema) -> None:
    """Put exact types in the place of general ones; descriptions stay."""
    for name, type_ in types.items():
        fields[name] = {"description": fields[name]["description"], **type_}


def _conditions() -> Schema:
    """Tests of facts and settings, which must all hold, and groups of them."""
    several = {"type": "array", "minItems": 1, "items": CONDITIONS}
    tests = {name: _test(name, words) for name, words in known().items()}
    names = {"enum": list(tests)}
    about = "True only where these facts are known, so that the rule is never undecided."
    known_ = {"anyOf": [names, {"type": "array", "items": names, "minItems": 1}], "description": about}
    groups = {"all": several, "any": several, "not": CONDITIONS, "known": known_}
    meta = {f"^{META}": _test(META, ())}
    parts = {"properties": {**tests, **groups}, "patternProperties": meta, "additionalProperties": False}
    return {"type": "object", **parts}


def _test(name: str, words: tuple[object, ...]) -> Schema:
    fact = declared().get(name)
    about = f"{fact.about}{f' ({fact.unit})' if fact and fact.unit else ''}" if fact else "a part of the recipe"
    if fact and fact.type == "flag":
        return {"type": "boolean", "description": about}
    if is_text(name):
        word = {"type": "string", "minLength": 1}
        several = {"type": "array", "items": word, "minItems": 1}
        return {"anyOf": [word, several], "description": f"{about}; * stands for any characters, ? for one"}
    number = {"type": "string", "pattern": COMPARISON}
    one: Schema = {"type": "number"} if fact else {"type": ["number", "boolean", "string"]}
    one = {"enum": list(words)} if words else one
    options = [one, {"type": "array", "items": one, "minItems": 1}]
    if fact and not words:
        options += [number, {"type": "string", "pattern": OF_TWO}]
    return {"anyOf": options, "description": about}


def _pack() -> Schema:
    return {**_of(Manifest), "title": "The manifest of a rule pack of advise"}


def _report() -> Schema:
    """A finished run's report.json. All fields are there; later versions may add some."""
    return {**_written(RunResult), "title": "report.json, what a run of advise found"}


def _search() -> Schema:
    """A search's search.json, while it lasts and when it has ended."""
    return {**_written(SearchResult), "title": "search.json, what a search of advise found"}


def _written(type_: type) -> Schema:
    """A file that only advise writes: every field is there."""
    from pydantic import TypeAdapter

    made: Schema = TypeAdapter(type_).json_schema(mode="serialization")
    for part in (made, *made["$defs"].values()):
        part["required"] = list(part["properties"])
    version = made["properties"]["version"]["default"]
    made["properties"]["version"] = {"const": version, "description": "Of this format."}
    return made


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "recipe": _recipe,
    "rule": _rule,
    "pack": _pack,
    "waivers": _waivers,
    "report": _report,
    "search": _search,
    "findings": findings,
}
