"""Findings of `check` as text, one block each, or as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict

from advisor.report.advice import paint
from advisor.review import Finding

WHITE_PAPER = "This rule rests on the white paper alone."


def text(finding: Finding, width: int = 100, colour: bool = False) -> str:
    """Place, severity, rule, message and reason of one finding."""
    place = f"{finding.file}:{finding.line}:{finding.column}"
    style = {"error": "bold", "warning": "yellow"}.get(finding.severity, "dim")
    head = f"{place}: {paint(f'{finding.severity}[{finding.rule}]', style, colour)} {finding.message}"
    because = finding.because + (f" {WHITE_PAPER}" if finding.white_paper_only else "")
    body = textwrap.wrap(f"because: {because}", width - 2, initial_indent="  ", subsequent_indent="    ")
    return "\n".join([head, *body])


def as_json(findings: Sequence[Finding]) -> str:
    """All findings as a JSON list."""
    return json.dumps([asdict(finding) for finding in findings], indent=2)


def summary(checked: int, unreadable: int, findings: Sequence[Finding], rules: int) -> str:
    """The last line: what was checked and what was found."""
    counts = {severity: sum(one.severity == severity for one in findings) for severity in ("error", "warning", "note")}
    found = ", ".join(_plural(count, severity) for severity, count in counts.items())
    not_read = f", {unreadable} could not be read" if unreadable else ""
    return f"{_plural(checked, 'recipe')} checked{not_read} · {_plural(rules, 'rule')} · {found}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
