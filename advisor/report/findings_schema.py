"""The JSON Schema of what `advise check --format json` and `advise gate --format json` write."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from advisor.review.findings import SEVERITIES, Action, Waiver
from advisor.review.outcome import EXIT_WORDS

Schema = dict[str, Any]
TEXT, FLAG, COUNT = {"type": "string"}, {"type": "boolean"}, {"type": "integer", "minimum": 0}
COUNTED = ("files", "unread", "passed_over", "rules", "errors", "warnings", "notes", "waived", "known", "fixes")


def findings() -> Schema:
    """The whole object. New fields may come; those named here stay as they are while `form` is 1."""
    head: Schema = {
        "form": {"const": 1},
        "command": {"enum": ["check", "gate"]},
        "exit": _object(code={"enum": sorted(EXIT_WORDS)}, words=TEXT),
        "policy": _object(name=TEXT, version=TEXT, sha256=TEXT),
        "files": _list(TEXT),
        "summary": _object(**dict.fromkeys(COUNTED, COUNT)),
        "kept": _list(TEXT),
        "findings": _list(_finding()),
    }
    return {"title": "What advise found", **_object(**head), "$defs": {"place": _place()}}


def _finding() -> Schema:
    place, edit = {"$ref": "#/$defs/place"}, _object(path=_list({}), action={"enum": list(get_args(Action))}, value={})
    words = dict.fromkeys(("rule", "message", "because", "pointer", "allowed_if", "fingerprint"), TEXT)
    flags = dict.fromkeys(("white_paper_only", "undecided", "known", "counts"), FLAG)
    waiver = dict.fromkeys(("rule", "where", "reason", "owner", "until"), TEXT)
    kinds = {"enum": list(get_args(get_type_hints(Waiver)["kind"]))}
    return _object(
        **words,
        **flags,
        severity={"enum": list(SEVERITIES)},
        place=place,
        value={},
        causes=_list(_object(name=TEXT, words=TEXT, place=_or_null(place))),
        evidence=_list(TEXT),
        fix=_or_null(_object(words=TEXT, safe=FLAG, edits=_list(edit))),
        waiver=_or_null(_object(**waiver, kind=kinds, place=_or_null(place))),
    )


def _place() -> Schema:
    """Lines and columns count from 1; without them the file as a whole is meant."""
    where = {key: {"type": "integer", "minimum": 1} for key in ("line", "column", "end_line", "end_column")}
    return {"type": "object", "properties": {"file": TEXT, **where}, "required": ["file"]}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}
