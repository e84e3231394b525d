"""Check: review many recipe files and put all that was found into one object."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from advisor.baseline import Baseline, mark
from advisor.errors import AdviseError, Fault
from advisor.findings import BUILT_IN, INVALID, UNREADABLE, Checked, Finding, Place, exit_code
from advisor.policy.pack import Policy
from advisor.recipefile import validate
from advisor.review import Reviewed, review_document
from advisor.waiving import Waiving, waive
from advisor.yamlfile import parse, read


class Source(NamedTuple):
    """A recipe file, or text that came in by stdin under some name."""

    name: str
    text: bytes | None = None

    @property
    def base(self) -> Path:
        """The folder that a relative path to a model may start from."""
        return Path(self.name).parent


def check(
    policy: Policy,
    sources: Sequence[Source],
    waiving: Waiving,
    fail_on: str = "error",
    known: Baseline | None = None,
) -> Checked:
    """Review recipes, one after another. What cannot be read or is no recipe becomes findings too.

    Raises:
        AdviseError: a file of waivers cannot be read.
    """
    start = time.perf_counter()
    findings: list[Finding] = []
    texts: dict[str, str] = {}
    reviewed: dict[str, Reviewed] = {}
    for source in sources:
        try:
            document = parse(source.text, source.name) if source.text is not None else read(Path(source.name))
            texts[source.name] = document.text
            one = review_document(policy, validate(document), document, source.base)
            reviewed[source.name] = one
            findings += one.findings
        except AdviseError as error:
            readable = source.name in texts
            findings += [_unjudged(fault, source.name, readable) for fault in error.faults]
    waived = waive(findings, [one.document for one in reviewed.values()], policy, waiving)
    marked = mark(waived.findings, known, reviewed) if known else waived.findings
    files = tuple(source.name for source in sources)
    rank = {file: place for place, file in enumerate(files)}
    findings = sorted(marked, key=lambda one: (rank.get(one.place.file, len(files)), one.order))
    return Checked(
        tuple(findings),
        files,
        policy.stamp,
        policy.rules,
        exit_code(findings, fail_on),
        {**texts, **waived.texts},
        reviewed,
        time.perf_counter() - start,
    )


def _unjudged(fault: Fault, file: str, readable: bool) -> Finding:
    """A fault that keeps a recipe from being judged, as a finding."""
    rule = INVALID if readable or fault.line else UNREADABLE
    place = Place(fault.file or file, fault.line, fault.column, fault.line, fault.column + 1)
    tries = (f"{fault.message}; try: {fault.hint}") if fault.hint else fault.message
    return Finding(rule, "error", tries, BUILT_IN[rule], place)
