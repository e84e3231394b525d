"""Findings: what a check found, where and why. Every output format is a function of them.

A finding points at the part of a recipe that is to blame and carries the facts that made its rule fire, each with its
own place. `check` and `gate` make them; waivers and baselines mark them; `advisor.report` draws them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from advisor.base.yamlfile import Document

Path_ = tuple[str | int, ...]
Action = Literal["set", "remove", "insert", "move", "rename", "quote"]
FORMATS = ("text", "concise", "json", "sarif", "junit", "github", "gitlab", "markdown")
SEVERITIES = ("error", "warning", "note")  # the worst first

FITS = "plain-checkpoint-only"  # the rule of a plan's problems; what cannot be run cannot be waived
UNREADABLE, INVALID, UNSEEN = "unreadable", "invalid-recipe", "model-not-at-hand"
# Rules of the checker itself, for what keeps a recipe from being judged at all; no pack can change or waive them.
BUILT_IN = {
    UNREADABLE: "A recipe file can be read",
    INVALID: "A recipe file holds a valid recipe",
}
# What `gate` itself demands of a run; no pack can change or waive it.
GATE_RULES = {
    "gate-complete": "A finished run has all its parts",
    "gate-intact": "No file of a run was changed after it was measured",
    "gate-weights": "Weights are safetensors, ONNX or OpenVINO IR; nothing in the folder can execute code",
    "gate-recipe": "The measurement belongs to this recipe, and the recipe keeps the policy",
    "gate-data": "The measurement belongs to this data",
    "gate-fresh": "The measurement is not too old",
    "gate-enough": "There are examples enough to verify a relative accuracy",
    "gate-numbers": "The measured numbers keep every bound of the recipe and of the policy",
    "gate-recomputed": "The reported numbers follow from the recorded predictions",
    "gate-device": "The artefact fits the device that it will serve on, and was measured there",
    "gate-loads": "The artefact loads and answers as recorded",
    "gate-signed": "The run was signed with the key that is asked for",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a file. Lines and columns count from 1, the end column is the first behind it; line 0: unknown."""

    file: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0

    @classmethod
    def of(cls, document: Document, path: Path_, key: bool = False) -> Place:
        """The place of a value (or its key) of a file, or of the nearest thing that holds it."""
        mark = document.mark(path, key)
        return cls(document.name, mark.line, mark.column, mark.end_line, mark.end_column)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


def pointer(path: Path_) -> str:
    """A path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


@dataclass(frozen=True, slots=True)
class Cause:
    """A fact that made a rule fire. place: None where it comes from the model's config or a default."""

    name: str
    words: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a recipe. path: what is changed, or where it goes.

    value: the new value, for move the new index, for rename the new key. quote: the comparison in line path[0].
    """

    path: Path_
    action: Action
    value: Any = None


@dataclass(frozen=True, slots=True)
class Fix:
    """How to fix a finding. safe: the recipe means the same under every reading."""

    words: str
    safe: bool
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiver:
    """A dated permission to break a rule. kind: where it is written, in the recipe or in a file beside it."""

    rule: str
    where: str
    reason: str
    owner: str
    until: str
    kind: Literal["inSource", "external"] = "inSource"
    place: Place | None = None
    approver: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a rule in a recipe.

    path: the part to blame, as a path into the YAML; value: of that part, as JSON. allowed_if: the least change of
    facts that would allow it. undecided: an unknown fact counted. waiver, known (in the baseline): it does not count.
    """

    rule: str
    severity: str
    message: str
    because: str
    place: Place
    path: Path_ = ()
    value: str = ""
    causes: tuple[Cause, ...] = ()
    allowed_if: str = ""
    evidence: tuple[str, ...] = ()
    fix: Fix | None = None
    undecided: bool = False
    white_paper_only: bool = False
    waiver: Waiver | None = None
    known: bool = False

    @property
    def counts(self) -> bool:
        """Does it affect the exit code? Waived and known findings are only shown."""
        return self.waiver is None and not self.known

    @property
    def pointer(self) -> str:
        """The path as a JSON pointer."""
        return pointer(self.path)

    @property
    def fingerprint(self) -> str:
        """Equal for the same rule, place in the tree and value, whatever lines and steps surround it."""
        names = "/".join(part for part in self.path if isinstance(part, str))  # a step's number moves, its name stays
        value = "" if self.path == ("steps",) else self.value  # what is missing has none
        return sha256("\0".join((self.rule, names, value)).encode(errors="surrogateescape")).hexdigest()

    @property
    def order(self) -> tuple[str, int, int, int, str]:
        """Findings are shown file by file from the top, the worst first at the same place."""
        place = self.place
        return (place.file, place.line, place.column, SEVERITIES.index(self.severity), self.rule)


def at(value: Any, path: Sequence[str | int]) -> str:
    """The part of a plain value at a path, as JSON; empty where there is none."""
    for part in path:
        try:
            value = value[part]
        except (LookupError, TypeError):
            return ""
    return json.dumps(value, sort_keys=True)
