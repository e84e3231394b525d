"""Hover: the page of a rule, or what a field means."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from advisor.editor import fields
from advisor.editor.cursor import cursor
from advisor.editor.kinds import Kind
from advisor.policy.pack import Policy
from advisor.report.rule_page import page
from advisor.review.findings import Finding

About = Callable[[int, int], Sequence[Finding]]
_WORD = re.compile(r"[\w.-]+")
_VALUE = re.compile(r"""["']?\s*:[ ]*[^\s,{}\[\]]*""")  # of a key, on its line


class Hover(NamedTuple):
    """Markdown about a stretch of the text, from offset `start` to before `end`."""

    text: str
    start: int
    end: int


def hover(kind: Kind, text: str, offset: int, about: About, policy: Policy | None) -> Hover | None:
    """What there is to say about the word at an offset.

    Args:
        about: the findings between two offsets; their rules' pages are shown behind what the field means.
        policy: whose rules are explained; None where it is faulty.
    """
    word = next((one for one in _WORD.finditer(text) if one.start() <= offset <= one.end()), None)
    if word is None:
        return None
    named = policy.rule(word[0]) if policy else None
    if policy and named:
        return Hover(page(named, policy), word.start(), word.end())
    value = _VALUE.match(text, word.end())
    found = about(word.start(), value.end() if value else word.end())
    parts = [fields.described(kind, cursor(text[: word.end()]).field)]
    parts += [f"{one.severity}[{one.rule}]: {one.message}" for one in found]
    if policy:
        rules = dict.fromkeys(one.rule for one in found)
        parts += [page(rule, policy) for name in rules if (rule := policy.rule(name))]
    said = "\n\n---\n\n".join(part for part in parts if part)
    return Hover(said, word.start(), word.end()) if said else None
