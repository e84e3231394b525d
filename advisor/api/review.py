"""`advisor.check`: recipes to findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.advice.recommendation import Advice
from advisor.api.arguments import Arguments
from advisor.base.errors import NothingChecked
from advisor.recipe.recipe import Recipe, as_yaml
from advisor.review.findings import FORMATS, SEVERITIES, Finding
from advisor.review.outcome import Checked
from advisor.review.recipe_files import Source

if TYPE_CHECKING:
    from advisor.policy.pack import Policy
    from advisor.review.baseline import Baseline
    from advisor.review.waivers.apply import Waiving

Checkable = str | PathLike[str] | Recipe | Advice


@dataclass(frozen=True, slots=True, repr=False)
class Findings(Checked):
    """What `advisor.check` or `advisor.gate` found: iterate over it, count it, print it, or show it in a notebook.

    `ok`: nothing was found that counts. `exit_code`: what the command line would end with.
    """

    @classmethod
    def of(cls, checked: Checked) -> Findings:
        """The same findings, with what programs and notebooks need."""
        return cls(*(getattr(checked, item.name) for item in fields(checked)))

    @property
    def ok(self) -> bool:
        """Whether nothing was found that counts."""
        return self.exit_code == 0

    def counting(self, severity: str | None = None) -> tuple[Finding, ...]:
        """The findings that count, that is, those not waived and not in the baseline; of one severity, or of all."""
        return tuple(one for one in self.findings if one.counts and severity in (None, one.severity))

    def to(self, form: str, width: int = 100, colour: bool = False) -> str:
        """The findings in one format: text, concise, json, sarif, junit, github, gitlab or markdown.

        Args:
            form: the format's name.
            width: columns that text is wrapped to.
            colour: of text, with the escape codes of a terminal.
        """
        from advisor.report.formats import written

        arguments = Arguments("Findings.to")
        arguments.choice("form", form, FORMATS)
        arguments.refuse()
        return written(self, form, width, colour)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __str__(self) -> str:
        from advisor.report.findings import summary

        return f"{self.to('text')}{summary(self)}"

    def __repr__(self) -> str:
        from advisor.report.findings import summary

        return f"<Findings: {summary(self)}>"

    def _repr_html_(self) -> str:
        from advisor.report.notebook import findings_html

        return findings_html(self)


@dataclass(frozen=True, slots=True)
class Checker:
    """How recipes are judged. only: by these rules; None for all. known: the findings that do not count."""

    policy: Policy
    waiving: Waiving
    only: frozenset[str] | None = None
    known: Baseline | None = None
    fail_on: str = "error"
    cache: bool = True

    def __call__(self, sources: Sequence[Source]) -> Findings:
        """Judge recipes. Raises an AdviseError where a file of waivers cannot be read."""
        from advisor.review.batch import check as check_all

        how = (self.waiving, self.fail_on, self.known, self.only)
        return Findings.of(check_all(self.policy, sources, *how, remember=self.cache))


def checker(
    *,
    policy: str | PathLike[str] = "core",
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    fail_on: str = "error",
    baseline: str | PathLike[str] | None = None,
    waivers: str | PathLike[str] | None = None,
    inline_waivers: bool = True,
    waiver_days: int = 180,
    cache: bool = True,
) -> Checker:
    """Read the policy and the baseline that recipes are judged by; arguments and errors as of `check`."""
    from advisor.policy.pack import find
    from advisor.review import baseline as baselines
    from advisor.review.selection import selected

    arguments = Arguments("advisor.check")
    arguments.choice("fail_on", fail_on, SEVERITIES)
    arguments.whole("waiver_days", waiver_days, 1)
    arguments.refuse()
    rules = find(fspath(policy))
    only = selected(rules, select, ignore)
    known = None if baseline is None else baselines.read(Path(baseline))
    return Checker(rules, waiving(waivers, inline_waivers, waiver_days), only, known, fail_on, cache)


def waiving(
    waivers: str | PathLike[str] | None, inline_waivers: bool, waiver_days: int, unused: bool = True
) -> Waiving:
    """Which waivers count today. unused: a waiver that excuses nothing is a finding."""
    from advisor.review.waivers.apply import Waiving

    return Waiving(date.today(), inline_waivers, None if waivers is None else Path(waivers), waiver_days, unused)


def check(
    recipes: Checkable | Iterable[Checkable],
    *,
    policy: str | PathLike[str] = "core",
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    fail_on: str = "error",
    baseline: str | PathLike[str] | None = None,
    waivers: str | PathLike[str] | None = None,
    inline_waivers: bool = True,
    waiver_days: int = 180,
    cache: bool = True,
) -> Findings:
    """Review recipes by the rules.

    Args:
        recipes: a file, a folder, a pattern (`recipes/**/*.yaml`), a recipe, advice, or several of these.
        policy: a shipped rule pack, or the folder of one.
        select: check by these rules only; ids or origins (`R02`).
        ignore: leave these rules out.
        fail_on: the findings that make `ok` False: `error`, `warning` (or worse) or `note` (or worse).
        baseline: a file of known findings, which do not count.
        waivers: this file instead of every `waivers.yaml` beside and above the recipes.
        inline_waivers: whether waivers in the recipes themselves count.
        waiver_days: a waiver may end at most so many days from today.
        cache: reuse the findings of recipes that did not change since an earlier check, nor anything they depend on.

    Returns:
        The findings. A recipe that cannot be read or is invalid is a finding too.

    Raises:
        AdviseError: an argument makes no sense, or a baseline or a file of waivers cannot be read.
        NothingChecked: a name stands for no file, or there was no recipe.
        PolicyError: the rule pack is invalid.

    Example:
        >>> import advisor
        >>> findings = advisor.check(advisor.advise(model="bert", samples=3000, device="cpu"))
        >>> findings.ok
        True
    """
    from advisor.review.recipe_files import sources

    judge = checker(
        policy=policy,
        select=select,
        ignore=ignore,
        fail_on=fail_on,
        baseline=baseline,
        waivers=waivers,
        inline_waivers=inline_waivers,
        waiver_days=waiver_days,
        cache=cache,
    )
    wanted = [recipes] if isinstance(recipes, str | PathLike | Recipe | Advice) else list(recipes)
    found, faults = sources([fspath(one) for one in wanted if isinstance(one, str | PathLike)])
    if faults:
        raise NothingChecked(*faults)
    findings = judge([*found, *_sources(one for one in wanted if isinstance(one, Recipe | Advice))])
    if not findings.files:
        raise NothingChecked("no recipe among these files", hint="a recipe has steps, model and device at its top")
    return findings


def _sources(values: Iterable[Recipe | Advice]) -> Iterator[Source]:
    """Recipes that are no files, as text under their own names."""
    seen: Counter[str] = Counter()
    for value in values:
        recipe = value.chosen.recipe if isinstance(value, Advice) else value
        name = "recipe " + recipe.name.replace("/", "-")  # no folder: waivers are looked for in the current one
        seen[name] += 1
        yield Source(name + (f" ({seen[name]})" if seen[name] > 1 else ""), as_yaml(recipe).encode())
