"""Every command block of the README and the documentation does what the page shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from doc_commands import CHECKOUT, NEEDS_DEMO, SLOW, commands, matches, wrong

PAGES = sorted(
    page.relative_to(CHECKOUT)
    for page in (CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *(CHECKOUT / "docs").rglob("*.md"))
    if page.parent != CHECKOUT / "docs" / "rules"  # generated, and tested with their rules
)


MARKS = [pytest.mark.slow, pytest.mark.timeout(3600)]


def cases() -> Iterator[object]:
    """Each page quickly, and once more with its slow blocks."""
    for page in PAGES:
        text = (CHECKOUT / page).read_text()
        if NEEDS_DEMO not in text:
            yield pytest.param(page, False, id=str(page))
        if NEEDS_DEMO in text or SLOW in text:
            yield pytest.param(page, True, id=f"{page} whole", marks=MARKS)


@pytest.mark.parametrize(("page", "slow"), cases())
def test_commands_do_what_the_page_shows(page: Path, slow: bool, tmp_path: Path) -> None:
    found = list(wrong((CHECKOUT / page).read_text(), tmp_path / "page", slow))
    assert not found, "\n".join(
        f"{page}: $ {one.command}\n--- shown\n{one.shown}\n--- printed\n{one.printed}" for one in found
    )


def test_commands_are_read_with_their_outputs() -> None:
    first, second = commands("$ one \\\n  --more\n$ two\nprinted\n\nagain\n")
    assert (first.line, first.shown) == ("one \\\n  --more", "")
    assert (second.line, second.shown) == ("two", "printed\n\nagain\n")


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\nb", "a\nb\n", True),
        ("a …\nb", "a 12 s\nb\n", True),
        ("a\n…\nd", "a\nb\nc\nd\n", True),
        ("a\n…\nd", "a\nd\n", True),
        ("a", "a\nb\n", False),
        ("a …", "a 1\nb\n", False),
    ],
)
def test_dots_stand_for_anything(shown: str, printed: str, same: bool) -> None:
    assert matches(shown, printed) == same
