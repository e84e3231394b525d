"""Pack: a folder of rules with a name and a version, by itself or on top of others, ready to judge by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from advisor.base.errors import AdviseError, PolicyError, suggest
from advisor.policy import cache
from advisor.policy.rule import Rule, from_value
from advisor.policy.shipped import MANIFEST, files_of, shipped
from advisor.recipe.recipe import PolicyStamp


class Policy(NamedTuple):
    """The rules of a pack, by id in alphabetical order, and the stamp that names it. disabled: reason by rule."""

    stamp: PolicyStamp
    rules: tuple[Rule, ...]
    sources: Mapping[str, str]
    disabled: Mapping[str, str] = MappingProxyType({})

    def rule(self, name: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.id == name), None)

    def rules_of(self, name: str) -> tuple[Rule, ...]:
        """The rule with this id, or those with this origin (R01 …).

        Raises:
            AdviseError: there is none; names the nearest, or says why it is disabled.
        """
        found = tuple(rule for rule in self.rules if name in (rule.id, rule.origin))
        if found:
            return found
        if name in self.disabled:
            raise AdviseError(f"the rule {name} is disabled by {self.stamp.name}: {self.disabled[name]}")
        known = {word for rule in self.rules for word in (rule.id, rule.origin)}
        raise AdviseError(f"no rule {name!r} in {self.stamp.name}", hint=suggest(name, known))


def core() -> Policy:
    """The policy that advice follows unless told otherwise."""
    return load(shipped("rules") / "core")


def find(name: str) -> Policy:
    """A policy by the name of a shipped pack, or by its folder.

    Raises:
        PolicyError: there is none, or it is invalid.
    """
    inside = shipped("rules") / name
    if Path(name).name == name and (inside / MANIFEST).is_file():
        return load(inside)
    if Path(name).is_dir():
        return load(Path(name))
    packs = sorted(file.parent.name for file in shipped("rules").glob(f"*/{MANIFEST}"))
    raise PolicyError(f"no rule pack {name!r}", hint=f"{suggest(name, packs)} or give a folder with {MANIFEST}")


def load(folder: Path) -> Policy:
    """Read a pack and those that it extends.

    Raises:
        PolicyError: it is no pack, or any of its files is invalid; all faults at once.
    """
    pack = cache.recall(folder, files_of)
    if pack is None:
        from advisor.policy.packfile import read

        pack, folders = read(folder)
        seen = cache.trace(file for one in folders for file in files_of(Path(one)))
        cache.store(folder, folders, seen, pack)
    made = [from_value(value, file) for file, value in pack["rules"].items()]
    stamp = PolicyStamp(pack["name"], pack["version"], pack["sha256"])
    return Policy(stamp, tuple(sorted(made, key=lambda rule: rule.id)), pack["sources"], pack["disabled"])
