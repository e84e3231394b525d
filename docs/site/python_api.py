"""The reference of the Python API: what `advisor.__all__` offers, from signatures and docstrings."""

from __future__ import annotations

import dataclasses
import inspect
import re
import typing
from collections.abc import Iterator
from typing import Any

import advisor

SECTION = re.compile(r"^(Args|Returns|Raises|Yields|Attributes|Example|Examples):\s*$")
LISTS, CODE = ("Args", "Raises", "Attributes"), ("Example", "Examples")
TITLES = {"Args": "Arguments"}
ENTRY = re.compile(r"^\s{4}(\*{0,2}\w[\w, ]*)(?:\s*\([^)]*\))?:\s+(.*)$")


def pages() -> dict[str, str]:
    """The one page, by path."""
    return {"reference/python.md": "\n".join(_page())}


def _page() -> Iterator[str]:
    yield "# Python API\n"
    yield "Generated from the docstrings of the package `advisor`. Importing it never loads torch.\n"
    yield f"{_text(inspect.getdoc(advisor) or '')}\n"
    described: list[type] = []
    for name in sorted(advisor.__all__):
        value = getattr(advisor, name)
        if isinstance(value, type):
            described.append(value)
        elif callable(value):
            yield from _function(f"advisor.{name}", value)
            described += _returned(value)
        else:
            yield f"## `advisor.{name}`\n\n`{value!r}`\n"
    for one in dict.fromkeys(described):
        yield from _class(one)


def _function(name: str, value: Any, level: int = 2) -> Iterator[str]:
    yield f"{'#' * level} `{name}`\n"
    yield f"```python\n{name}{_signature(value)}\n```\n"
    yield f"{_text(inspect.getdoc(value) or '')}\n"


def _signature(value: Any) -> str:
    """A signature, one argument a line where it is long."""
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(value)))
    text = text.replace("self, ", "").replace("(self)", "()")
    text = re.sub(r"\b(?:\w+\.)+(?=[A-Z]\w*)", "", text)
    if len(text) < 90:
        return text
    arguments, result = text.rsplit(")", 1)
    return "(\n    " + re.sub(r", (?=\*?\w+:|\*,|\w+=)", ",\n    ", arguments[1:]) + "\n)" + result


def _returned(value: Any) -> list[type]:
    """The class of the package that a function gives."""
    try:
        result = typing.get_type_hints(value).get("return")
    except (NameError, TypeError):  # an import for type checkers only; what `__all__` names is described anyway
        return []
    found = [result, *typing.get_args(result)]
    return [one for one in found if isinstance(one, type) and one.__module__.startswith("advisor")]


def _class(one: type) -> Iterator[str]:
    yield f"## `{one.__name__}`\n"
    yield f"{_text(inspect.getdoc(one) or '')}\n"
    yield from _fields(one)
    for name, value in vars(one).items():
        private = name.startswith("_") and name != "__call__"
        if private or not inspect.getdoc(value) or name in _field_names(one):
            continue
        if isinstance(value, property):
            yield f"### `{one.__name__}.{name}`\n\n{_text(inspect.getdoc(value) or '')}\n"
        elif inspect.isfunction(value):
            shown = one.__name__.lower() if name == "__call__" else f"{one.__name__}.{name}"
            yield from _function(shown, value, level=3)


def _field_names(one: type) -> list[str]:
    if dataclasses.is_dataclass(one):
        return [field.name for field in dataclasses.fields(one)]
    return list(getattr(one, "_fields", ()))


def _fields(one: type) -> Iterator[str]:
    names = _field_names(one)
    if names:
        yield "| Field | Type |"
        yield "| --- | --- |"
        for name in names:
            yield f"| `{name}` | {_kind(one, name)} |"
        yield ""


def _kind(one: type, name: str) -> str:
    """The type of a field, from the class that declares it."""
    declared = (inspect.get_annotations(base).get(name) for base in one.__mro__)
    found = next((kind for kind in declared if kind is not None), "")
    words = found.__name__ if isinstance(found, type) else getattr(found, "__forward_arg__", str(found))
    return "`" + words.replace("|", "\\|") + "`" if words else ""


def _text(doc: str) -> str:
    """A docstring as Markdown: its sections become headings, lists and code."""
    lines: list[str] = []
    section = ""
    for line in doc.splitlines():
        if found := SECTION.match(line):
            lines += [*_end(section), "", f"**{TITLES.get(found[1], found[1])}**", ""]
            section = found[1]
            lines += ["```python"] if section in CODE else []
        elif section in CODE:
            lines.append(line.removeprefix("    "))
        elif section in LISTS and (entry := ENTRY.match(line)):
            lines.append(f"- `{entry[1]}`: {entry[2]}")
        elif section and line.strip():
            lines.append(f"{'  ' if section in LISTS else ''}{line.strip()}")
        else:
            lines.append(line)
    return "\n".join([*lines, *_end(section)])


def _end(section: str) -> list[str]:
    return ["```"] if section in CODE else []
