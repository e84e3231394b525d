"""What a check found out as a whole, and the exit code that stands for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from advisor.base.yamlfile import Document
from advisor.facts.facts import Facts
from advisor.inspection import probe
from advisor.policy.rule import Rule
from advisor.recipe.plan import Plan
from advisor.recipe.recipe import PolicyStamp, Recipe
from advisor.review.findings import BUILT_IN, SEVERITIES, Finding

EXIT_WORDS = {
    0: "no finding that counts",
    1: "findings",
    2: "a file could not be read or is no valid recipe",
    3: "the policy itself is at fault",
    4: "a measured gate is missed, or its measurement is missing or stale",
    5: "nothing was checked",
}


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A recipe with all that it was judged by. plan: None where the model's config is not at hand."""

    recipe: Recipe
    facts: Facts
    plan: Plan | None
    findings: tuple[Finding, ...]
    model: probe.Model
    document: Document = field(repr=False)

    @property
    def errors(self) -> int:
        return sum(finding.severity == "error" and finding.counts for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Checked:
    """All that one run of `check` or `gate` found out. texts: of the files that findings point into.

    reviewed: the recipes that could be judged, by file. passed_over: YAML files in folders that are no recipes.
    baseline: the file of known findings; empty where none was given. command: check or gate. kept: in words, the bounds
    that the measured numbers of a run keep. warned: what is to be read before them. unchecked: what was not shown.
    """

    findings: tuple[Finding, ...]
    files: tuple[str, ...]
    policy: PolicyStamp
    rules: tuple[Rule, ...]
    exit_code: int
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    reviewed: Mapping[str, Reviewed] = field(default_factory=dict, repr=False)
    seconds: float = 0.0
    passed_over: tuple[str, ...] = ()
    baseline: str = ""
    command: str = "check"
    kept: tuple[str, ...] = ()
    warned: str = ""
    unchecked: tuple[str, ...] = ()

    @property
    def told_of(self) -> tuple[str, ...]:
        """The files that were checked, then the others that findings point into, such as a file of waivers."""
        return tuple(dict.fromkeys((*self.files, *(one.place.file for one in self.findings))))

    @property
    def exit_words(self) -> str:
        return EXIT_WORDS[self.exit_code]

    def counted(self, severity: str) -> int:
        """How many findings of this severity count."""
        return sum(one.severity == severity and one.counts for one in self.findings)

    @property
    def unread(self) -> tuple[str, ...]:
        """The files that could not be judged."""
        return tuple(dict.fromkeys(one.place.file for one in self.findings if one.rule in BUILT_IN))


def exit_code(findings: Iterable[Finding], fail_on: str = "error") -> int:
    """2 where a file could not be judged, 1 where a finding of this severity or worse counts, else 0."""
    worst = SEVERITIES.index(fail_on)
    counting = [one for one in findings if one.counts]
    if any(one.rule in BUILT_IN for one in counting):
        return 2
    return int(any(SEVERITIES.index(one.severity) <= worst for one in counting))


def gravest(*codes: int) -> int:
    """The exit code that stands for several: a file that cannot be judged is told before findings, and these before
    nothing having been checked."""
    return min(codes, key=(2, 3, 4, 1, 5, 0).index)
