"""What this machine offers, as text or JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from advisor.execution.doctor import Line
from advisor.report.style import paint

INDENT = 22


def text(lines: Sequence[Line], width: int = 100, colour: bool = False) -> str:
    """A paragraph for each topic; what follows from a finding stands below it."""
    return "\n".join(_text(lines, width, colour)) + "\n"


def _text(lines: Sequence[Line], width: int, colour: bool) -> Iterator[str]:
    topic = ""
    for line in lines:
        if line.topic != topic:
            yield from ([""] if topic else [])
            topic = line.topic
            yield paint(topic, "bold", colour)
        mark = {True: paint("+", "green", colour), False: paint("!", "yellow", colour), None: " "}[line.good]
        found = textwrap.wrap(line.found, max(20, width - INDENT), break_on_hyphens=False) or [""]
        yield f"{mark} {line.name:<{INDENT - 3}} {found[0]}"
        yield from (" " * INDENT + rest for rest in found[1:])
        follows = textwrap.wrap(line.follows, max(20, width - INDENT - 3), break_on_hyphens=False)
        yield from (
            " " * INDENT + paint(f"{'-> ' if not place else '   '}{rest}", "dim", colour)
            for place, rest in enumerate(follows)
        )


def as_json(lines: Sequence[Line]) -> str:
    return json.dumps([asdict(line) for line in lines], indent=2) + "\n"
