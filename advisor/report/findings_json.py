"""What was checked as one JSON object, for other programs. Its form is `advise schema findings`."""

from __future__ import annotations

import json
from typing import Any

from advisor.report.findings import counts
from advisor.review.findings import Finding, Fix, Place, Waiver
from advisor.review.outcome import Checked

FORM = 1  # grows when a field changes its meaning or goes; new fields may come without


def as_json(checked: Checked) -> str:
    """All that was found, with the exit code and its words."""
    found = {
        "form": FORM,
        "command": checked.command,
        "exit": {"code": checked.exit_code, "words": checked.exit_words},
        "policy": {"name": checked.policy.name, "version": checked.policy.version, "sha256": checked.policy.sha256},
        "files": list(checked.files),
        "summary": counts(checked),
        "kept": list(checked.kept),
        "findings": [_finding(one) for one in checked.findings],
    }
    return json.dumps(found, indent=2, allow_nan=False) + "\n"


def _finding(one: Finding) -> dict[str, Any]:
    causes = [{"name": cause.name, "words": cause.words, "place": _place(cause.place)} for cause in one.causes]
    return {
        "rule": one.rule,
        "severity": one.severity,
        "message": one.message,
        "because": one.because,
        "place": _place(one.place),
        "pointer": one.pointer,
        "value": _value(one.value),
        "causes": causes,
        "allowed_if": one.allowed_if,
        "evidence": list(one.evidence),
        "white_paper_only": one.white_paper_only,
        "undecided": one.undecided,
        "fix": _fix(one.fix),
        "waiver": _waiver(one.waiver),
        "known": one.known,
        "counts": one.counts,
        "fingerprint": one.fingerprint,
    }


def _value(text: str) -> Any:
    """What the recipe says, or words where a finding is about no part of one."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def _place(place: Place | None) -> dict[str, Any] | None:
    """Where, or null where no file says it; without lines where the file as a whole is meant."""
    if place is None:
        return None
    where = {"line": place.line, "column": place.column, "end_line": place.end_line, "end_column": place.end_column}
    return {"file": place.file, **(where if place.line else {})}


def _fix(fix: Fix | None) -> dict[str, Any] | None:
    if fix is None:
        return None
    edits = [{"path": list(edit.path), "action": edit.action, "value": edit.value} for edit in fix.edits]
    return {"words": fix.words, "safe": fix.safe, "edits": edits}


def _waiver(waiver: Waiver | None) -> dict[str, Any] | None:
    if waiver is None:
        return None
    given = {name: getattr(waiver, name) for name in ("rule", "where", "reason", "owner", "until", "kind")}
    return {**given, "place": _place(waiver.place)}
