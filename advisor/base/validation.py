"""Typed: make dataclasses of plain values, or say with places what is wrong with them and what to write instead."""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar, cast

from advisor.base.errors import Fault, nearest, suggest
from advisor.base.suggestions import of_key, of_value
from advisor.base.yamlfile import Document, Path_

T = TypeVar("T")
Item = Mapping[str, Any]  # one error as pydantic reports it
LONGEST = 60  # of a wrong value that a message repeats


class Hints(NamedTuple):
    """What is known of the mistakes in one kind of file, beyond the types.

    synonyms: keys of other tools -> ours. key: the path of an unknown key -> where it belongs, or "".
    value: path and value -> what to write instead, or "".
    """

    synonyms: Mapping[str, str] = {}
    key: Callable[[Path_], str] = lambda path: ""
    value: Callable[[Path_, Any], str] = lambda path, got: ""


NO_HINTS = Hints()


@functools.cache
def _adapter(type_: Hashable) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(cast(Any, type_))


@functools.lru_cache(maxsize=1024)  # many recipes have a step in common
def _valid(type_: Hashable, value: str) -> Any:
    # As JSON, because strict validation takes mappings for dataclasses only there.
    return _adapter(type_).validate_json(value, strict=True)


def build(
    type_: type[T], value: Any, document: Document, path: Path_ = (), hints: Hints = NO_HINTS
) -> tuple[T | None, list[Fault]]:
    """Make a dataclass of a plain value with pydantic, or say with positions what is wrong with it.

    Args:
        hints: remedies of the kind of file that is read; they come before the general ones.
    """
    from pydantic import ValidationError

    try:
        return _valid(cast(Hashable, type_), json.dumps(value)), []
    except ValidationError as error:
        items = error.errors(include_url=False)
        meant = {(*item["loc"][:-1], _meant(item, type_, hints)) for item in items if _unknown(item)}
        return None, [
            _fault(item, type_, document, path, hints)
            for item in items
            if not (_missing(item) and item["loc"] in meant)
        ]


def _unknown(item: Item) -> bool:
    return bool(item["type"] == "unexpected_keyword_argument")


def _missing(item: Item) -> bool:
    return item["type"] in ("missing", "missing_argument")


def _meant(item: Item, type_: Any, hints: Hints) -> str | None:
    """The key that an unknown one stands for."""
    *within, key = item["loc"]
    known = _fields(type_, within)
    return nearest(key, known) or next((name for name in [hints.synonyms.get(key)] if name in known), None)


def _fault(item: Item, type_: Any, document: Document, path: Path_, hints: Hints) -> Fault:
    at = (*path, *item["loc"])
    name = ".".join(str(part) for part in at)
    if _unknown(item):
        meant = _meant(item, type_, hints)
        hint = f"did you mean {meant!r}?" if meant else hints.key(at) or of_key(at[-1])
        hint = hint or suggest(at[-1], _fields(type_, item["loc"][:-1]))
        return document.fault(f"unknown key {name}", at, hint, key=True)
    if _missing(item):
        return document.fault(f"{name} is missing", at[:-1], f"add `{item['loc'][-1]}:`")
    got, words = item["input"], _words(item)
    if not at:
        return document.fault(f"{words}{_got(got)}", at, f"write `{_fields(type_, ())[0]}:` and so on")
    hint = hints.value(at, got) or of_value(item["type"], got, document.written(at), str(at[-1]), _options(item))
    return document.fault(f"{name}: {words}{_got(got)}", at, hint)


def _words(item: Item) -> str:
    if item["type"] == "dataclass_type":
        return "expected its parts as a mapping"
    wrong = str(item["msg"])[0].lower() + str(item["msg"])[1:].removeprefix("Value error, ")
    return wrong.removeprefix("value error, ")


def _got(got: Any) -> str:
    if not isinstance(got, str | int | float | bool | None):
        return ""
    shown = repr(got)
    return f", got {shown if len(shown) <= LONGEST else shown[:LONGEST] + '…'}"


def _options(item: Item) -> list[str]:
    """The words that would have been right, where there are only so many."""
    if item["type"] != "literal_error":
        return []
    listed = str(item["ctx"]["expected"]).replace(" or ", ", ")
    return [word.strip("'") for word in listed.split(", ")]


def _fields(type_: Any, location: Iterable[str | int]) -> list[str]:
    """The names that the dataclass at a location knows."""
    for part in location:
        if dataclasses.is_dataclass(type_):
            type_ = typing.get_type_hints(type_).get(str(part))
        choices = typing.get_args(type_)
        union = typing.get_origin(type_) in (typing.Union, types.UnionType, tuple)
        type_ = next((choice for choice in choices if dataclasses.is_dataclass(choice)), type_) if union else type_
    return [item.name for item in dataclasses.fields(type_)] if dataclasses.is_dataclass(type_) else []
