"""Findings as SARIF 2.1.0, the form in which code hosts and editors take findings over.

The facts behind a finding are its related locations, waivers are suppressions, and its fingerprints survive that lines
move. Files are named from the root of the repository, so that no machine's paths get into a log.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from advisor.base.version import __version__
from advisor.base.yamlfile import Document
from advisor.policy.rule import Rule
from advisor.policy.shipped import shipped
from advisor.report.paths import from_root, uri
from advisor.report.rule_page import effects, when
from advisor.review.findings import BUILT_IN, GATE_RULES, Finding, Fix, Place, Waiver
from advisor.review.outcome import Checked

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT, RULES = "%SRCROOT%", "%ADVISE%"
Object = dict[str, Any]


def log(checked: Checked) -> str:
    """The whole log: one run of one tool."""
    run = {
        "tool": {"driver": _driver(checked)},
        "invocations": [_invocation(checked)],
        "originalUriBaseIds": {
            ROOT: {"description": _text("The repository that was checked")},
            RULES: {"description": _text("The folder that advise is installed in")},
        },
        "artifacts": [{"location": _artifact(file), "roles": ["analysisTarget"]} for file in checked.files],
        "results": list(_results(checked)),
        "columnKind": "unicodeCodePoints",
        "properties": {"policy": checked.policy.name, "policySha256": checked.policy.sha256},
    }
    # In one line: indented, it takes three times as long to write, and only programs read it.
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, allow_nan=False) + "\n"


def _text(text: str) -> Object:
    return {"text": text}


def _driver(checked: Checked) -> Object:
    policy = checked.policy
    return {
        "name": "advise",
        "version": __version__,
        "fullName": f"advise with the policy {policy.name} {policy.version}",
        "rules": [*(_rule(one, checked.rule_pages) for one in checked.rules), *_own_rules(checked)],
    }


def _rule(rule: Rule, pages: str) -> Object:
    """One rule. pages: the address that its id follows."""
    page = {"helpUri": pages + rule.id} if pages else {}
    return {
        "id": rule.id,
        **page,
        "shortDescription": _text(rule.title),
        "fullDescription": _text(rule.because),
        "defaultConfiguration": {"level": rule.severity},
        "help": {"text": rule.because, "markdown": _page(rule)},
        "properties": {"origin": rule.origin, "confidence": rule.confidence, "precision": "very-high"},
    }


def _page(rule: Rule) -> str:
    """What a rule says, in Markdown; `advise explain` has more."""
    evidence = [f"- {' '.join(one.says.split())} ({one.source}, {one.at}; {one.strength})" for one in rule.evidence]
    said = [f"**When** {when(rule)}", f"**Then** {'; '.join(effects(rule))}", f"**Because** {rule.because}"]
    return "\n\n".join([f"# {rule.title}", *said, "\n".join(evidence), f"More: `advise explain {rule.id}`"])


def _own_rules(checked: Checked) -> Iterator[Object]:
    """Rules of the checker itself, as far as they found something: no pack has them."""
    known = {rule.id for rule in checked.rules}
    for name, one in {one.rule: one for one in checked.findings}.items():
        if name not in known:
            about = {**BUILT_IN, **GATE_RULES}.get(name) or one.because
            yield {
                "id": name,
                "shortDescription": _text(about),
                "defaultConfiguration": {"level": one.severity},
                "help": {"text": about, "markdown": about},
            }


def _invocation(checked: Checked) -> Object:
    return {
        "executionSuccessful": checked.exit_code in (0, 1, 4),
        "exitCode": checked.exit_code,
        "exitCodeDescription": checked.exit_words,
    }


def _results(checked: Checked) -> Iterator[Object]:
    names = [rule.id for rule in checked.rules]
    places = {
        name: place for place, name in enumerate(dict.fromkeys([*names, *(one.rule for one in checked.findings)]))
    }
    rules = {rule.id: rule for rule in checked.rules}
    seen: Counter[str] = Counter()
    for one in checked.findings:
        line = _line_hash(one, checked.texts)
        seen[line] += 1
        result: Object = {
            "ruleId": one.rule,
            "ruleIndex": places[one.rule],
            "level": one.severity,
            "message": _text(_message(one)),
            "locations": [_location(one.place)],
            "relatedLocations": list(_related(one, rules.get(one.rule))),
            "partialFingerprints": {
                "primaryLocationLineHash": f"{line}:{seen[line]}",
                "adviseFinding/v1": one.fingerprint,
            },
            "suppressions": [_suppression(one.waiver)] if one.waiver else [],
            "properties": {"pointer": one.pointer, "undecided": one.undecided},
        }
        if checked.baseline:
            result["baselineState"] = "unchanged" if one.known else "new"
        if one.fix and (fixes := list(_fixes(one.fix, one, checked))):
            result["fixes"] = fixes
        yield result


def _message(one: Finding) -> str:
    elsewhere = [f"{cause.name} {cause.words}" for cause in one.causes if cause.place is None]
    parts = [one.message, *elsewhere]
    parts += [f"Allowed {one.allowed_if}"] if one.allowed_if else []
    parts += [f"Fix: {one.fix.words}"] if one.fix else []
    return ". ".join(parts)


def _artifact(file: str) -> Object:
    inside = not from_root(file).startswith("/")
    return {"uri": uri(file), **({"uriBaseId": ROOT} if inside else {})}


def _location(place: Place, message: str = "", number: int | None = None) -> Object:
    physical: Object = {"artifactLocation": _artifact(place.file)}
    if place.line:
        physical["region"] = _region(place)
    said = {"id": number} if number is not None else {}
    return {**said, "physicalLocation": physical, **({"message": _text(message)} if message else {})}


def _region(place: Place) -> Object:
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }


def _related(one: Finding, rule: Rule | None) -> Iterator[Object]:
    """The facts that made the rule fire, as far as a file says them, and the rule itself."""
    number = 0
    for number, cause in enumerate((cause for cause in one.causes if cause.place), 1):
        if cause.place:
            yield _location(cause.place, f"because: {cause.name} {cause.words}", number)
    if rule:
        location = {"physicalLocation": {"artifactLocation": _rule_file(rule)}}
        yield {"id": number + 1, **location, "message": _text(f"the rule {rule.id}")}


def _rule_file(rule: Rule) -> Object:
    """A rule of the user's own is named from the root, a shipped one from where advise is installed."""
    ours = shipped("rules").parent.as_posix() + "/"
    return (
        {"uri": rule.file.removeprefix(ours), "uriBaseId": RULES}
        if rule.file.startswith(ours)
        else _artifact(rule.file)
    )


def _line_hash(one: Finding, texts: Mapping[str, str]) -> str:
    lines = texts.get(one.place.file, "").splitlines()
    line = lines[one.place.line - 1].strip() if 0 < one.place.line <= len(lines) else ""
    return sha256(f"{one.rule}\0{from_root(one.place.file)}\0{line}".encode(errors="surrogateescape")).hexdigest()[:16]


def _suppression(waiver: Waiver) -> Object:
    place = {"location": _location(waiver.place)} if waiver.place else {}
    justification = f"{waiver.reason} ({waiver.owner}, until {waiver.until})"
    return {"kind": waiver.kind, "status": "accepted", "justification": justification, **place}


def _fixes(fix: Fix, one: Finding, checked: Checked) -> Iterator[Object]:
    """A fix that sets values, as replacements of text. Others change more than SARIF can say without the whole file."""
    reviewed = checked.reviewed.get(one.place.file)
    if reviewed and fix.edits and all(edit.action == "set" for edit in fix.edits):
        document: Document = reviewed.document
        changes = [
            {
                "deletedRegion": _region(Place.of(document, edit.path)),
                "insertedContent": _text(json.dumps(edit.value)),
            }
            for edit in fix.edits
            if edit.path in document.marks
        ]
        if len(changes) == len(fix.edits):
            change = {"artifactLocation": _artifact(one.place.file), "replacements": changes}
            yield {"description": _text(fix.words), "artifactChanges": [change]}
