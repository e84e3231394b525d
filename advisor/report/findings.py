"""Findings as text: for people to read, one block each, or one line each; and the summary."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from functools import lru_cache

from advisor.report.code_frame import frame
from advisor.report.style import clean, paint, plural
from advisor.review.findings import SEVERITIES, Finding
from advisor.review.outcome import Checked
from advisor.review.waivers.scope import NEVER_WAIVED

WHITE_PAPER = "it rests on the white paper alone"
_BOUND = re.compile(r"([<>]=?) (?=[\d.])")
MOST_SOURCES = 2  # the others are on the rule's page
LABEL = 10


def text(finding: Finding, width: int = 100, colour: bool = False, source: str = "", repeated: bool = False) -> str:
    """One finding: what is wrong with the user's own values, where, why, and what to do about it.

    Args:
        source: the text of the file, for the lines that it points at; without it they are left out.
        repeated: the reasons of the rule are shown further up already.
    """
    first = f"{finding.severity}[{finding.rule}]"
    message = _wrapped(f"{first}: {clean(finding.message)}", width, "  ")
    head = paint(first, finding.severity, colour) + message[len(first) :]
    lines = [head, f"  --> {clean(str(finding.place))}"]
    lines += frame(finding, source, width, colour) if source and finding.place.line else []
    gutter = " " * len(str(max([finding.place.line, *(one.place.line for one in finding.causes if one.place)])))
    for label, words in _tail(finding, repeated):
        start = f"{gutter} = {label + ':':<{LABEL}}"
        wrapped = _wrapped(start + clean(words), width, " " * len(start))
        lines.append(wrapped.replace(label, paint(label, "bold", colour), 1))
    return "\n".join(lines)


@lru_cache(maxsize=4096)  # the same rule says the same of many recipes
def _wrapped(words: str, width: int, indent: str) -> str:
    glued = _BOUND.sub(lambda match: f"{match[1]}\xa0", words)  # `< 10,000` stays in one line
    lines = textwrap.wrap(glued, max(40, width), subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(lines).replace("\xa0", " ")


def _tail(finding: Finding, repeated: bool) -> Iterator[tuple[str, str]]:
    """What stands below the lines, label by label."""
    elsewhere = [f"{one.name} {one.words}" for one in finding.causes if one.place is None]
    if elsewhere:
        yield "facts", "; ".join(elsewhere)
    if finding.allowed_if:
        yield "allowed", finding.allowed_if
    yield from [("why", "as above")] if repeated and finding.because else _reasons(finding)
    if finding.fix:
        yield "fix", finding.fix.words + ("" if finding.fix.safe else " (changes what the recipe does)")
    yield from _standing(finding)


def _reasons(finding: Finding) -> Iterator[tuple[str, str]]:
    if finding.because:
        yield "why", finding.because
    for said in finding.evidence[:MOST_SOURCES]:
        yield "evidence", said
    if finding.white_paper_only:
        yield "note", WHITE_PAPER


def _standing(finding: Finding) -> Iterator[tuple[str, str]]:
    """What has been decided about a finding, and what may be."""
    if finding.waiver:
        waiver = finding.waiver
        yield "waived", f"until {waiver.until} by {waiver.owner}: {waiver.reason}"
    elif finding.known:
        yield "known", "it is in the baseline, so it does not count"
    elif finding.rule not in NEVER_WAIVED and finding.severity != "note":
        yield "waive", f'# advise: ignore[{finding.rule}] until=YYYY-MM-DD owner=NAME reason="..."'


def blocks(checked: Checked, width: int, colour: bool) -> str:
    """All findings, a block each with an empty line after it. The reasons of a rule are shown once."""
    seen: set[tuple[str, str]] = set()
    found = []
    for one in checked.findings:
        reasons = (one.rule, one.because)
        found.append(text(one, width, colour, checked.texts.get(one.place.file, ""), repeated=reasons in seen) + "\n\n")
        seen.add(reasons)
    return "".join(found)


def concise(checked: Checked) -> str:
    """`file:line:column: severity rule message`, one line each, as editors and grep like it."""
    return "".join(
        f"{clean(str(one.place))}: {one.severity} {one.rule} {clean(one.message)}{_mark(one)}\n"
        for one in checked.findings
    )


def _mark(finding: Finding) -> str:
    return " (waived)" if finding.waiver else " (known)" if finding.known else ""


def counts(checked: Checked) -> dict[str, int]:
    """How much was checked and found; what is waived or known is counted apart."""
    found = checked.findings
    return {
        "files": len(checked.files),
        "unread": len(checked.unread),
        "passed_over": len(checked.passed_over),
        "rules": len(checked.rules),
        **{f"{severity}s": checked.counted(severity) for severity in SEVERITIES},
        "waived": sum(one.waiver is not None for one in found),
        "known": sum(one.known and one.waiver is None for one in found),
        "fixes": sum(one.fix is not None and bool(one.fix.edits) and one.counts for one in found),
    }


def summary(checked: Checked) -> str:
    """The last line: what was checked, what was found, and what can be done about it."""
    number = counts(checked)
    apart = [f"{number['unread']:,} could not be judged"] if number["unread"] else []
    apart += [f"{number['passed_over']:,} more passed over as no recipe"] if number["passed_over"] else []
    parts = [plural(number["files"], "file") + (f" ({', '.join(apart)})" if apart else "")]
    parts += [plural(number["rules"], "rule")]
    parts += [plural(number[f"{severity}s"], severity) for severity in SEVERITIES]
    parts += [f"{number[name]:,} {name}" for name in ("waived", "known")]
    parts += [f"{plural(number['fixes'], 'fix')} available{_how(checked)}"]
    return ", ".join(parts) + f", {checked.seconds:.2f} s"


def _how(checked: Checked) -> str:
    """The options that make the fixes."""
    fixes = [one.fix.safe for one in checked.findings if one.fix and one.fix.edits and one.counts]
    safe = sum(fixes)
    if not fixes:
        return ""
    if safe in (0, len(fixes)):
        return f" with {'--fix' if safe else '--unsafe-fixes'}"
    return f" ({safe:,} with --fix, all with --unsafe-fixes)"
