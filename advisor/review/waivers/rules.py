"""Rules about waivers themselves, and the findings that they make."""

from __future__ import annotations

from advisor.review.findings import Finding, Place, Waiver

MOST_DAYS, SOON_DAYS = 180, 14
EXPIRED, SOON, UNUSED = "waiver-expired", "waiver-expires-soon", "waiver-unused"
MALFORMED, UNKNOWN, TOO_LONG, IGNORED = "waiver-malformed", "waiver-unknown-rule", "waiver-too-long", "waiver-ignored"
# Rules about waivers themselves, with their severity; no pack can change them and no waiver covers them.
WAIVER_RULES = {
    EXPIRED: ("warning", "A waiver ends on its last day; then the finding counts again."),
    SOON: ("note", f"The waiver ends within {SOON_DAYS} days: fix the recipe before then."),
    UNUSED: ("warning", "An unused waiver would hide a future finding that nobody has looked at."),
    MALFORMED: ("error", "A waiver needs a rule, a reason, an owner and a last day; without them it has no effect."),
    UNKNOWN: ("error", "A waiver for a rule that does not exist has no effect."),
    TOO_LONG: ("error", "A waiver is temporary, so that somebody reviews it again."),
    IGNORED: ("note", "A change must not bring along the waiver of its own findings."),
}


def remark(rule: str, message: str, about: Waiver | Place) -> Finding:
    """A finding about a waiver itself, at the place where it is written."""
    severity, because = WAIVER_RULES[rule]
    place = about if isinstance(about, Place) else about.place or Place("")
    value = about.rule if isinstance(about, Waiver) else message
    return Finding(rule, severity, message, because, place, value=value)
