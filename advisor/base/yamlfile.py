"""Read YAML with the line and column of every value.

YAML 1.2 scalars, no tags, no anchors, no duplicate keys; a file of at most 1 MB and 32 levels. Every fault of a file is
reported at once, with its place and what to write instead.
"""

from __future__ import annotations

import codecs
import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from advisor.base.errors import MOST_FAULTS, AdviseError, Fault, short
from advisor.base.suggestions import begun_there, of_syntax

Path_ = tuple[str | int, ...]
MAX_BYTES, MAX_DEPTH = 1_000_000, 32
SPACES = ("\u00a0", "\u2007", "\u202f", "\u3000")  # look like spaces, and are none to YAML

BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
_LEADING_ZERO = re.compile(r"^[-+]?0[\d_]")  # 010 is 10 to YAML 1.2 and 8 to YAML 1.1, so it stays a word
# Longer ones stay words: no size is so large, and floats could not hold it.
_INT = re.compile(r"^[-+]?\d[\d_]{0,17}$", re.ASCII)
_FLOAT = re.compile(r"^[-+]?(\.\d+|\d[\d_]*(\.\d*)?)([eE][-+]?\d+)?$", re.ASCII)
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}


class Mark(NamedTuple):
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

    def written(self, path: Sequence[str | int]) -> str:
        """A value as the file writes it, quotes included; empty where it takes more than a line."""
        mark = self.marks.get(tuple(path))
        if mark is None or mark.line != mark.end_line:
            return ""
        return self.lines[mark.line - 1][mark.column - 1 : mark.end_column - 1]

    @functools.cached_property
    def lines(self) -> list[str]:
        """The lines of the text as YAML counts them, without their ends."""
        return BREAK.split(self.text)

    def fault(self, message: str, path: Sequence[str | int], hint: str = "", *, key: bool = False) -> Fault:
        """A fault at a path of this file."""
        mark = self.mark(path, key)
        return Fault(message, self.name, mark.line, mark.column, hint, mark.end_line, mark.end_column)


def read(path: Path, name: str = "") -> Document:
    """Read a YAML file.

    Raises:
        AdviseError: it cannot be read, or `parse` refuses it.
    """
    return parse(read_bytes(path, name), name or str(path))


def read_bytes(path: Path, name: str = "") -> bytes:
    """The bytes of a file, as far as one may be read. Raises an AdviseError where it cannot be read."""
    try:
        if path.is_fifo() and not str(path).startswith(("/dev/", "/proc/")):  # those are a shell's own: <(command)
            message = "is a named pipe, which may never have anything to read"
            raise AdviseError(Fault(message, name or str(path), hint="give a plain file"))
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise AdviseError(Fault(f"cannot be read: {error.strerror}", name or str(path))) from None
    except ValueError:  # a NUL character, or half of a surrogate pair
        raise AdviseError(Fault("cannot be read: no file can have this name", repr(name or str(path)))) from None


def parse(data: bytes | str, name: str) -> Document:
    """Read YAML text. `name` appears in messages.

    Raises:
        AdviseError: it is too large, not UTF-8, not YAML, or uses what is not supported, with place and remedy.
    """
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    text = decode(data, name)
    try:
        return _Reader(events(text), name, text).document()
    except MarkedYAMLError as error:
        raise AdviseError(_not_yaml(error, text, name)) from None
    except YAMLError as error:
        words = str(error).splitlines()[0]
        before = text.encode()[: getattr(error, "position", 0)].decode(errors="ignore")
        raise AdviseError(Fault(f"not YAML: {words}", name, *_end_of(before), hint="remove this character")) from None


def events(text: str) -> Iterator[Any]:
    """The parser's events, one by one: the parser alone would take hours for a megabyte of open brackets."""
    try:
        from _ruamel_yaml import CParser
    except ImportError:  # its C extension does not exist for every Python
        from ruamel.yaml import YAML

        yield from YAML(typ="safe").parse(text)
        return
    parser = CParser(text)
    while parser.check_event():
        yield parser.get_event()


def decode(data: bytes | str, name: str) -> str:
    """The text of a file. Raises an AdviseError where it is too large or not UTF-8."""
    if len(data) > MAX_BYTES:
        raise AdviseError(Fault(f"larger than {MAX_BYTES:,} bytes, the limit for recipes and rules", name))
    if isinstance(data, str):
        return data
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise AdviseError(Fault("not UTF-8 but UTF-16 text", name, 1, 1, "save it as UTF-8"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", errors="ignore")
        raise AdviseError(
            Fault(f"not UTF-8 text (byte {error.start})", name, *_end_of(before), "save it as UTF-8")
        ) from None


def _end_of(text: str) -> tuple[int, int]:
    """Line and column behind some text."""
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1


def _not_yaml(error: Any, text: str, name: str) -> Fault:
    """What the parser says, at the place where the mistake is rather than where the parser gave up."""
    mark = error.problem_mark or error.context_mark
    problem, context = str(error.problem), str(error.context or "")
    if error.context_mark and begun_there(problem, context, text[_offset(error.context_mark, text) :]):
        mark = error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Fault(f"not YAML: {problem}", name, line, column, of_syntax(problem, context, text, line))


def _offset(mark: Any, text: str) -> int:
    return sum(len(line) for line in text.splitlines(keepends=True)[: mark.line]) + int(mark.column)


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
        mark = _mark(event, event)
        place = (mark.line, mark.column, hint, mark.end_line, mark.end_column)
        more = len(self.faults) == MOST_FAULTS
        self.faults.append(Fault("and more" if more else message, self.name, *place))
        if stop or more:
            raise AdviseError(*self.faults)

    def _refuse_nul(self, scalar: Any) -> None:
        if "\0" in scalar.value:
            self._fail("a NUL character, which no name or text has", scalar, "write it without")

    def _value(self, event: Any, path: Path_) -> Any:
        kind = type(event).__name__
        if kind == "AliasEvent" or event.anchor:
            self._fail("anchors and aliases (& and *) are not supported", event, "write the value out")
        if event.tag and event.tag != "!":
            self._fail(f"the tag {event.tag[:60]} is not supported", event, "remove it, or put the text in quotes")
        if len(path) > MAX_DEPTH:
            self._fail(f"nested deeper than {MAX_DEPTH} levels", event, "no recipe or rule needs that")
        if kind == "ScalarEvent":
            self._refuse_nul(event)
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
                hint = "write `key: value`; a template such as {{ name }} has to be filled in first"
                self._fail("a key must be a plain word", event, hint)
            self._refuse_nul(event)
            key, at = str(event.value), (*path, str(event.value))
            if key[:1] in SPACES:
                self._fail("not YAML: a non-breaking space indents here", event, "indent with plain spaces")
            if key in found:
                line = self.keys[at].line
                self._fail(
                    f"the key {short(key)!r} appears twice, first in line {line}",
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
    if _LEADING_ZERO.match(text):
        return text
    if _INT.match(text):
        return int(text.replace("_", ""))
    if _FLOAT.match(text):
        number = float(text.replace("_", ""))
        if not isfinite(number):
            return text  # which says more than "inf"
        return int(number) if number.is_integer() and "." not in text and abs(number) < 1e15 else number
    return text
