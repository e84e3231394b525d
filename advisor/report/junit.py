"""Findings as JUnit XML, as CI systems show test results: one suite a recipe, one case a finding."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from advisor.review.findings import BUILT_IN, Finding
from advisor.review.outcome import Checked

CLEAN = "obeys all rules"
_ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml(checked: Checked) -> str:
    """The whole report. A finding that counts is a failure, one that is waived or known is skipped, a note passes."""
    root = Element("testsuites", name=f"advise {checked.command}", time=f"{checked.seconds:.3f}")
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for file in checked.told_of:
        found = [one for one in checked.findings if one.place.file == file]
        suite = SubElement(root, "testsuite", name=_legal(file))
        for one in found:
            _case(suite, one)
        if not found:
            SubElement(suite, "testcase", classname=_legal(file), name=CLEAN, time="0")
        for name, count in _numbers(suite).items():
            suite.set(name, str(count))
            totals[name] += count
    for name, count in totals.items():
        root.set(name, str(count))
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _case(suite: Element, one: Finding) -> None:
    name = f"{one.rule} {one.pointer}".rstrip()
    case = SubElement(suite, "testcase", classname=_legal(one.place.file), name=_legal(name), time="0")
    if not one.counts:
        waiver = one.waiver
        why = f"waived until {waiver.until} by {waiver.owner}: {waiver.reason}" if waiver else "in the baseline"
        SubElement(case, "skipped", message=_legal(why))
    elif one.severity != "note":
        kind = "error" if one.rule in BUILT_IN else "failure"
        SubElement(case, kind, message=_legal(one.message), type=one.severity).text = _legal(_body(one))
    else:
        SubElement(case, "system-out").text = _legal(_body(one))


def _body(one: Finding) -> str:
    lines = [f"{one.place}: {one.severity} {one.rule} {one.message}"]
    lines += [f"because: {one.because}"] if one.because else []
    lines += [f"{cause.name}: {cause.words}" for cause in one.causes]
    lines += [f"allowed {one.allowed_if}"] if one.allowed_if else []
    lines += [f"fix: {one.fix.words}"] if one.fix else []
    return "\n".join(lines)


def _numbers(suite: Element) -> dict[str, int]:
    return {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }


def _legal(text: str) -> str:
    """Without the signs that XML 1.0 cannot hold."""
    return _ILLEGAL.sub("?", text)
