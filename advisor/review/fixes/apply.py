"""Apply fixes to the text of a recipe, one after another, until none is left."""

from __future__ import annotations

import difflib
import io
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from advisor.review.findings import Finding, Fix
from advisor.review.fixes.edits import edited
from advisor.review.fixes.yaml_layout import NoRoom

MOST_FIXES = 100  # of one recipe; more than any recipe needs


class Mended(NamedTuple):
    """A recipe's text after its fixes, and those fixes in the order in which they were made."""

    text: str
    fixes: tuple[Fix, ...] = ()


def mend(text: str, findings: Callable[[str], Iterable[Finding]], unsafe: bool = False) -> Mended:
    """Apply every fix that counts. The recipe is judged again after each, since one fix may affect others.

    Args:
        findings: what is found in a text.
        unsafe: also those that change what the recipe does.
    """
    seen, made = {text}, []
    for _ in range(MOST_FIXES):
        fixed = next(((fix, new) for fix, new in _tried(text, findings(text), unsafe) if new not in seen), None)
        if fixed is None:
            break
        made.append(fixed[0])
        text = fixed[1]
        seen.add(text)
    return Mended(text, tuple(made))


def _tried(text: str, findings: Iterable[Finding], unsafe: bool) -> Iterator[tuple[Fix, str]]:
    """Each fix with the resulting text, safe ones first. A fix that the layout has no room for is skipped."""
    for fix in sorted(fixable(findings, unsafe), key=lambda fix: (not fix.safe, _adds(fix))):
        try:
            yield fix, edited(text, fix.edits)
        except NoRoom:
            continue


def _adds(fix: Fix) -> bool:
    """Steps are added last: dropping a step may remove the need for another one."""
    return any(edit.action == "insert" for edit in fix.edits)


def fixable(findings: Iterable[Finding], unsafe: bool = False) -> list[Fix]:
    """The fixes that can be applied. Waived and known findings are left alone."""
    return [one.fix for one in findings if one.counts and one.fix and one.fix.edits and (one.fix.safe or unsafe)]


def diff(before: str, after: str, name: str) -> str:
    """The unified diff of a file, as patch and git read it; empty where nothing changes."""
    old, new = (list(io.StringIO(text, newline="\n")) for text in (before, after))
    lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
