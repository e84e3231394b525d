"""Waivers: dated permissions to break a rule. One pure function decides whether a waiver covers a finding.

Every command that can waive a finding calls `settle`. A waiver has an effect only while it is valid: if its date is
missing, malformed, past or too far ahead, a finding says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal, NamedTuple

from advisor.base.errors import MOST_FAULTS, short, suggest
from advisor.review.findings import Finding, Waiver
from advisor.review.waivers.rules import (
    EXPIRED,
    MALFORMED,
    MOST_DAYS,
    SOON,
    SOON_DAYS,
    TOO_LONG,
    UNKNOWN,
    UNUSED,
    remark,
)
from advisor.review.waivers.scope import NEVER_WAIVED, covers

Standing = Literal["active", "ended", "malformed", "too-long"]
OPTIONAL = ("approver", "ticket")  # that a project may demand


class Terms(NamedTuple):
    """What a project demands of waivers. most_days: from today to the last day; days_of: of some rules, by id.

    required: of OPTIONAL.
    """

    most_days: int = MOST_DAYS
    days_of: Mapping[str, int] = {}
    required: tuple[str, ...] = ()

    def days(self, rule: str) -> int:
        """The longest term of a waiver for a rule."""
        return min(self.most_days, self.days_of.get(rule, self.most_days))


USUAL = Terms()


def excuses(waiver: Waiver, finding: Finding, today: date, terms: Terms = USUAL) -> bool:
    """Does this waiver cover this finding today? The one place where that is decided."""
    return standing(waiver, today, terms) == "active" and covers(waiver, finding)


def standing(waiver: Waiver, today: date, terms: Terms = USUAL) -> Standing:
    """The state of a waiver on a day; its last day still counts."""
    last = last_day(waiver)
    if last is None or _missing(waiver, terms):
        return "malformed"
    if last < today:
        return "ended"
    return "too-long" if (last - today).days > terms.days(waiver.rule) else "active"


def last_day(waiver: Waiver) -> date | None:
    """The last day on which it holds; None where that is not a date of the form 2026-12-31."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", waiver.until, re.ASCII):
        return None
    try:
        return date.fromisoformat(waiver.until)
    except ValueError:
        return None


def settle(
    findings: Iterable[Finding],
    waivers: Sequence[Waiver],
    known: Collection[str],
    today: date,
    terms: Terms = USUAL,
    judged: Callable[[Waiver], bool] = lambda waiver: True,
) -> list[Finding]:
    """Mark what is waived, and add the findings about the waivers themselves.

    Args:
        known: the ids of all rules that a waiver may name.
        judged: was everything that a waiver may cover checked here? Only then can it be unused.
    """
    found = list(findings)
    marked = [_excused(finding, waivers, today, terms) for finding in found]
    named = {*known, *NEVER_WAIVED}
    about = [
        remark
        for waiver in waivers
        if waiver.rule in named
        for remark in _remarks(waiver, [one for one in found if covers(waiver, one)], today, terms, judged)
    ]
    return [*marked, *about, *_unknown([waiver for waiver in waivers if waiver.rule not in named], known)]


def _unknown(waivers: Sequence[Waiver], known: Collection[str]) -> Iterator[Finding]:
    """Waivers for rules that do not exist: of very many the first, and how many more."""
    for waiver in waivers[:MOST_FAULTS]:
        hint = suggest(waiver.rule, known)
        yield remark(UNKNOWN, f"the waiver names the unknown rule {short(waiver.rule)!r}: {hint}", waiver)
    if len(waivers) > MOST_FAULTS:
        yield remark(
            UNKNOWN, f"and {len(waivers) - MOST_FAULTS:,} more waivers for unknown rules", waivers[MOST_FAULTS]
        )


def _excused(finding: Finding, waivers: Sequence[Waiver], today: date, terms: Terms) -> Finding:
    by = next((waiver for waiver in waivers if excuses(waiver, finding, today, terms)), None)
    return replace(finding, waiver=by) if by else finding


def _remarks(
    waiver: Waiver,
    about: Sequence[Finding],
    today: date,
    terms: Terms,
    judged: Callable[[Waiver], bool],
) -> Iterator[Finding]:
    """The findings about one waiver. about: the findings that it covers."""
    state = standing(waiver, today, terms)
    if waiver.rule in NEVER_WAIVED:
        yield remark(UNKNOWN, f"{waiver.rule} cannot be waived: fix its cause", waiver)
    elif state == "malformed":
        yield remark(MALFORMED, f"the waiver for {waiver.rule} has no effect: {_fault(waiver, terms)}", waiver)
    elif state == "too-long":
        days = terms.days(waiver.rule)
        last = (today + timedelta(days=days)).isoformat()
        text = f"the waiver for {waiver.rule} has no effect: until {waiver.until} is more than {days} days ahead"
        yield remark(TOO_LONG, f"{text}; the latest date is {last}", waiver)
    elif not about:
        if judged(waiver):
            ended = f" and ended on {waiver.until}" if state == "ended" else ""
            yield remark(UNUSED, f"the waiver for {waiver.rule} is unused{ended}: remove it", waiver)
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


def _missing(waiver: Waiver, terms: Terms) -> list[str]:
    return [name for name in ("reason", "owner", "until", *terms.required) if not _visible(getattr(waiver, name))]


def _visible(text: str) -> str:
    """Spaces and signs that nobody sees name no owner."""
    return "".join(filter(str.isprintable, text)).strip()


def _fault(waiver: Waiver, terms: Terms) -> str:
    if missing := _missing(waiver, terms):
        return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    return f"until {waiver.until!r} is not a date of the form 2026-12-31"
