"""Findings that are kept between two checks, as they are before waivers and baselines.

They are used again only where the same review would be made again: the same bytes under the same name, the same model,
looked for anew, the same rules, and the same code. Waivers, baselines and today's date are applied afresh each time.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from advisor.base import user_cache
from advisor.base.digest import digest
from advisor.base.errors import AdviseError
from advisor.base.version import __version__
from advisor.inspection.probe import Model
from advisor.policy.pack import Policy
from advisor.recipe.recipe import ModelSource, PolicyStamp
from advisor.review.findings import Cause, Edit, Finding, Fix, Place
from advisor.review.outcome import Reviewed
from advisor.review.recipe_files import Source

KIND = "findings"
FindModel = Callable[[ModelSource, Path], Model]


class Kept(NamedTuple):
    """What one recipe gave. judged: it is a valid recipe. stamp: of the policy that it says it was made under.

    models: that it names: its model, and a given student.
    """

    findings: tuple[Finding, ...]
    judged: bool
    models: tuple[ModelSource, ...]
    stamp: PolicyStamp | None


class Memory:
    """The findings that an earlier check of the same files kept, and those that this one is to keep."""

    def __init__(self, policy: Policy, sources: Sequence[Source], find: FindModel) -> None:
        names = [one.name for one in sources]
        rules = [rule.id for rule in policy.rules]
        parts = (_code(), repr(policy.stamp), repr(rules), repr(names), os.getcwd())  # noqa: PTH109
        self.key = digest(part.encode(errors="surrogateescape") for part in parts)
        self.find = find
        self.models: dict[tuple[ModelSource, Path], str] = {}
        self.entries: dict[str, Any] = _read(self.key)
        self.texts: list[Any] = self.entries.pop("", [])  # reasons and evidence, each once
        self.places = {json.dumps(one): place for place, one in enumerate(self.texts)}
        self.changed = False

    def recall(self, source: Source, data: bytes) -> Kept | None:
        """What is kept of a recipe, where reviewing it again would give the same."""
        entry = self.entries.get(source.name)
        if not isinstance(entry, dict) or entry.get("bytes") != digest([data]):
            return None
        try:
            models = tuple(ModelSource(*one) for one in entry["models"])
            if entry["found"] != [self._found(model, source) for model in models]:
                return None
            found = tuple(_finding(one, self.texts) for one in entry["findings"])
            return Kept(found, entry["judged"], models, PolicyStamp(*entry["stamp"]) if entry["stamp"] else None)
        except (LookupError, TypeError, ValueError):
            return None  # written by another version, or damaged

    def keep(self, source: Source, data: bytes, kept: Kept) -> None:
        """Keep what a recipe gave."""
        entry = {
            "bytes": digest([data]),
            "models": [list(_values(model)) for model in kept.models],
            "found": [self._found(model, source) for model in kept.models],
            "judged": kept.judged,
            "stamp": list(_values(kept.stamp)),
            "findings": [self._row(one) for one in kept.findings],
        }
        again = json.loads(json.dumps(entry["findings"]))
        if tuple(_finding(one, self.texts) for one in again) == kept.findings:  # JSON can carry all of it
            self.entries[source.name] = entry
            self.changed = True

    def save(self) -> None:
        """Write what is kept, if there is anything new."""
        if self.changed:
            user_cache.write(KIND, self.key, json.dumps({**self.entries, "": self.texts}))

    def _found(self, model: ModelSource, source: Source) -> str:
        """A digest of the model that a recipe names, as it is found now, or of why there is none."""
        if (model, source.base) not in self.models:
            self.models[model, source.base] = _digest_of(self.find, model, source.base)
        return self.models[model, source.base]

    def _row(self, finding: Finding) -> list[Any]:
        """A finding as JSON can carry it."""
        text = [finding.because, list(finding.evidence)]
        place = self.places.setdefault(json.dumps(text), len(self.texts))
        if place == len(self.texts):
            self.texts.append(text)
        fix = finding.fix and [finding.fix.words, finding.fix.safe, [list(_values(one)) for one in finding.fix.edits]]
        causes = [[one.name, one.words, one.place and list(_values(one.place))] for one in finding.causes]
        return [
            *(finding.rule, finding.severity, finding.message, place, list(_values(finding.place))),
            *(list(finding.path), finding.value, causes, finding.allowed_if, fix),
            *(finding.undecided, finding.white_paper_only),
        ]


def _finding(row: Sequence[Any], texts: Sequence[Any]) -> Finding:
    rule, severity, message, text, place, path, value, causes, allowed_if, fix, undecided, white_paper_only = row
    because, evidence = texts[text]
    return Finding(
        rule,
        severity,
        message,
        because,
        Place(*place),
        tuple(path),
        value,
        tuple(Cause(name, words, Place(*at) if at else None) for name, words, at in causes),
        allowed_if,
        tuple(evidence),
        Fix(fix[0], fix[1], tuple(Edit(tuple(at), action, new) for at, action, new in fix[2])) if fix else None,
        undecided,
        white_paper_only,
    )


def _values(value: Any) -> Iterator[Any]:
    """The fields of a dataclass in order; nothing for None."""
    if value is not None:
        yield from (getattr(value, name) for name in type(value).__slots__)


def _read(key: str) -> dict[str, Any]:
    try:
        with open(user_cache.path(KIND, key), "rb") as file:  # noqa: PTH123
            found = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("", []), list) else {}


def _digest_of(find: FindModel, model: ModelSource, base: Path) -> str:
    try:
        found = find(model, base)
    except AdviseError as error:
        return digest([repr([asdict(fault) for fault in error.faults]).encode(errors="surrogateescape")])
    return digest([repr(found).encode(errors="surrogateescape")])


@cache
def _code() -> str:
    """Everything in this package that a review may depend on: its version, and size and times of its code and data.

    The time of change of the file's entry (ctime) is among them: unlike that of its content, nobody can set it back.
    """
    found = [
        (file.path, (seen := file.stat()).st_size, seen.st_mtime_ns, seen.st_ctime_ns)
        for file in _files(str(Path(__file__).parents[1]))
    ]
    return f"{__version__} {sys.version} {sorted(found)}"


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from _files(entry.path) if entry.name != "__pycache__" else ()
        elif entry.name.endswith((".py", ".json", ".jsonl", ".yaml")):
            yield entry


class ReviewedLater(Mapping[str, Reviewed]):
    """Reviews by file; one whose findings were kept is made when somebody asks for it."""

    def __init__(self, made: Mapping[str, Reviewed], names: Sequence[str], again: Callable[[str], Reviewed]) -> None:
        self.made, self.names, self.again = dict(made), list(names), again

    def __getitem__(self, name: str) -> Reviewed:
        if name not in self.made:
            if name not in self.names:
                raise KeyError(name)
            self.made[name] = self.again(name)
        return self.made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)
