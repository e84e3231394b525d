"""Collect the waivers for some recipes, wherever they are written, and mark the findings that they cover.

`check`, `run` and `gate` call `waive`, so that a waiver means the same to all of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

from advisor.base.errors import AdviseError
from advisor.base.yamlfile import Document, read_bytes
from advisor.policy.pack import Policy
from advisor.review.findings import Finding, Waiver
from advisor.review.waivers.reader import WAIVERS_FILE, Written, files_for, ignored, of_recipe, read_file
from advisor.review.waivers.rules import MOST_DAYS
from advisor.review.waivers.scope import matches, reach
from advisor.review.waivers.waivers import Terms, settle


class Waiving(NamedTuple):
    """How waivers are taken. file: instead of every waivers.yaml beside and above the recipes.

    days_of: the longest term of some rules; required: fields beside reason and owner (`approver`, `ticket`).
    inline: do the waivers inside recipes count? beside: do those in files beside and above them? unused: are unused
    waivers reported?
    """

    today: date
    inline: bool = True
    file: Path | None = None
    most_days: int = MOST_DAYS
    unused: bool = True
    days_of: Mapping[str, int] = {}
    required: tuple[str, ...] = ()
    beside: bool = True

    def terms(self, *policies: Policy) -> Terms:
        """What a waiver has to meet: of the longest terms that project and rule name, the shorter one."""
        own = {rule.id: rule.waiver_days for policy in policies for rule in policy.rules if rule.waiver_days}
        days = {name: min(term, self.days_of.get(name, term)) for name, term in own.items()}
        return Terms(self.most_days, {**self.days_of, **days}, self.required)


class Waived(NamedTuple):
    """Findings, marked, with those about the waivers themselves. texts: of the waiver files, by name."""

    findings: tuple[Finding, ...]
    texts: Mapping[str, str]


def waive(findings: Iterable[Finding], recipes: Sequence[Document], policy: Policy, how: Waiving) -> Waived:
    """Mark what is waived. recipes: those that were judged.

    Raises:
        AdviseError: a file of waivers cannot be read.
    """
    written, texts = gather(recipes, how)
    judged = partial(_judged, names={rule.id for rule in policy.rules}, recipes=[one.name for one in recipes])
    known = {*(rule.id for rule in policy.rules), *policy.disabled}
    unused = judged if how.unused else lambda waiver: False
    settled = settle(findings, written.waivers, known, how.today, how.terms(policy), unused)
    return Waived((*settled, *written.findings), texts)


def gather(recipes: Sequence[Document], how: Waiving) -> tuple[Written, dict[str, str]]:
    """All waivers for some recipes, and the texts of the files that hold them."""
    written = Written()
    for document in recipes:
        written += of_recipe(document, how.inline)
    folders = {Path(document.name).parent: Path(document.name) for document in recipes}
    found = [how.file] if how.file else [file for recipe in folders.values() for file in files_for(recipe)]
    texts = {}
    for file in dict.fromkeys(found):
        more, document = read_file(file)
        written += more if how.file or how.beside else ignored(more)
        texts[document.name] = document.text
    return written, texts


def _judged(waiver: Waiver, names: Collection[str], recipes: Collection[str]) -> bool:
    """Was everything checked that a waiver may cover? One in a shared file may be needed by a recipe elsewhere."""
    if waiver.rule not in names:
        return False
    if waiver.kind == "inSource" or waiver.place is None:
        return True
    seen = {Path(name).resolve() for name in recipes}
    home = waiver.place.file
    others = (file for file in _files_below(Path(home).parent) if file.resolve() not in seen)
    glob, _ = reach(waiver)
    return not any(matches(glob, str(file), home) and _looks_like_recipe(file) for file in others)


def _files_below(folder: Path) -> Iterator[Path]:
    """YAML files in a folder and below it; hidden folders are skipped."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place) / name for name in names if name.endswith((".yaml", ".yml")) and name != WAIVERS_FILE)


def _looks_like_recipe(file: Path) -> bool:
    try:
        return re.search(rb"^steps\s*:", read_bytes(file), re.MULTILINE) is not None
    except AdviseError:
        return False
