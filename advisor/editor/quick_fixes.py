"""Quick fixes: the fixes of findings as the smallest change of the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from advisor.review.findings import Finding, Fix
from advisor.review.fixes.apply import fixable
from advisor.review.fixes.edits import edited
from advisor.review.fixes.yaml_layout import NoRoom


class Change(NamedTuple):
    """New text in the place of the characters from offset `start` to before `end`."""

    start: int
    end: int
    text: str


class QuickFix(NamedTuple):
    """One change that fixes a finding, safely or not."""

    finding: Finding
    fix: Fix
    change: Change


def quick_fixes(text: str, found: Sequence[Finding]) -> Iterator[QuickFix]:
    """The fixes that the layout has room for, in the order of the findings."""
    for finding in found:
        for fix in fixable([finding], unsafe=True):
            try:
                yield QuickFix(finding, fix, change(text, edited(text, fix.edits)))
            except NoRoom:
                continue


def change(before: str, after: str) -> Change:
    """The smallest stretch that differs, and what stands there afterwards."""
    start = _alike(before, after)
    same = _alike(before[start:][::-1], after[start:][::-1])
    return Change(start, len(before) - same, after[start : len(after) - same])


def _alike(one: str, other: str) -> int:
    """How many characters two texts have in common from their starts."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (here, there) in pairs if here != there), min(len(one), len(other)))
