"""Findings as annotations of GitHub's Actions, which shows only the first ten of a kind in a step: the worst first."""

from __future__ import annotations

from advisor.review.findings import SEVERITIES, Finding
from advisor.review.outcome import Checked

COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def commands(checked: Checked) -> str:
    """One workflow command for each finding that counts; what is waived or known needs no eyes."""
    worst = sorted((one for one in checked.findings if one.counts), key=lambda one: SEVERITIES.index(one.severity))
    return "".join(_annotation(one) + "\n" for one in worst)


def _annotation(one: Finding) -> str:
    place = one.place
    where = {"file": place.file}
    if place.line:
        # GitHub marks a column only where a finding stays in one line.
        columns = {"col": place.column, "endColumn": place.end_column} if place.end_line == place.line else {}
        where |= {name: str(number) for name, number in {"line": place.line, "endLine": _last(one), **columns}.items()}
    where["title"] = f"advise ({one.rule})"
    properties = ",".join(f"{name}={_escaped(value, 'property')}" for name, value in where.items())
    parts = [
        one.message,
        f"allowed {one.allowed_if}" if one.allowed_if else "",
        f"fix: {one.fix.words}" if one.fix else "",
    ]
    return f"::{COMMANDS[one.severity]} {properties}::{_escaped('; '.join(filter(None, parts)))}"


def _last(one: Finding) -> int:
    """The last line; a block of YAML ends where the next thing begins, so that line is not its own."""
    place = one.place
    return place.end_line - 1 if place.end_line > place.line and place.end_column == 1 else place.end_line


def _escaped(text: str, kind: str = "data") -> str:
    """As actions/toolkit writes the values of workflow commands."""
    text = "".join(sign if sign.isprintable() or sign in "\r\n" else "?" for sign in text)
    for sign, code in {"%": "%25", "\r": "%0D", "\n": "%0A"}.items():
        text = text.replace(sign, code)
    if kind == "property":
        text = text.replace(":", "%3A").replace(",", "%2C")
    return text
