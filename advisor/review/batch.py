"""Check: review many recipe files and put all that was found into one object."""

from __future__ import annotations

import gc
import json
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from advisor.base.errors import AdviseError, Fault
from advisor.base.yamlfile import read_bytes
from advisor.policy.pack import Policy
from advisor.recipe.reader import loads
from advisor.review.baseline import Baseline, mark
from advisor.review.findings import BUILT_IN, INVALID, UNREADABLE, Finding, Fix, Place
from advisor.review.fixes.spelling import with_fixes
from advisor.review.outcome import Checked, Reviewed, exit_code
from advisor.review.recipe_files import Source, may_be_recipe
from advisor.review.review import model_of, review_document
from advisor.review.waivers.apply import Waiving, waive

_WORD = re.compile(r"[^\s:,{}\[\]\"']+|.")


class _Pile:
    """What has been found so far."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.texts: dict[str, str] = {}
        self.reviewed: dict[str, Reviewed] = {}
        self.passed_over: list[str] = []
        self.find = cache(model_of)  # many recipes name the same few models

    def add(self, policy: Policy, source: Source) -> None:
        """Review one recipe. What cannot be read or is no recipe becomes findings too."""
        try:
            data = read_bytes(Path(source.name)) if source.text is None else source.text
            if source.found and not may_be_recipe(data):
                self.passed_over.append(source.name)
                return
            self.texts[source.name] = data.decode("utf-8-sig", "replace")
            one = review_document(policy, *loads(data, source.name), source.base, self.find)
            self.reviewed[source.name] = one
            self.findings += one.findings
        except AdviseError as error:
            text = self.texts.get(source.name)
            unjudged = [_unjudged(fault, source.name, text) for fault in error.faults]
            self.findings += with_fixes(unjudged, text)


def check(
    policy: Policy,
    sources: Sequence[Source],
    waiving: Waiving,
    fail_on: str = "error",
    known: Baseline | None = None,
    only: frozenset[str] | None = None,
) -> Checked:
    """Review recipes, one after another.

    Args:
        known: findings that do not count.
        only: check by these rules (`selection.selected`); None for all.

    Raises:
        AdviseError: a file of waivers cannot be read.
    """
    start = time.perf_counter()
    pile = _Pile()
    rules = tuple(rule for rule in policy.rules if only is None or rule.id in only)
    asked = policy._replace(rules=rules)
    with _no_collection():
        for source in sources:
            pile.add(asked, source)
    # A waiver for a rule that was not asked excuses nothing, which is no fault of it.
    waiving = waiving._replace(unused=waiving.unused and only is None)
    found = [one for one in pile.findings if _asked(one, only)]
    waived = waive(found, [one.document for one in pile.reviewed.values()], policy, waiving)
    files = tuple(source.name for source in sources if source.name not in pile.passed_over)
    marked = mark(waived.findings, known, pile.reviewed) if known else waived.findings
    findings = _in_order((one for one in marked if _asked(one, only)), files)
    return Checked(
        findings,
        files,
        policy.stamp,
        rules,
        exit_code(findings, fail_on),
        {**pile.texts, **waived.texts},
        pile.reviewed,
        time.perf_counter() - start,
        tuple(pile.passed_over),
        str(known.path) if known else "",
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without looking for cycles meanwhile: all that is made here is kept, so there is nothing to find."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _asked(finding: Finding, only: frozenset[str] | None) -> bool:
    return only is None or finding.rule in BUILT_IN or finding.rule in only


def _in_order(findings: Iterable[Finding], files: Sequence[str]) -> tuple[Finding, ...]:
    """File by file as they were named, each from its top; files of waivers after them."""
    rank = {file: place for place, file in enumerate(files)}
    return tuple(sorted(findings, key=lambda one: (rank.get(one.place.file, len(files)), one.order)))


def _unjudged(fault: Fault, file: str, text: str | None) -> Finding:
    """A fault that keeps a recipe from being judged, as a finding. text: None where the file cannot be read."""
    rule = UNREADABLE if text is None else INVALID
    end = (fault.line, fault.column + len(_word_at(text or "", fault.line, fault.column)))
    if fault.end_line:
        end = (fault.end_line, fault.end_column)
    place = Place(fault.file or file, fault.line, fault.column, *end)
    fix = Fix(fault.hint, safe=True) if fault.hint else None
    return Finding(rule, "error", fault.message, "", place, value=json.dumps(fault.message), fix=fix)


def _word_at(text: str, line: int, column: int) -> str:
    """The word that starts at a place, or the one sign that stands there."""
    lines = text.splitlines()
    rest = lines[line - 1][column - 1 :] if 0 < line <= len(lines) and column else ""
    word = _WORD.match(rest)
    return word[0] if word else " "
