"""What `advise check` takes from the project's configuration, and from the command line before it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from advisor.base.errors import AdviseError

if TYPE_CHECKING:
    from advisor.api.review import Checker, Findings
    from advisor.review.configuration import Configuration
    from advisor.review.outcome import Checked
    from advisor.review.recipe_files import Source

LISTED = ("policy", "fail_on", "baseline", "waivers", "waiver_days")  # options that replace a setting when given


def options(parser: ArgumentParser) -> None:
    """Options about the configuration and about how much is shown."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="this configuration alone, so that a change cannot loosen its check"
    )
    parser.add_argument("--show-config", action="store_true", help="print the configuration in effect, and stop")
    parser.add_argument("--exit-zero", action="store_true", help="exit with 0 even where findings count")
    parser.add_argument("--statistics", action="store_true", help="print how often each rule fires, not the findings")
    parser.add_argument("--quiet", action="store_true", help="print the findings alone, without summary and remarks")
    parser.set_defaults(**dict.fromkeys(LISTED))


class Project(NamedTuple):
    """The configuration in effect. file: where it comes from; None where there is none."""

    settings: Configuration
    file: Path | None

    @classmethod
    def of(cls, given: Namespace) -> Project:
        """The nearest configuration, or the one that --config names, under the options of the command line.

        Raises:
            AdviseError: the file cannot be read or has wrong settings.
        """
        from advisor.review.configuration import Configuration, find, read

        file = given.config or find(Path())
        found = read(file) if file else Configuration()
        if given.policy:
            found = replace(found, policies={})  # the command line's policy is for all files
        inline = found.inline_waivers and not given.no_inline
        settings = replace(found, **_chosen(given), inline_waivers=inline)
        return cls(settings, file)

    def names(self, given: Sequence[str]) -> list[str]:
        """The files to check: those of the command line, or else the configured ones.

        Raises:
            AdviseError: there are none.
        """
        names = list(given or self.settings.paths)
        if not names:
            hint = 'name files or folders, or set `paths = ["recipes"]` in advise.toml'
            raise AdviseError("no recipe is named, and no paths are configured", hint=hint)
        return names

    def leaves_out(self, name: str) -> bool:
        """Is a file in a folder excluded?"""
        return any(self._matches(glob, name) for glob in self.settings.exclude)

    def _matches(self, glob: str, name: str) -> bool:
        from advisor.review.waivers.scope import matches

        return matches(glob, name, str(self.file or ""))

    def judge(self, cache: bool) -> Callable[[Sequence[Source]], Findings]:
        """What judges recipes, each by the policy of its path."""
        usual = self._checker(self.settings.policy, cache)
        others = [(glob, self._checker(name, cache)) for glob, name in self.settings.policies.items()]

        def judged(sources: Sequence[Source]) -> Findings:
            from advisor.api.review import Findings
            from advisor.review.outcome import combined

            groups: dict[int, list[Source]] = {}
            for source in sources:
                mine = (at for at, (glob, _) in enumerate(others) if self._matches(glob, source.name))
                groups.setdefault(next(mine, -1), []).append(source)
            parts = [(others[at][1] if at >= 0 else usual)(group) for at, group in groups.items()] or [usual([])]
            order = [source.name for source in sources]
            return Findings.of(replace(combined(parts, order), rule_pages=self.settings.rule_pages))

        return judged

    def _checker(self, policy: str, cache: bool) -> Checker:
        from advisor.api.review import checker

        its = self.settings
        made = checker(
            policy=policy,
            select=its.select,
            ignore=its.ignore,
            fail_on=its.fail_on,
            baseline=its.baseline,
            waivers=its.waivers,
            inline_waivers=its.inline_waivers,
            waiver_days=its.waiver_days,
            cache=cache,
        )
        terms = made.waiving._replace(days_of=its.waiver_terms, required=its.waiver_fields)
        return replace(made, waiving=terms)


def _chosen(given: Namespace) -> dict[str, Any]:
    """The settings that the command line gives."""
    single = {name: getattr(given, name) for name in LISTED if getattr(given, name) is not None}
    lists = {name: tuple(getattr(given, name)) for name in ("select", "ignore") if getattr(given, name)}
    return {name: str(one) if isinstance(one, Path) else one for name, one in {**single, **lists}.items()}


def statistics(checked: Checked) -> str:
    """How often each rule fires among the findings that count, the most frequent first."""
    counts = Counter((one.rule, one.severity) for one in checked.findings if one.counts)
    width = len(str(max(counts.values(), default=0)))
    rows = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return "".join(f"{count:>{width}}  {severity:<7}  {rule}\n" for (rule, severity), count in rows)
