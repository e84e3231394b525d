"""Findings of `check` as text, one block each, or as JSON."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from typing import Any

from advisor.findings import BUILT_IN, SEVERITIES, Checked, Finding
from advisor.report.advice import paint, plain

WHITE_PAPER = "This rule rests on the white paper alone."


def text(finding: Finding, width: int = 100, colour: bool = False) -> str:
    """Place, severity, rule, message and reason of one finding."""
    style = {"error": "bold", "warning": "yellow"}.get(finding.severity, "dim")
    head = f"{finding.place}: {paint(f'{finding.severity}[{finding.rule}]', style, colour)} {finding.message}"
    because = finding.because + (f" {WHITE_PAPER}" if finding.white_paper_only else "")
    body = textwrap.wrap(f"because: {because}", width - 2, initial_indent="  ", subsequent_indent="    ")
    return "\n".join([head, *body])


def as_json(checked: Checked) -> str:
    """All that was found, with the exit code and its words."""
    found = {
        "exit": {"code": checked.exit_code, "words": checked.exit_words},
        "policy": asdict(checked.policy),
        "files": list(checked.files),
        "summary": counts(checked),
        "findings": [_finding(one) for one in checked.findings],
    }
    return json.dumps(found, indent=2, allow_nan=False)


def _finding(finding: Finding) -> dict[str, Any]:
    place: dict[str, Any] = plain(finding.place)
    return {**plain(finding), "place": place, "pointer": finding.pointer, "fingerprint": finding.fingerprint}


def counts(checked: Checked) -> dict[str, int]:
    """How much was checked and found; what is waived or known is counted apart."""
    found = checked.findings
    return {
        "files": len(checked.files),
        "unread": len(checked.unread),
        "rules": len(checked.rules),
        **{f"{severity}s": checked.counted(severity) for severity in SEVERITIES},
        "waived": sum(one.waiver is not None for one in found),
        "known": sum(one.known and one.waiver is None for one in found),
        "fixes": sum(one.fix is not None and one.counts for one in found),
    }


def summary(checked: Checked) -> str:
    """The last line: what was checked and what was found."""
    unread = len(checked.unread)
    not_read = f", {unread} could not be read" if unread else ""
    found = {
        severity: sum(one.severity == severity and one.counts and one.rule not in BUILT_IN for one in checked.findings)
        for severity in SEVERITIES
    }
    said = ", ".join(plural(count, severity) for severity, count in found.items())
    recipes = plural(len(checked.files) - unread, "recipe")
    return f"{recipes} checked{not_read} · {plural(len(checked.rules), 'rule')} · {said}"


def plural(count: int, noun: str) -> str:
    """1 error, 2 errors."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
