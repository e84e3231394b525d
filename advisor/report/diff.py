"""What changed between two recipes, as text, JSON or Markdown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from advisor.advice.ranges import Range
from advisor.report.advice import plain
from advisor.report.escape import code, escaped
from advisor.report.style import columns, paint
from advisor.review.difference import Change, Difference, Outcome
from advisor.review.findings import Finding

SIGNS = {"added": "+", "removed": "-", "changed": "~", "moved": "~"}
NO_EFFECT = "no change in effect"
STYLE = {"+": "green", "-": "bold"}


def text(found: Difference, names: tuple[str, str], colour: bool = False) -> str:
    """What changed, part by part; then what it comes to, and the rules."""
    lines = [f"{names[0]} -> {names[1]}"]
    if not found.in_effect:
        lines += ["", NO_EFFECT]
    if found.changes:
        rows = [(f"  {SIGNS[one.kind]} {one.part}", _from_to(one)) for one in found.changes]
        lines += ["", *(paint(row, STYLE.get(row.strip()[0], "dim"), colour) for row in columns(rows))]
    if found.in_effect:
        table = [("predicted", "before", "after", ""), *_outcome_rows(found.before, found.after)]
        lines += ["", *(f"  {row}".rstrip() for row in columns(table))]
    rules = list(_rules(found, colour))
    return "\n".join([*lines, *(["", *rules] if rules else []), "", verdict(found)]) + "\n"


def verdict(found: Difference) -> str:
    """What it means for the rules, in one line."""
    broken, satisfied = len(found.broken), len(found.satisfied)
    waived = f", {len(found.waived)} waived now" if found.waived else ""
    return f"{broken or 'nothing'} newly broken, {satisfied or 'nothing'} newly satisfied{waived}"


def _from_to(change: Change) -> str:
    words = f"{change.before} -> {change.after}" if change.before and change.after else change.before or change.after
    return words if change.effect else f"{words} (no effect on a run)"


def _outcome_rows(before: Outcome, after: Outcome) -> Iterator[tuple[str, str, str, str]]:
    for name, write in WRITTEN.items():
        old, new = (getattr(one, name) for one in (before, after))
        yield name.replace("size_mb", "size").replace("_", " "), write(old), write(new), _by(old, new)


def _by(old: Any, new: Any) -> str:
    """By how much a number, or the middle of a range, changed."""
    one, other = (value.middle if isinstance(value, Range) else value for value in (old, new))
    if not one or other is None or one == other:
        return "" if one == other else "new" if one is None else "?"
    return f"{100 * (other / one - 1):+.1f} %"


def _count(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:.1f} %"


def _range(value: Range | None) -> str:
    return "no evidence" if value is None else str(value)


def _megabytes(value: Range | None) -> str:
    if value is None:
        return "unknown"
    low, high = f"{value.low:,.1f}", f"{value.high:,.1f}"
    return f"{low} MB" if low == high else f"{low}-{high} MB"


WRITTEN: dict[str, Callable[[Any], str]] = {
    "parameters": _count,
    "size_mb": _megabytes,
    "compute": _share,
    "accuracy": _range,
    "time": _range,
    "emissions": _range,
}


def _rules(found: Difference, colour: bool) -> Iterator[str]:
    for words, style, findings in _groups(found):
        for one in findings:
            yield f"  {paint(words, style, colour)} {one.severity}[{one.rule}] {one.message} ({one.place})"


def _groups(found: Difference) -> Iterator[tuple[str, str, Sequence[Finding]]]:
    yield "broken   ", "bold", found.broken
    yield "satisfied", "green", found.satisfied
    yield "waived   ", "yellow", found.waived


def as_json(found: Difference, names: tuple[str, str], exit_code: int) -> str:
    """All of it as JSON."""
    value = {
        "old": names[0],
        "new": names[1],
        "exit": exit_code,
        "in_effect": found.in_effect,
        "changes": [one._asdict() for one in found.changes],
        "predicted": {"before": plain(found.before), "after": plain(found.after)},
        **{
            group.strip(): [{**asdict(one), "fingerprint": one.fingerprint} for one in findings]
            for group, _, findings in _groups(found)
        },
    }
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def markdown(found: Difference, names: tuple[str, str]) -> str:
    """A comment for a pull request: the same three parts as tables."""
    lines = [f"### {code(names[1])}: {verdict(found) if found.in_effect else NO_EFFECT}", ""]
    if found.changes:
        lines += ["| | part | before | after |", "| --- | --- | --- | --- |"]
        lines += [_row(SIGNS[one.kind], code(one.part), *_sides(one)) for one in found.changes]
    if found.in_effect:
        lines += ["", "| predicted | before | after | |", "| --- | --- | --- | --- |"]
        lines += [_row(*row) for row in _outcome_rows(found.before, found.after)]
    rules = [
        _row(words.strip(), one.severity, code(one.rule), escaped(one.message))
        for words, _, findings in _groups(found)
        for one in findings
    ]
    if rules:
        lines += ["", "| | severity | rule | says |", "| --- | --- | --- | --- |", *rules]
    return "\n".join(lines) + "\n"


def _sides(change: Change) -> tuple[str, str]:
    return escaped(change.before), escaped(change.after)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
