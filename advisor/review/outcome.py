"""The result of a whole check, and its exit code."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from advisor.base.yamlfile import Document
from advisor.facts.facts import Facts
from advisor.inspection import probe
from advisor.policy.rule import Rule
from advisor.recipe.plan import Plan
from advisor.recipe.recipe import PolicyStamp, Recipe
from advisor.review.findings import BUILT_IN, SEVERITIES, Finding
from advisor.review.waivers.rules import UNKNOWN

EXIT_WORDS = {
    0: "no finding that counts",
    1: "findings",
    2: "a file could not be read or is not a valid recipe",
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
    """Everything that one run of `check` or `gate` found. texts: of the files that findings point into.

    reviewed: the recipes that could be judged, by file. passed_over: YAML files in folders that are not recipes.
    baseline: the file of known findings; empty where none was given. command: check or gate. kept: in words, the bounds
    that the measured numbers of a run keep. warned: what is to be read before them. unchecked: what was not shown.
    made_under: the policy of recipes that name one, by file.
    rule_pages: the address that a rule's id follows; empty where rules have no pages.
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
    made_under: Mapping[str, PolicyStamp] = field(default_factory=dict, repr=False)
    rule_pages: str = ""

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
    """The exit code for several results: an unreadable file comes before findings, and findings before
    nothing having been checked."""
    return min(codes, key=(2, 3, 4, 1, 5, 0).index)


def in_order(findings: Iterable[Finding], files: Sequence[str]) -> tuple[Finding, ...]:
    """In the order of the files, each from its top; files of waivers come last."""
    rank = {file: place for place, file in enumerate(files)}
    return tuple(sorted(findings, key=lambda one: (rank.get(one.place.file, len(files)), one.order)))


def combined(parts: Sequence[Checked], order: Sequence[str]) -> Checked:
    """One result for groups of files that were checked by several policies. order: of all files.

    The result names the first policy. A rule that a waiver names is unknown only if no policy knows it.
    """
    first, *others = parts
    if not others:
        return first
    known = {rule.id: rule for one in reversed(parts) for rule in one.rules}
    found = {(one.place, one.rule, one.message): one for part in parts for one in part.findings}
    kept = (one for one in found.values() if not (one.rule == UNKNOWN and one.value in known))
    files = [name for name in order if any(name in part.files for part in parts)]
    return replace(
        first,
        findings=in_order(kept, files),
        files=tuple(files),
        rules=tuple(known.values()),
        exit_code=gravest(*(one.exit_code for one in parts)),
        texts={name: text for one in parts for name, text in one.texts.items()},
        reviewed=ChainMap(*(one.reviewed for one in parts)),  # type: ignore[arg-type]  # nothing is written to it
        seconds=sum(one.seconds for one in parts),
        passed_over=tuple(name for one in parts for name in one.passed_over),
        made_under={name: stamp for one in parts for name, stamp in one.made_under.items()},
    )
