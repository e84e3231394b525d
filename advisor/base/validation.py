"""Validation: make dataclasses of plain values; what is wrong with a value is kept by its path until all is known.

`validate` knows values and types only. `faults` turns everything that it found into faults at once: the place from the
document's marks, the remedy from the kind of mistake.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, cast

from advisor.base.errors import MOST_FAULTS, Fault, nearest, short, suggest
from advisor.base.suggestions import of_key, of_value
from advisor.base.yamlfile import Document, Path_

T = TypeVar("T")
Item = Mapping[str, Any]  # one error as pydantic reports it
LONGEST = 60  # of a wrong value that a message repeats
UNKNOWN_KEY, MISSING, WRONG_WORD = "unknown_key", "missing", "literal_error"


class Mistake(NamedTuple):
    """One thing that is wrong with a value, not yet placed in a file.

    kind: as pydantic names it, or the reader's own name. known: the keys or words that would have been right.
    key: the key at `path` is wrong, not its value.
    """

    path: Path_
    message: str
    kind: str = ""
    got: Any = None
    known: Sequence[str] = ()
    key: bool = False


class Hints(NamedTuple):
    """Remedies for one kind of file; they come before the general ones.

    synonyms: keys of other tools -> ours. others: keys that look like ours and mean something else -> what they mean.
    remedy: what to write instead, or "".
    """

    synonyms: Mapping[str, str] = {}
    others: Mapping[str, str] = {}
    remedy: Callable[[Mistake], str] = lambda mistake: ""


NO_HINTS = Hints()


@functools.cache
def adapter(type_: Hashable) -> Any:
    """Pydantic's adapter of a type. Making one takes longer than most of what it reads."""
    from pydantic import TypeAdapter

    return TypeAdapter(cast(Any, type_))


@functools.cache
def type_hints(type_: Hashable) -> dict[str, Any]:
    """The types of a dataclass's fields. Python reads them anew from their text each time that it is asked."""
    return typing.get_type_hints(cast(Any, type_))


@functools.lru_cache(maxsize=1024)  # many recipes have a step in common
def _valid(type_: Hashable, value: str) -> Any:
    # As JSON, because strict validation takes mappings for dataclasses only there.
    return adapter(type_).validate_json(value, strict=True)


def validate(type_: type[T], value: Any, path: Path_ = ()) -> tuple[T | None, list[Mistake]]:
    """Make a dataclass of a plain value with pydantic, or return everything that is wrong with it.

    Args:
        path: of the value in its file.
    """
    from pydantic import ValidationError

    try:
        return _valid(cast(Hashable, type_), json.dumps(value, default=str)), []  # str: TOML has dates
    except ValidationError as error:
        return None, [_mistake(item, type_, path) for item in error.errors(include_url=False)]


def _mistake(item: Item, type_: Any, path: Path_) -> Mistake:
    location, kind = item["loc"], item["type"]
    at, got = (*path, *location), item["input"]
    name = short(".".join(map(str, at)))
    if kind == "unexpected_keyword_argument":
        return Mistake(at, f"unknown key {name}", UNKNOWN_KEY, got, _fields(type_, location[:-1]), key=True)
    if kind in ("missing", "missing_argument"):
        return Mistake(at, f"{name} is missing", MISSING)
    message = f"{name}: {_words(item)}" if at else _words(item)
    known = _options(item) if kind == WRONG_WORD else () if at else _fields(type_, ())
    return Mistake(at, message + shown(got), kind, got, known)


def _words(item: Item) -> str:
    if item["type"] == "dataclass_type":
        return "expected its parts as a mapping"
    wrong = str(item["msg"])[0].lower() + str(item["msg"])[1:].removeprefix("Value error, ")
    return wrong.removeprefix("value error, ")


def shown(got: Any) -> str:
    """The end of a message that repeats a wrong value; empty for what is too large to repeat."""
    if not isinstance(got, str | int | float | bool | None):
        return ""
    text = repr(got)
    return f", got {text if len(text) <= LONGEST else text[:LONGEST] + '…'}"


def _options(item: Item) -> list[str]:
    """The words that would have been right."""
    listed = str(item["ctx"]["expected"]).replace(" or ", ", ")
    return [word.strip("'") for word in listed.split(", ")]


def _fields(type_: Any, location: Iterable[str | int]) -> list[str]:
    """The names that the dataclass at a location knows."""
    for part in location:
        if dataclasses.is_dataclass(type_):
            type_ = type_hints(cast(Hashable, type_)).get(str(part))
        choices = typing.get_args(type_)
        union = typing.get_origin(type_) in (typing.Union, types.UnionType, tuple)
        type_ = next((choice for choice in choices if dataclasses.is_dataclass(choice)), type_) if union else type_
    return [item.name for item in dataclasses.fields(type_)] if dataclasses.is_dataclass(type_) else []


def faults(mistakes: Sequence[Mistake], document: Document, hints: Hints = NO_HINTS) -> list[Fault]:
    """Each mistake with its place and its remedy, in the order of the file; of very many the first, and how many more.

    A missing key that a misspelt one beside it stands for is not reported a second time.
    """
    ordered = sorted(mistakes, key=lambda one: document.mark(_where(one), one.key)[:2])
    first, more = ordered[:MOST_FAULTS], ordered[MOST_FAULTS:]
    misspelt = {(*one.path[:-1], _meant(one, hints)) for one in first if one.kind == UNKNOWN_KEY}
    found = [
        document.fault(one.message, _where(one), _hint(one, document, hints), key=one.key)
        for one in first
        if one.kind != MISSING or one.path not in misspelt
    ]
    return found + [document.fault(f"and {len(more):,} more", _where(one), key=one.key) for one in more[:1]]


def _where(mistake: Mistake) -> Path_:
    """The path of what is told about: what is missing has no place of its own."""
    return mistake.path[:-1] if mistake.kind == MISSING else mistake.path


def _meant(mistake: Mistake, hints: Hints) -> str | None:
    """The key that an unknown one stands for."""
    key = mistake.path[-1]
    other = hints.synonyms.get(str(key))
    if str(key) in hints.others:
        return None
    return nearest(key, mistake.known) or (other if other in mistake.known else None)


def _hint(mistake: Mistake, document: Document, hints: Hints) -> str:
    """The remedy of one mistake: what this kind of file knows, else what is true of all files."""
    path, last = mistake.path, str(mistake.path[-1]) if mistake.path else ""
    if mistake.kind == MISSING:
        return f"add `{last}:`"
    if mistake.kind == UNKNOWN_KEY:
        meant = _meant(mistake, hints)
        own = f"did you mean {meant!r}?" if meant else hints.others.get(last) or hints.remedy(mistake)
        return own or of_key(last) or suggest(last, mistake.known)
    if not path and mistake.known:
        return f"write `{mistake.known[0]}:` and so on"
    return hints.remedy(mistake) or of_value(mistake.kind, mistake.got, document.written(path), last, mistake.known)


def build(type_: type[T], value: Any, document: Document, path: Path_ = ()) -> tuple[T | None, list[Fault]]:
    """`validate` and `faults` in one, for a file that is a single value."""
    made, mistakes = validate(type_, value, path)
    return made, faults(mistakes, document)
