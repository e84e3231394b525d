"""Read waivers where people write them: in the recipe's list, in comments of the recipe, in a waivers.yaml.

A comment applies to the line that it ends, or, alone on its line, to the next line:
`# advise: ignore[rule-id] until=2026-12-31 owner=anna reason="the old model stays until spring"`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from advisor.base.errors import AdviseError, Fault, short, suggest
from advisor.base.validation import faults
from advisor.base.yamlfile import Document, read
from advisor.recipe.assembly import waivers_of
from advisor.recipe.recipe import StatedWaiver
from advisor.review.comments import comments
from advisor.review.findings import Finding, Place, Waiver, pointer
from advisor.review.waivers.rules import IGNORED, MALFORMED, remark
from advisor.review.waivers.waivers import OPTIONAL

WAIVERS_FILE = "waivers.yaml"
FIELDS = ("until", "owner", "reason", *OPTIONAL)
FORM = '# advise: ignore[rule-id] until=2026-12-31 owner=NAME reason="…"'
_COMMENT = re.compile(r"(?:^|[ \t])(?P<form>#\s*advise\s*:\s*(?P<text>.*))$")
_IGNORE = re.compile(r"ignore\s*\[([^\]]*)\]\s*(.*)$")
_GIVEN = re.compile(r"""\s*([\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"']\S*)""")


class Written(NamedTuple):
    """Waivers as they are written, and what is wrong with malformed ones."""

    waivers: tuple[Waiver, ...] = ()
    findings: tuple[Finding, ...] = ()

    def __add__(self, other: Written) -> Written:  # type: ignore[override]
        return Written(self.waivers + other.waivers, self.findings + other.findings)


def of_recipe(document: Document, inline: bool = True) -> Written:
    """The waivers in a recipe: its list and its comments. inline: do they count? If not, a note for each says so."""
    written = listed(document, own=True) + _comments(document)
    return written if inline else ignored(written)


def ignored(written: Written) -> Written:
    """Waivers that do not count: a note for each says so."""
    where = {"inSource": "in the recipe", "external": "in this file"}
    words = "the waiver for {} {} is ignored (--no-inline, or the configuration)"
    return Written((), tuple(remark(IGNORED, words.format(one.rule, where[one.kind]), one) for one in written.waivers))


def stated(document: Document) -> tuple[StatedWaiver, ...]:
    """The waivers in a recipe's comments as its list would state them, for a copy of the recipe without comments."""
    comments = (one for one in _comments(document).waivers if one.where.startswith("/"))
    return tuple(
        StatedWaiver(one.rule, one.reason, one.owner, one.until, one.where, one.approver or None, one.ticket or None)
        for one in comments
    )


def listed(document: Document, own: bool = False) -> Written:
    """The waivers in a document's list. own: the document is the recipe itself."""
    stated, mistakes = waivers_of(document.value)
    made = []
    for waiver, index in stated:
        place = _place(document, ("waivers", index))
        kind = "inSource" if own else "external"
        fields = (waiver.rule, waiver.where or "", waiver.reason, waiver.owner, waiver.until)
        more = (waiver.approver or "", waiver.ticket or "")
        made.append(Waiver(*fields, kind, place, *more))  # type: ignore[arg-type]
    return Written(tuple(made), tuple(_malformed(fault) for fault in faults(mistakes, document)))


def _place(document: Document, path: tuple[str | int, ...]) -> Place:
    mark = document.mark(path)
    return Place(document.name, mark.line, mark.column, mark.end_line, mark.end_column)


def _malformed(fault: Fault) -> Finding:
    hint = f"; {fault.hint}" if fault.hint else ""
    message = f"a waiver has no effect: {fault.message}{hint}"
    return remark(MALFORMED, message, Place(fault.file, fault.line, fault.column, fault.line, fault.column + 1))


def read_file(path: Path) -> tuple[Written, Document]:
    """The waivers of a file.

    Raises:
        AdviseError: it cannot be read, or holds something else than a list named `waivers`.
    """
    document = read(path)
    return of_file(document), document


def of_file(document: Document) -> Written:
    """The waivers of a file that was read.

    Raises:
        AdviseError: it holds something else than a list named `waivers`.
    """
    if not isinstance(document.value, dict) or "waivers" not in document.value:
        raise AdviseError(Fault("expected `waivers:` with a list", document.name, 1, 1, "see advise schema waivers"))
    unknown = [
        document.fault(f"unknown key {short(key)}", (key,), suggest(key, ["waivers"]), key=True)
        for key in document.value
        if key != "waivers"
    ]
    if unknown:
        raise AdviseError(*unknown)
    return listed(document)


def files_for(recipe: Path) -> list[Path]:
    """Every waivers.yaml in a recipe's folder and above it, up to the repository's root; relative if the recipe is.

    Outside a repository only the recipe's own folder counts.
    """
    folder = recipe.parent.absolute()
    above = [folder, *folder.parents]
    root = next((place for place, one in enumerate(above) if (one / ".git").exists()), 0)
    found = [one / WAIVERS_FILE for one in above[: root + 1] if (one / WAIVERS_FILE).is_file()]
    return found if recipe.is_absolute() else [Path(os.path.relpath(file)) for file in found]


def _comments(document: Document) -> Written:
    """The waivers in a document's comments."""
    made = Written()
    if "advise" not in document.text:
        return made
    for comment in comments(document):
        if match := _COMMENT.search(comment.text):
            line = document.lines[comment.line - 1]
            column = comment.column + match.start("form")
            place = Place(document.name, comment.line, column, comment.line, len(line.rstrip()) + 1)
            alone = not line[: column - 1].strip(" \t#")
            where = _where(document, _next_line(document.lines, comment.line) if alone else comment.line)
            made += _comment(match["text"], where, place)
    return made


def _next_line(lines: list[str], number: int) -> int:
    """The next line that says something."""
    rest = range(number, len(lines))
    return next((at + 1 for at in rest if lines[at].strip() and not lines[at].lstrip().startswith("#")), number)


def _where(document: Document, line: int) -> str:
    """What a comment is about, as a pointer: the largest part that begins in its line; the line where several do."""
    items = (path for path in document.marks if path and isinstance(path[-1], int))
    here = [path for path in document.keys if document.keys[path].line == line]
    here += [path for path in items if document.marks[path].line == line]
    largest = min(map(len, here), default=0)
    tops = [path for path in here if len(path) == largest]
    return pointer(tops[0]) if len(tops) == 1 else f"line {line}"


def _comment(text: str, where: str, place: Place) -> Written:
    match = _IGNORE.match(text)
    rules = [name.strip() for name in match[1].split(",")] if match else []
    if match is None or not all(rules):
        return Written((), (remark(MALFORMED, f"a waiver in a comment has the form {FORM}", place),))
    given, rest = _fields(match[2])
    unknown = [name for name in given if name not in FIELDS]
    if rest or unknown:
        wrong = (
            f"cannot be read at {short(rest)!r}"
            if rest
            else f"has no field {short(unknown[0])}: {suggest(unknown[0], FIELDS)}"
        )
        return Written((), (remark(MALFORMED, f"a waiver in a comment {wrong}; its form is {FORM}", place),))
    until, owner, reason, *more = (given.get(name, "") for name in FIELDS)
    return Written(tuple(Waiver(rule, where, reason, owner, until, "inSource", place, *more) for rule in rules))


def _fields(text: str) -> tuple[dict[str, str], str]:
    """`name=value` pairs at the start of a text, and what is left of it."""
    given: dict[str, str] = {}
    end = 0
    while (match := _GIVEN.match(text, end)) and match[1] not in given:
        given[match[1]] = re.sub(r"\\(.)", r"\1", match[2][1:-1]) if match[2][0] in "\"'" else match[2]
        end = match.end()
    return given, text[end:].strip()
