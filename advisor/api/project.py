"""A project: its configuration under the options of one call, and what judges its recipes.

`check`, `diff`, `explain`, `run`, `search`, `gate` and the language server take policy and rules from here, so that a
recipe is judged alike by all of them; all but `explain` and `search`, which excuse nothing, take waivers too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from advisor.api.review import Checker, Findings, checker
from advisor.base.errors import AdviseError
from advisor.policy.pack import Policy
from advisor.review.configuration import Configuration, find, read
from advisor.review.outcome import combined
from advisor.review.recipe_files import Source
from advisor.review.waivers.apply import Waiving
from advisor.review.waivers.scope import matches


class Project(NamedTuple):
    """The configuration in effect. file: where it comes from; None where there is none."""

    settings: Configuration
    file: Path | None

    @classmethod
    def at(cls, folder: Path, config: Path | None = None, given: Mapping[str, Any] | None = None) -> Project:
        """The nearest configuration from a folder upwards, or `config`, under what the command line says instead.

        Only what `config` itself says loosens a check then: waivers in recipes and beside them count if it says so.

        Raises:
            AdviseError: the file cannot be read or has wrong settings.
        """
        file = config or find(folder)
        found = read(file) if file else Configuration()
        own = given or {}
        if "policy" in own:
            found = replace(found, policies={})  # the command line's policy is for all files
        return cls(replace(found, **own).settled(alone=config is not None), file)

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
        return matches(glob, name, str(self.file or ""))

    def policy_of(self, name: str) -> str:
        """The pack for a file: that of the first pattern that matches it, or else the project's."""
        table = self.settings.policies
        return next((pack for glob, pack in table.items() if self._matches(glob, name)), self.settings.policy)

    @property
    def packs(self) -> tuple[str, ...]:
        """All packs that files are judged by, the project's own first."""
        return tuple(dict.fromkeys((self.settings.policy, *self.settings.policies.values())))

    def rules(self, name: str) -> Policy:
        """The rules that a file is judged by: those of its pack that are selected.

        Raises:
            PolicyError: there is no such pack or rule, or the pack is invalid.
        """
        from advisor.policy.pack import find as pack
        from advisor.review.selection import selected

        policy = pack(self.policy_of(name))
        only = selected(policy, self.settings.select, self.settings.ignore)
        return policy._replace(rules=tuple(rule for rule in policy.rules if only is None or rule.id in only))

    def waiving(self, unused: bool = False) -> Waiving:
        """Which waivers count today. unused: a waiver that excuses nothing is a finding."""
        its = self.settings
        return Waiving(
            date.today(),
            bool(its.inline_waivers),
            Path(its.waivers) if its.waivers else None,
            its.waiver_days,
            unused,
            its.waiver_terms,
            its.waiver_fields,
            bool(its.waivers_beside),
        )

    def judge(self, cache: bool) -> Callable[[Sequence[Source]], Findings]:
        """What judges recipes, each by the policy of its path."""
        checkers = {pack: self._checker(pack, cache) for pack in self.packs}

        def judged(sources: Sequence[Source]) -> Findings:
            groups: dict[str, list[Source]] = {}
            for source in sources:
                groups.setdefault(self.policy_of(source.name), []).append(source)
            parts = [checkers[pack](group) for pack, group in groups.items()]
            order = [source.name for source in sources]
            whole = combined(parts or [checkers[self.settings.policy]([])], order)
            return Findings.of(replace(whole, rule_pages=self.settings.rule_pages))

        return judged

    def _checker(self, pack: str, cache: bool) -> Checker:
        its = self.settings
        made = checker(
            policy=pack,
            select=its.select,
            ignore=its.ignore,
            fail_on=its.fail_on,
            baseline=its.baseline,
            waiver_days=its.waiver_days,
            cache=cache,
        )
        return replace(made, waiving=self.waiving(unused=True))
