"""Waivers: dated permissions to break a rule. One pure function decides whether a waiver excuses a finding.

Every command that can excuse a finding goes through `settle`. A waiver excuses only while nothing is wrong with it:
a date that is missing, malformed, past or too far ahead excuses nothing, and a finding says so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from advisor.base.errors import suggest
from advisor.review.findings import BUILT_IN, FITS, GATE_RULES, Finding, Place, Waiver

MOST_DAYS, SOON_DAYS = 180, 14
EXPIRED, SOON, UNUSED = "waiver-expired", "waiver-expires-soon", "waiver-unused"
MALFORMED, UNKNOWN, TOO_LONG, IGNORED = "waiver-malformed", "waiver-unknown-rule", "waiver-too-long", "waiver-ignored"
# What is said about waivers themselves, with its severity; no pack can change it and no waiver excuses it.
WAIVER_RULES = {
    EXPIRED: ("warning", "A waiver ends on its last day; then the finding counts again."),
    SOON: ("note", f"A waiver that ends in fewer than {SOON_DAYS} days gives time to mend the recipe."),
    UNUSED: ("warning", "A waiver that excuses nothing would hide the next finding without anybody's decision."),
    MALFORMED: ("error", "A waiver names its rule, its reason, its owner and its last day, or it excuses nothing."),
    UNKNOWN: ("error", "A waiver for a rule that does not exist excuses nothing."),
    TOO_LONG: ("error", "A waiver is an exception for a limited time, so somebody looks at it again."),
    IGNORED: ("note", "With --no-inline, waivers inside a recipe do not count: only files of waivers do."),
}
NEVER_WAIVED = {*WAIVER_RULES, *BUILT_IN, *GATE_RULES, FITS}

Standing = Literal["active", "ended", "malformed", "too-long"]


def excuses(waiver: Waiver, finding: Finding, today: date, most_days: int = MOST_DAYS) -> bool:
    """Does this waiver excuse this finding today? The one place where that is decided."""
    return standing(waiver, today, most_days) == "active" and covers(waiver, finding)


def standing(waiver: Waiver, today: date, most_days: int = MOST_DAYS) -> Standing:
    """What a waiver's last day makes of it; that day itself still belongs to it."""
    last = last_day(waiver)
    if last is None or not (waiver.reason.strip() and waiver.owner.strip()):
        return "malformed"
    if last < today:
        return "ended"
    return "too-long" if last > today + timedelta(days=most_days) else "active"


def last_day(waiver: Waiver) -> date | None:
    """The last day on which it holds; None where that is no date of the form 2026-12-31."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", waiver.until, re.ASCII):
        return None
    try:
        return date.fromisoformat(waiver.until)
    except ValueError:
        return None


def covers(waiver: Waiver, finding: Finding) -> bool:
    """Is the waiver about this finding, whatever its dates? What stands in a recipe is about that recipe only."""
    home = waiver.place.file if waiver.place else ""
    if waiver.rule != finding.rule or finding.rule in NEVER_WAIVED:
        return False
    if waiver.kind == "inSource" and home != finding.place.file:
        return False
    if waiver.where == f"line {finding.place.line}":
        return True
    glob, pointer = reach(waiver)
    return _within(pointer, finding.pointer) and matches(glob, finding.place.file, home)


def reach(waiver: Waiver) -> tuple[str, str]:
    """The glob of files and the JSON pointer that `where` stands for; empty for all."""
    if "#" in waiver.where:
        glob, _, pointer = waiver.where.partition("#")
        return glob, pointer
    return ("", waiver.where) if waiver.where.startswith("/") else (waiver.where, "")


def _within(pointer: str, place: str) -> bool:
    """Is a place at or below a pointer? `*` stands for any one part of it."""
    wanted, parts = pointer.rstrip("/").split("/"), place.split("/")
    return len(wanted) <= len(parts) and all(one in ("*", part) for one, part in zip(wanted, parts, strict=False))


def matches(glob: str, file: str, home: str) -> bool:
    """Does a glob mean a file? It counts from the folder of the file it is written in; a bare name fits anywhere."""
    if not glob:
        return True
    path = os.path.relpath(file, os.path.dirname(home) or ".").replace(os.sep, "/")  # noqa: PTH120 - lexical only
    return bool(_pattern(glob).fullmatch(path if "/" in glob else path.rpartition("/")[2]))


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    glob = (glob + "**" if glob.endswith("/") else glob).removeprefix("./")
    return re.compile("".join(signs.get(part) or re.escape(part) for part in re.split(r"(\*\*/|\*\*|\*|\?)", glob)))


def settle(
    findings: Iterable[Finding],
    waivers: Sequence[Waiver],
    known: Collection[str],
    today: date,
    most_days: int = MOST_DAYS,
    judged: Callable[[Waiver], bool] = lambda waiver: True,
) -> list[Finding]:
    """Mark what is waived, and add what there is to say about the waivers themselves.

    Args:
        known: the ids of all rules that a waiver may name.
        judged: was all that a waiver may be about looked at here? Only then can it be unused.
    """
    found = list(findings)
    marked = [_excused(finding, waivers, today, most_days) for finding in found]
    return marked + [
        remark
        for waiver in waivers
        for remark in _remarks(waiver, [one for one in found if covers(waiver, one)], known, today, most_days, judged)
    ]


def _excused(finding: Finding, waivers: Sequence[Waiver], today: date, most_days: int) -> Finding:
    by = next((waiver for waiver in waivers if excuses(waiver, finding, today, most_days)), None)
    return replace(finding, waiver=by) if by else finding


def _remarks(
    waiver: Waiver,
    about: Sequence[Finding],
    known: Collection[str],
    today: date,
    most_days: int,
    judged: Callable[[Waiver], bool],
) -> Iterator[Finding]:
    """What there is to say about one waiver. about: the findings that it covers."""
    state = standing(waiver, today, most_days)
    if waiver.rule in NEVER_WAIVED:
        yield remark(UNKNOWN, f"{waiver.rule} cannot be waived: mend what it is about", waiver)
    elif waiver.rule not in known:
        yield remark(UNKNOWN, f"a waiver for {waiver.rule!r}, which is no rule: {suggest(waiver.rule, known)}", waiver)
    elif state == "malformed":
        yield remark(MALFORMED, f"the waiver for {waiver.rule} excuses nothing: {_fault(waiver)}", waiver)
    elif state == "too-long":
        last = (today + timedelta(days=most_days)).isoformat()
        text = f"the waiver for {waiver.rule} excuses nothing: until {waiver.until} is more than {most_days} days ahead"
        yield remark(TOO_LONG, f"{text}, {last} is the latest", waiver)
    elif not about:
        if judged(waiver):
            ended = f" and ended on {waiver.until}" if state == "ended" else ""
            yield remark(UNUSED, f"the waiver for {waiver.rule} excuses nothing here{ended}: remove it", waiver)
    elif state == "ended":
        text = f"the waiver for {waiver.rule} ended on {waiver.until}, so the finding counts again"
        yield remark(EXPIRED, f"{text} (owner {waiver.owner}: {waiver.reason})", waiver)
    else:
        yield from _soon(waiver, today)


def _soon(waiver: Waiver, today: date) -> Iterator[Finding]:
    left = ((last_day(waiver) or today) - today).days
    if left < SOON_DAYS:
        when = "today" if left == 0 else f"in {left} day{'' if left == 1 else 's'}, on {waiver.until}"
        yield remark(SOON, f"the waiver for {waiver.rule} ends {when} (owner {waiver.owner})", waiver)


def _fault(waiver: Waiver) -> str:
    missing = [name for name in ("reason", "owner", "until") if not getattr(waiver, name).strip()]
    if missing:
        return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    return f"until {waiver.until!r} is no date of the form 2026-12-31"


def remark(rule: str, message: str, about: Waiver | Place) -> Finding:
    """A finding about a waiver itself, at the place where it is written."""
    severity, because = WAIVER_RULES[rule]
    place = about if isinstance(about, Place) else about.place or Place("")
    value = about.rule if isinstance(about, Waiver) else message
    return Finding(rule, severity, message, because, place, value=value)
