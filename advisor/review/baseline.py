"""Baseline: findings from before the tool was adopted. They are shown and do not count; new ones do.

A JSON file with one entry in a line: file (from the baseline's folder), rule, fingerprint and message. Fingerprints
know nothing of lines or of a step's number, so entries stay true when text moves.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.base.files import deliver, regular_text
from advisor.review.findings import BUILT_IN, Finding, Place
from advisor.review.waivers.rules import WAIVER_RULES

VERSION = 1
GONE = "baseline-gone"
BECAUSE = "A stale entry would hide the same finding if it came back."


class Entry(NamedTuple):
    """A known finding. line: of the baseline file, for messages."""

    file: str
    rule: str
    fingerprint: str
    message: str
    line: int = 0

    @property
    def key(self) -> tuple[str, str]:
        return self.file, self.fingerprint


FIELDS = Entry._fields[:4]


class Baseline(NamedTuple):
    """The known findings in a file."""

    path: Path
    entries: tuple[Entry, ...] = ()

    def name(self, file: str) -> str:
        """A file's name as entries write it."""
        return Path(os.path.relpath(file, self.path.parent)).as_posix()

    def here(self, entry: Entry) -> Path:
        return self.path.parent / entry.file


def read(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        AdviseError: it cannot be read, or is none.
    """
    text = regular_text(path, "--write-baseline FILE creates one")
    try:
        value = json.loads(text)
    except ValueError as error:
        place = (getattr(error, "lineno", 0), getattr(error, "colno", 0))
        raise AdviseError(Fault(f"not JSON: {getattr(error, 'msg', error)}", str(path), *place)) from None
    except RecursionError:
        raise AdviseError(Fault("not the JSON of a baseline: nested too deep", str(path))) from None
    return Baseline(path, tuple(_entries(value, text, path)))


def _entries(value: Any, text: str, path: Path) -> Iterable[Entry]:
    found = value.get("findings") if isinstance(value, dict) else None
    if not isinstance(found, list) or value.get("version") != VERSION:
        hint = "--write-baseline writes it"
        raise AdviseError(Fault(f'expected {{"version": {VERSION}, "findings": […]}}', str(path), 1, 1, hint))
    lines = {line.strip().rstrip(","): number for number, line in enumerate(text.splitlines(), 1)}
    for number, one in enumerate(found):
        fields = {name: one[name] for name in FIELDS if isinstance(one, dict) and isinstance(one.get(name), str)}
        if len(fields) < len(FIELDS):
            raise AdviseError(Fault(f"findings.{number}: expected file, rule, fingerprint and message", str(path)))
        yield Entry(**fields, line=lines.get(_line(one), 1))


def _line(entry: Any) -> str:
    return json.dumps(entry, ensure_ascii=False)


def mark(findings: Iterable[Finding], baseline: Baseline, judged: Collection[str]) -> list[Finding]:
    """Mark what is known, and add a note for every stale entry.

    Args:
        judged: the files that were judged; entries of others stay as they are unless their file is gone.
    """
    left = Counter(entry.key for entry in baseline.entries)
    marked = []
    for finding in findings:
        key = (baseline.name(finding.place.file), finding.fingerprint)
        known = may_be_known(finding) and left[key] > 0
        left[key] -= known
        marked.append(replace(finding, known=True) if known and finding.waiver is None else finding)
    return marked + [_gone(entry, baseline) for entry in _pruned(baseline, left, judged)]


def _pruned(baseline: Baseline, left: Counter[tuple[str, str]], judged: Collection[str]) -> Iterable[Entry]:
    names = {baseline.name(file) for file in judged}
    for entry in reversed(baseline.entries):  # of equal ones the last is the one too many
        if left[entry.key] > 0 and (entry.file in names or not baseline.here(entry).exists()):
            left[entry.key] -= 1
            yield entry


def may_be_known(finding: Finding) -> bool:
    """Findings of a policy's rules may be known; a file that cannot be judged, or a faulty waiver, has to be fixed."""
    return finding.rule not in BUILT_IN and finding.rule not in WAIVER_RULES and finding.rule != GONE


def _gone(entry: Entry, baseline: Baseline) -> Finding:
    file = str(baseline.path)
    message = f"{entry.rule} is no longer found in {entry.file}: run --write-baseline {file} to remove it"
    return Finding(GONE, "note", message, BECAUSE, Place(file, entry.line, 1, entry.line, 1), value=entry.fingerprint)


def save(findings: Iterable[Finding], old: Baseline, judged: Collection[str]) -> Baseline:
    """Write what counts now as known to the old baseline's file. Entries of files that were not judged stay.

    Raises:
        AdviseError: the file cannot be written.
    """
    names = {old.name(file) for file in judged}
    kept = [entry for entry in old.entries if entry.file not in names and old.here(entry).exists()]
    known = (one for one in findings if may_be_known(one) and one.waiver is None)
    made = [Entry(old.name(one.place.file), one.rule, one.fingerprint, one.message) for one in known]
    entries = sorted(kept + made)
    lines = ",\n".join("  " + _line({name: getattr(one, name) for name in FIELDS}) for one in entries)
    body = f"\n{lines}\n " if lines else ""
    deliver(old.path, f'{{\n "version": {VERSION},\n "findings": [{body}]\n}}\n')
    return Baseline(old.path, tuple(entries))
