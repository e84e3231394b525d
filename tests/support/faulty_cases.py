"""Reads the cases in tests/faulty; README.md there says how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

HERE = Path(__file__).parents[1] / "faulty"
PART = re.compile(r"(?=^[«]?[\w-]+[»]?:)", re.MULTILINE)  # where a part of a recipe starts
LONG = {"DIGITS": "9" * 5000, "DEEP": "[" * 40 + "]" * 40}  # too long to stand in a file


@dataclass(frozen=True)
class Expected:
    """What must be found, and where (line and column from 1)."""

    place: tuple[int, int]
    says: str
    rule: str = "invalid-recipe"
    remedy: str = ""


@dataclass(frozen=True)
class Case:
    """A faulty recipe as it lies on disk."""

    name: str
    data: bytes = field(repr=False)
    expected: tuple[Expected, ...] = ()


def read() -> Iterator[Case]:
    """All cases of all files."""
    for file in sorted(HERE.glob("*.yaml")):
        found = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
        for case in found["cases"]:
            yield _case(file.stem, case, found["base"])


def _case(topic: str, case: Mapping[str, Any], base: str) -> Case:
    marked = case["recipe"] if "recipe" in case else _replaced(base, case)
    for word, long in LONG.items():
        marked = marked.replace(word, long)
    places = [tuple(case["at"])] if "at" in case else _places(marked)
    finds = case["finds"]
    if len(places) == 1:
        places *= len(finds)
    assert len(places) == len(finds), f"{case['case']}: {len(places)} places for {len(finds)} findings"
    expected = (
        Expected(place, one.get("says", ""), one.get("rule", "invalid-recipe"), one.get("try", ""))
        for place, one in zip(places, finds, strict=True)
    )
    text = re.sub("[«»]", "", marked).replace("\n", case.get("newline", "\n"))
    return Case(f"{topic}: {case['case']}", text.encode(case.get("encoding", "utf-8")), tuple(expected))


def _replaced(base: str, case: Mapping[str, Any]) -> str:
    """The base with the case's parts in the place of its own; parts that it does not have come last."""
    parts = {_name(part): part for part in PART.split(base) if part}
    parts.pop(case.get("without", ""), None)
    if case.get("add"):
        return "".join(parts.values()) + _line(case["with"])
    for part in filter(None, PART.split(case["with"])):
        parts[_name(part)] = _line(part)
    return "".join(parts.values())


def _name(part: str) -> str:
    return re.split("[:：]", part.strip("«»"))[0].strip("«»")


def _line(part: str) -> str:
    return part if part.endswith("\n") else part + "\n"


def _places(marked: str) -> list[tuple[int, int]]:
    """Line and column of every opening mark, once the marks are taken out; one without a mark: the file's start."""
    found = []
    for line, text in enumerate(marked.splitlines(), 1):
        for match in re.finditer("«", text):
            found.append((line, match.start() + 1 - len(re.findall("[«»]", text[: match.start()]))))
    return found or [(1, 1)]
