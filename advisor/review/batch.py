"""Check: review many recipe files and collect everything that was found."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

from advisor.base.collection import paused_collection
from advisor.base.errors import AdviseError, Fault
from advisor.base.yamlfile import Document, parse, read_bytes
from advisor.policy.pack import Policy
from advisor.recipe.reader import loads
from advisor.recipe.recipe import ModelSource, PolicyStamp
from advisor.review.baseline import Baseline, mark
from advisor.review.cache import Kept, Memory, ReviewedLater
from advisor.review.findings import BUILT_IN, INVALID, UNREADABLE, Finding, Fix, Place
from advisor.review.fixes.spelling import with_fixes
from advisor.review.outcome import Checked, Reviewed, exit_code, in_order
from advisor.review.recipe_files import Source, may_be_recipe
from advisor.review.review import model_of, models_of, review_document
from advisor.review.waivers.apply import Waiving, waive

_MAY_WAIVE = re.compile(r"advise\s*:|waivers")
_WORD = re.compile(r"[^\s:,{}\[\]\"']+|.")


class _Batch:
    """The findings so far."""

    def __init__(self, policy: Policy, sources: Sequence[Source], remember: bool) -> None:
        self.policy = policy
        self.sources = {one.name: one for one in sources}
        self.findings: list[Finding] = []
        self.texts: dict[str, str] = {}
        self.judged: list[str] = []
        self.reviewed: dict[str, Reviewed] = {}
        self.made_under: dict[str, PolicyStamp] = {}
        self.passed_over: list[str] = []
        self.find = cache(model_of)  # many recipes name the same few models
        self.memory = Memory(policy, sources, self.find) if remember else None

    def add(self, source: Source) -> None:
        """Review one recipe. A file that cannot be read or is not a recipe becomes a finding too."""
        try:
            data = read_bytes(Path(source.name)) if source.text is None else source.text
        except AdviseError as error:
            self.findings += [of_fault(fault, source.name, None) for fault in error.faults]
            return
        if source.found and not may_be_recipe(data):
            self.passed_over.append(source.name)
            return
        self.texts[source.name] = data.decode("utf-8-sig", "replace")
        memory = self.memory if source.text is None else None
        kept = memory.recall(source, data) if memory else None
        if kept is None:
            kept = self._review(source, data)
            if memory:
                memory.keep(source, data, kept)
        self.findings += kept.findings
        self.judged += [source.name] if kept.judged else []
        self.made_under |= {source.name: kept.stamp} if kept.stamp else {}

    def _review(self, source: Source, data: bytes) -> Kept:
        models: tuple[ModelSource, ...] = ()
        stamp = None
        try:
            recipe, document = loads(data, source.name)
            models, stamp = models_of(recipe), recipe.policy
            one = review_document(self.policy, recipe, document, source.base, self.find)
            self.reviewed[source.name] = one
            return Kept(one.findings, True, models, stamp)
        except AdviseError as error:
            text = self.texts[source.name]
            unjudged = [of_fault(fault, source.name, text) for fault in error.faults]
            return Kept(tuple(with_fixes(unjudged, text)), False, models, None)

    def again(self, name: str) -> Reviewed:
        """The review of a recipe whose findings were kept."""
        return review_document(self.policy, *loads(self.texts[name], name), self.sources[name].base, self.find)

    def documents(self) -> list[Document]:
        """The judged recipes, parsed only where they may hold waivers."""
        return [self.reviewed[name].document if name in self.reviewed else self._text_of(name) for name in self.judged]

    def _text_of(self, name: str) -> Document:
        text = self.texts[name]
        return parse(text, name) if _MAY_WAIVE.search(text) else Document(None, name, text, {}, {})


def check(  # noqa: PLR0913 - the options of a command
    policy: Policy,
    sources: Sequence[Source],
    waiving: Waiving,
    fail_on: str = "error",
    known: Baseline | None = None,
    only: frozenset[str] | None = None,
    *,
    remember: bool = False,
) -> Checked:
    """Review recipes, one after another.

    Args:
        known: findings that do not count.
        only: check by these rules (`selection.selected`); None for all.
        remember: use what an earlier check of the same files kept, where nothing changed since, and keep this one's.

    Raises:
        AdviseError: a file of waivers cannot be read.
    """
    start = time.perf_counter()
    rules = tuple(rule for rule in policy.rules if only is None or rule.id in only)
    with paused_collection():
        batch = _Batch(policy._replace(rules=rules), sources, remember)
        for source in sources:
            batch.add(source)
        if batch.memory:
            batch.memory.save()
    # A waiver for a rule that is not selected is unused, and that is fine.
    waiving = waiving._replace(unused=waiving.unused and only is None)
    found = [one for one in batch.findings if _asked(one, only)]
    waived = waive(found, batch.documents(), policy, waiving)
    files = tuple(source.name for source in sources if source.name not in batch.passed_over)
    marked = mark(waived.findings, known, batch.judged) if known else waived.findings
    findings = in_order((one for one in marked if _asked(one, only)), files)
    return Checked(
        findings,
        files,
        policy.stamp,
        rules,
        exit_code(findings, fail_on),
        {**batch.texts, **waived.texts},
        ReviewedLater(batch.reviewed, batch.judged, batch.again),
        time.perf_counter() - start,
        tuple(batch.passed_over),
        str(known.path) if known else "",
        made_under=batch.made_under,
    )


def _asked(finding: Finding, only: frozenset[str] | None) -> bool:
    return only is None or finding.rule in BUILT_IN or finding.rule in only


def of_fault(fault: Fault, file: str, text: str | None) -> Finding:
    """A fault that keeps a recipe from being judged, as a finding. text: None where the file cannot be read."""
    rule = UNREADABLE if text is None else INVALID
    end = (fault.line, fault.column + len(_word_at(text or "", fault.line, fault.column)))
    if fault.end_line:
        end = (fault.end_line, fault.end_column)
    place = Place(fault.file or file, fault.line, fault.column, *end)
    fix = Fix(fault.hint, safe=True) if fault.hint else None
    return Finding(rule, "error", fault.message, "", place, value=json.dumps(fault.message), fix=fix)


@lru_cache(maxsize=2)
def _lines(text: str) -> list[str]:
    """A text's lines, split once for all faults in it."""
    return text.splitlines()


def _word_at(text: str, line: int, column: int) -> str:
    """The word that starts at a place, or the one sign there."""
    lines = _lines(text)
    rest = lines[line - 1][column - 1 :] if 0 < line <= len(lines) and column else ""
    word = _WORD.match(rest)
    return word[0] if word else " "
