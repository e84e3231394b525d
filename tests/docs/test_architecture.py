"""docs/architecture.md names files that exist, and every wing."""

from __future__ import annotations

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "architecture.md").read_text()
DRAWING = (CHECKOUT / "docs" / "architecture.svg").read_text()


def test_every_file_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:advisor|rules|recipes|schemas|tests|docs|bench)/[\w./-]*)`", PAGE))
    placeholders = {name for name in named if re.search(r"[A-Z]{4,}", name) or name.endswith("/NAME.py")}
    assert len(named - placeholders) > 40
    gone = sorted(name for name in named - placeholders if not (CHECKOUT / name).exists())
    assert not gone, f"docs/architecture.md names {gone}"


def test_every_file_of_the_drawing_is_there() -> None:
    named = {
        name for text in re.findall(r'class="f">([^<]*)<', DRAWING) for name in re.findall(r"[\w/]+/\w+(?:\.py)?", text)
    }
    assert len(named) > 15
    gone = sorted(name for name in named if not (CHECKOUT / "advisor" / name).exists())
    assert not gone, f"docs/architecture.svg names {gone}"


def test_every_wing_is_described() -> None:
    wings = {file.parent.name for file in (CHECKOUT / "advisor").glob("*/__init__.py")}
    described = set(re.findall(r"^\| `advisor/(\w+)/` \|", PAGE, re.MULTILINE))
    assert wings == described
