"""Formats: every way to write what was checked, each a function of the same object."""

from __future__ import annotations

from importlib import import_module

from advisor.report.findings import blocks
from advisor.review.findings import FORMATS
from advisor.review.outcome import Checked

_WRITERS = {
    "concise": ("findings", "concise"),
    "json": ("findings_json", "as_json"),
    "sarif": ("sarif", "log"),
    "junit": ("junit", "xml"),
    "github": ("github", "commands"),
    "gitlab": ("gitlab", "report"),
    "markdown": ("markdown", "comment"),
}


def written(checked: Checked, form: str, width: int = 100, colour: bool = False) -> str:
    """What was checked in one of the FORMATS. Only its own module is imported. width, colour: of text."""
    if form == FORMATS[0]:
        return blocks(checked, width, colour)
    module, function = _WRITERS[form]
    return str(getattr(import_module(f"advisor.report.{module}"), function)(checked))
