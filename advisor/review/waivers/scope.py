"""The scope of a waiver: which findings it covers, whatever its dates."""

from __future__ import annotations

import os

from advisor.base import globs
from advisor.review.findings import BUILT_IN, FITS, GATE_RULES, Finding, Waiver
from advisor.review.waivers.rules import WAIVER_RULES

NEVER_WAIVED = {*WAIVER_RULES, *BUILT_IN, *GATE_RULES, FITS}


def covers(waiver: Waiver, finding: Finding) -> bool:
    """Is the waiver about this finding, whatever its dates? A waiver inside a recipe is about that recipe only."""
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
    """The glob of files and the JSON pointer in `where`; empty for all."""
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
    return globs.fits(globs.of_paths(glob), path if "/" in glob else path.rpartition("/")[2])
