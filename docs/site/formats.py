"""The reference of the file formats, generated from the JSON Schemas that `advise schema` prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from advisor.policy.view import known
from advisor.report.schema import SCHEMAS, schema

FOLDER = "reference/files"
TITLES = {
    "recipe": ("Recipe", "What to do to a model, in order. `advise` writes recipes, `advise check` reviews them."),
    "rule": ("Rule", "One rule of a pack: `rules/PACK/TOPIC/ID.yaml`."),
    "pack": ("Pack manifest", "`pack.yaml` in the folder of a rule pack."),
    "waivers": ("Waivers file", "`waivers.yaml` beside recipes, or above them up to the root of the repository."),
    "findings": ("Findings", "What `advise check --format json` and `advise gate --format json` print."),
    "report": ("Run report", "`report.json` in the folder of a finished run."),
    "search": ("Search record", "`search.json` in the folder of a search."),
}
Schema = Mapping[str, Any]


def pages() -> dict[str, str]:
    """A page for each format, by path."""
    return {f"{FOLDER}/{name}.md": "\n".join(_page(name)) for name in SCHEMAS}


def _page(name: str) -> Iterator[str]:
    made = json.loads(schema(name))
    title, about = TITLES[name]
    yield f"# {title}\n"
    yield f"{about} JSON Schema: `advise schema {name}`.\n"
    yield from _object(made)
    for key, part in made.get("$defs", {}).items():
        if "properties" in part and key != "conditions":
            yield f"## {key}\n"
            yield from _object(part)
    if name == "recipe":
        yield from _steps(made)
    if name == "waivers":
        yield "## Each waiver\n"
        yield from _object(made["properties"]["waivers"]["items"])
    if name == "rule":
        yield from _conditions(made["$defs"]["conditions"])


def _steps(made: Schema) -> Iterator[str]:
    items = made["properties"]["steps"]["items"]["anyOf"]
    for name, step in next(one for one in items if "properties" in one)["properties"].items():
        yield f"## Step `{name}`\n"
        yield from _object(step["anyOf"][0])


def _conditions(part: Schema) -> Iterator[str]:
    yield "## Conditions\n"
    yield "All entries of a condition must hold. `any`, `all` and `not` group conditions.\n"
    yield "| Fact or setting | Type | What it means |"
    yield "| --- | --- | --- |"
    for name in known():
        test = part["properties"][name]
        first = test["anyOf"][0] if "anyOf" in test else test
        yield f"| `{name}` | {_type(first)} | {_cell(test.get('description', ''))} |"
    yield ""


def _object(part: Schema) -> Iterator[str]:
    if part.get("description"):
        yield f"{part['description']}\n"
    yield "| Field | Type | Default |"
    yield "| --- | --- | --- |"
    for name, field in part.get("properties", {}).items():
        default = "required" if name in part.get("required", ()) else _default(field)
        yield f"| `{name}` | {_type(field)} | {default} |"
    yield ""


def _default(field: Schema) -> str:
    value = field.get("default")
    return "" if value is None or isinstance(value, dict | list) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _type(field: Schema) -> str:
    """A field's type in words: choices, bounds, and the kinds it may be."""
    if "$ref" in field:
        return field["$ref"].rsplit("/", 1)[-1]
    if options := field.get("anyOf") or field.get("oneOf"):
        words = dict.fromkeys(_type(one) for one in options if one.get("type") != "null")
        return " or ".join(words)
    if "enum" in field or "const" in field:
        return ", ".join(f"`{one}`" for one in field.get("enum", [field.get("const")]))
    if "allOf" in field:
        return _type(field["allOf"][0])
    kind = field.get("type", "any")
    kind = " or ".join(kind) if isinstance(kind, list) else kind
    if kind == "array":
        return f"list of {_type(field['items'])}" if field.get("items") else "list"
    if kind == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"map to {_type(field['additionalProperties'])}"
    return _bounded(kind, field)


def _bounded(kind: str, field: Schema) -> str:
    if kind == "string" and "pattern" in field:
        return "text such as `10k` or `25,000`" if "kMB" in field["pattern"] else "text"
    words = {"exclusiveMinimum": "> {}", "minimum": ">= {}", "maximum": "<= {}", "exclusiveMaximum": "< {}"}
    bounds = [text.format(field[name]) for name, text in words.items() if name in field]
    name = {"string": "text", "boolean": "true or false"}.get(kind, kind)
    return f"{name} {', '.join(bounds)}".strip()


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
