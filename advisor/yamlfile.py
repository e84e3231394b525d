"""Read YAML with the line and column of every value, and turn plain values into typed ones.

YAML 1.2 scalars, no tags, no anchors, no duplicate keys; a file of at most 1 MB and 32 levels. What is wrong
is told with its place and what to write instead; all faults of a file at once.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import types
import typing
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from advisor.errors import AdviseError, Fault, suggest

T = TypeVar("T")
Path_ = tuple[str | int, ...]
MAX_BYTES, MAX_DEPTH = 1_000_000, 32

_INT = re.compile(r"^[-+]?\d[\d_]*$")
_FLOAT = re.compile(r"^[-+]?(\.\d+|\d[\d_]*(\.\d*)?)([eE][-+]?\d+)?$")
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """Where a value starts and ends; lines and columns count from 1. For a key's value also where the key is."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclasses.dataclass(frozen=True)
class Document:
    """A YAML file: its plain value, and the marks of all values (`marks`) and of all keys (`keys`) by path."""

    value: Any
    name: str
    text: str
    marks: Mapping[Path_, Mark]
    keys: Mapping[Path_, Mark]

    def mark(self, path: Sequence[str | int], key: bool = False) -> Mark:
        """The mark of the value (or key) at a path, or of the nearest thing that holds it."""
        at = tuple(path)
        first = self.keys if key else self.marks
        while at and at not in first and at not in self.marks:
            at = at[:-1]
        return first.get(at) or self.marks.get(at) or Mark(1, 1, 1, 1)

    def fault(self, message: str, path: Sequence[str | int], hint: str = "", *, key: bool = False) -> Fault:
        """A fault at a path of this file."""
        mark = self.mark(path, key)
        return Fault(message, self.name, mark.line, mark.column, hint)


def read(path: Path, name: str = "") -> Document:
    """Read a YAML file.

    Raises:
        AdviseError: it cannot be read, or `parse` refuses it.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise AdviseError(Fault(f"cannot be read: {error.strerror}", name or str(path))) from None
    return parse(data, name or str(path))


def parse(data: bytes | str, name: str) -> Document:
    """Read YAML text. `name` stands in messages.

    Raises:
        AdviseError: it is too large, not UTF-8, not YAML, or uses what is not read here; with place and remedy.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    text = _decode(data, name)
    try:
        # Event by event: the parser alone would take hours for a megabyte of open brackets.
        return _Reader(YAML(typ="safe").parse(text), name, text).document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise AdviseError(Fault(f"not YAML: {error.problem}", name, line, column, _remedy(text, line))) from None
    except YAMLError as error:
        raise AdviseError(Fault(f"not YAML: {str(error).splitlines()[0]}", name)) from None


def _decode(data: bytes | str, name: str) -> str:
    if len(data) > MAX_BYTES:
        raise AdviseError(Fault(f"larger than {MAX_BYTES:,} bytes, which no recipe or rule is", name))
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AdviseError(Fault(f"not UTF-8 text (byte {error.start})", name, hint="save it as UTF-8")) from None


def _remedy(text: str, line: int) -> str:
    lines = text.splitlines()
    around = " ".join(lines[max(0, line - 2) : line])
    if re.search(r":\s*[>!]=?\s*[\d.=]", around):
        return "'>' and '!' have a meaning of their own in YAML: put the comparison in quotes, \">= 10\""
    if "\t" in around:
        return "indent with spaces, not with tabs"
    return "check the indentation, the colons and the brackets near this place"


class _Reader:
    """Builds plain values from the parser's events and notes every position."""

    def __init__(self, events: Iterable[Any], name: str, text: str) -> None:
        self.events: Iterator[Any] = iter(events)
        self.name, self.text = name, text
        self.marks: dict[Path_, Mark] = {}
        self.keys: dict[Path_, Mark] = {}
        self.faults: list[Fault] = []

    def document(self) -> Document:
        value, documents = None, 0
        for event in self.events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    self._fail("a second document starts here", event, "one file, one document")
            elif kind not in ("StreamStartEvent", "StreamEndEvent", "DocumentEndEvent"):
                value = self._value(event, ())
        if self.faults:
            raise AdviseError(*self.faults)
        return Document(value, self.name, self.text, self.marks, self.keys)

    def _fail(self, message: str, event: Any, hint: str, *, stop: bool = True) -> None:
        mark = event.start_mark
        self.faults.append(Fault(message, self.name, mark.line + 1, mark.column + 1, hint))
        if stop:
            raise AdviseError(*self.faults)

    def _value(self, event: Any, path: Path_) -> Any:
        kind = type(event).__name__
        if kind == "AliasEvent" or event.anchor:
            self._fail("anchors and aliases (& and *) are not read here", event, "write the value out")
        if event.tag and event.tag != "!":
            self._fail(f"the tag {event.tag[:60]} is not read here", event, "remove it, or put the text in quotes")
        if len(path) > MAX_DEPTH:
            self._fail(f"nested deeper than {MAX_DEPTH} levels", event, "no recipe or rule needs that")
        if kind == "ScalarEvent":
            self.marks[path] = _mark(event, event)
            return _scalar(event.value) if event.style in (None, "") else event.value
        container = self._mapping if kind == "MappingStartEvent" else self._sequence
        value, last = container(path)
        self.marks[path] = _mark(event, last)
        return value

    def _mapping(self, path: Path_) -> tuple[dict[str, Any], Any]:
        found: dict[str, Any] = {}
        for event in self.events:
            kind = type(event).__name__
            if kind == "MappingEndEvent":
                return found, event
            if kind != "ScalarEvent":
                self._fail("a key must be a plain word", event, "write `key: value`")
            key, at = str(event.value), (*path, str(event.value))
            if key in found:
                line = self.keys[at].line
                self._fail(
                    f"the key {key!r} stands here a second time, first in line {line}",
                    event,
                    "keep one of the two",
                    stop=False,
                )
            self.keys[at] = _mark(event, event)
            found[key] = self._value(next(self.events), at)
        return found, None

    def _sequence(self, path: Path_) -> tuple[list[Any], Any]:
        found: list[Any] = []
        for event in self.events:
            if type(event).__name__ == "SequenceEndEvent":
                return found, event
            found.append(self._value(event, (*path, len(found))))
        return found, None


def _mark(first: Any, last: Any) -> Mark:
    start, end = first.start_mark, last.end_mark
    return Mark(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _scalar(text: str) -> Any:
    """A plain scalar by the YAML 1.2 core schema, and 1_000 as people write it. `no` stays a word."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INT.match(text):
        return int(text.replace("_", ""))
    if _FLOAT.match(text):
        number = float(text.replace("_", ""))
        return int(number) if number.is_integer() and "." not in text and abs(number) < 1e15 else number
    return text


@functools.cache
def _adapter(type_: Hashable) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(cast(Any, type_))


def build(type_: type[T], value: Any, document: Document, path: Path_ = ()) -> tuple[T | None, list[Fault]]:
    """Make a dataclass of a plain value with pydantic, or say with positions what is wrong with it."""
    from pydantic import ValidationError

    try:
        # As JSON, because strict validation takes mappings for dataclasses only there.
        return _adapter(cast(Hashable, type_)).validate_json(json.dumps(value), strict=True), []
    except ValidationError as error:
        return None, [_fault(item, type_, document, path) for item in error.errors(include_url=False)]


def _fault(item: Mapping[str, Any], type_: Any, document: Document, path: Path_) -> Fault:
    location = tuple(part for part in item["loc"])
    at = (*path, *location)
    name = ".".join(str(part) for part in at)
    if item["type"] == "unexpected_keyword_argument":
        hint = suggest(location[-1], _fields(type_, location[:-1]))
        return document.fault(f"unknown key {name}", at, hint, key=True)
    if item["type"] in ("missing", "missing_argument"):
        return document.fault(f"{name} is missing", at[:-1], f"add `{location[-1]}:`")
    got = item["input"]
    wrong = item["msg"][0].lower() + item["msg"][1:].removeprefix("Value error, ")
    wrong = wrong.removeprefix("value error, ")
    got_text = f", got {got!r}" if isinstance(got, str | int | float | bool | None) else ""
    return document.fault(f"{name}: {wrong}{got_text}", at)


def _fields(type_: Any, location: tuple[str | int, ...]) -> list[str]:
    """The names that the dataclass at a location knows."""
    for part in location:
        if dataclasses.is_dataclass(type_):
            type_ = typing.get_type_hints(type_).get(str(part))
        options = typing.get_args(type_)
        union = typing.get_origin(type_) in (typing.Union, types.UnionType, tuple)
        type_ = next((option for option in options if dataclasses.is_dataclass(option)), type_) if union else type_
    return [item.name for item in dataclasses.fields(type_)] if dataclasses.is_dataclass(type_) else []
