"""Findings as a GitLab code quality report, which merge requests show beside the lines."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256

from advisor.report.paths import from_root
from advisor.review.outcome import Checked

SEVERITIES = {"error": "major", "warning": "minor", "note": "info"}


def report(checked: Checked) -> str:
    """One entry for each finding that counts. Equal findings get fingerprints of their own, as GitLab demands."""
    entries, seen = [], Counter[str]()
    for one in checked.findings:
        if one.counts:
            path = from_root(one.place.file)
            same = f"{path}\0{one.fingerprint}"
            seen[same] += 1
            entries.append(
                {
                    "description": one.message,
                    "check_name": one.rule,
                    "fingerprint": sha256(f"{same}\0{seen[same]}".encode()).hexdigest(),
                    "severity": SEVERITIES[one.severity],
                    "location": {"path": path, "lines": {"begin": max(1, one.place.line)}},
                }
            )
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"
