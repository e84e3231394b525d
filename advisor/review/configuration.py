"""Project configuration: how recipes are judged in a repository, in advise.toml or pyproject.toml's [tool.advise].

The nearest file upwards counts, up to the root of the repository. Names of files in it count from its own folder.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from advisor.base.constraints import FORBID_EXTRA, Bound
from advisor.base.errors import AdviseError, Fault, short
from advisor.base.validation import faults, validate
from advisor.base.yamlfile import Document, Mark, Path_, read_bytes

OWN_FILE, SHARED_FILE = "advise.toml", "pyproject.toml"
Texts = tuple[Annotated[str, Bound(min_length=1)], ...]
Days = Annotated[int, Bound(gt=0)]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a project configures; the command line overrides it.

    paths: checked when no recipe is named. exclude: globs of files that folders and patterns leave out. policies: by a
    glob of files, where another policy applies; the first that matches counts. rule_pages: the address that a rule's id
    follows, for links in SARIF. waivers: this file instead of every waivers.yaml beside and above the recipes, which
    count where waivers_beside is true. inline_waivers: do those in recipes count? Where one of the two is not set, they
    count unless the configuration was named by --config. waiver_terms: the longest waiver in days, by rule.
    waiver_fields: what a waiver must name beside its reason and owner.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    paths: Texts = ()
    exclude: Texts = ()
    policy: str = "core"
    policies: Mapping[str, str] = field(default_factory=dict)
    select: Texts = ()
    ignore: Texts = ()
    fail_on: Literal["error", "warning", "note"] = "error"
    baseline: str | None = None
    waivers: str | None = None
    waivers_beside: bool | None = None
    inline_waivers: bool | None = None
    waiver_days: Days = 180
    waiver_terms: Mapping[str, Days] = field(default_factory=dict)
    waiver_fields: tuple[Literal["approver", "ticket"], ...] = ()
    rule_pages: str = ""

    def settled(self, alone: bool) -> Configuration:
        """With what it leaves open decided. alone: it was named by --config, so that only what it says counts."""
        beside, inline = (not alone if one is None else one for one in (self.waivers_beside, self.inline_waivers))
        return dataclasses.replace(self, waivers_beside=beside, inline_waivers=inline)

    def as_toml(self, file: Path | None) -> str:
        """The settings as advise.toml has them. file: where they were found, for the first line."""
        lines = [f"# {file or 'defaults: no advise.toml and no [tool.advise] in pyproject.toml'}"]
        given = {item.name: getattr(self, item.name) for item in fields(self)}
        tables = {name: value for name, value in given.items() if isinstance(value, dict) and value}
        lines += [f"{_kebab(name)} = {_toml(value)}" for name, value in given.items() if _is_shown(value)]
        for name, table in tables.items():
            lines += ["", f"[{_kebab(name)}]", *(f"{_toml(key)} = {_toml(value)}" for key, value in table.items())]
        return "\n".join(lines) + "\n"


def _is_shown(value: Any) -> bool:
    return value is not None and not isinstance(value, dict)


def _kebab(name: str) -> str:
    return name.replace("_", "-")


def _toml(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def find(start: Path) -> Path | None:
    """The nearest configuration from a folder upwards to the root of the repository, or None."""
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / OWN_FILE).is_file():
            return folder / OWN_FILE
        if (folder / SHARED_FILE).is_file() and "advise" in _value(folder / SHARED_FILE)[0].get("tool", {}):
            return folder / SHARED_FILE
        if (folder / ".git").exists():
            return None
    return None


def read(file: Path) -> Configuration:
    """Read a configuration; its files are named from the current folder afterwards.

    Raises:
        AdviseError: it cannot be read, is not TOML, or has unknown or wrong settings; all of them.
    """
    value, text = _value(file)
    if file.name == SHARED_FILE:
        value = value.get("tool", {}).get("advise")
    if not isinstance(value, dict):
        raise AdviseError(Fault("[tool.advise] is missing", str(file), hint="add it, or give an advise.toml"))
    made, mistakes = validate(Configuration, {key.replace("-", "_"): part for key, part in value.items()})
    document = Document(value, str(file), text, _marks(value, text), {})
    if made is None:
        placed = faults([one._replace(key=False) for one in mistakes], document)
        raise AdviseError(*(_named(fault, value) for fault in placed))
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", made.rule_pages)
    if scheme and scheme[1].lower() not in ("http", "https"):
        message = f"rule-pages: expected an address with http or https, or a folder, got {short(made.rule_pages)!r}"
        raise AdviseError(document.fault(message, ("rule_pages",)))
    return _from_here(made, file.parent)


def _value(file: Path) -> tuple[dict[str, Any], str]:
    try:
        text = read_bytes(file).decode()
        return tomllib.loads(text), text
    except UnicodeDecodeError:
        raise AdviseError(Fault("not UTF-8 text", str(file), hint="save it as UTF-8")) from None
    except (ValueError, RecursionError) as error:  # a number of too many digits is no TOMLDecodeError
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        end = (text.count("\n") + 1, 1) if "at end of document" in str(error) else (0, 0)
        place = (int(found[1]), int(found[2])) if found else end
        raise AdviseError(Fault(f"not TOML: {str(error).split(' (at')[0]}", str(file), *place)) from None


def _marks(value: Mapping[str, Any], text: str) -> dict[Path_, Mark]:
    """The line of each setting, found by a search for its name."""
    found: dict[Path_, Mark] = {}
    for name in value:
        match = re.search(rf"^[ \t]*(?:\[(?:tool\.advise\.)?)?(?P<name>{re.escape(name)})[ \t]*[=\]]", text, re.M)
        if match:
            line, start = text[: match.start("name")].count("\n") + 1, text.rfind("\n", 0, match.start("name"))
            column = match.start("name") - start
            found[(name.replace("-", "_"),)] = Mark(line, column, line, column + len(name))
    return found


def _named(fault: Fault, written: Iterable[str]) -> Fault:
    """A fault with the settings' names as TOML has them. written: the names in the file."""
    names = {_kebab(item.name) for item in fields(Configuration)} | set(written)
    own = {name.replace("-", "_"): name for name in names if "-" in name}
    swap = re.compile(rf"\b(?:{'|'.join(map(re.escape, own))})\b")
    message, hint = (swap.sub(lambda one: own[one[0]], text) for text in (fault.message, fault.hint))
    return dataclasses.replace(fault, message=message, hint=hint)


def _from_here(found: Configuration, home: Path) -> Configuration:
    """The same with its files named from the current folder."""

    def here(name: str) -> str:
        return os.path.relpath(home / name)

    def policy(name: str) -> str:
        return here(name) if (home / name).is_dir() else name

    return dataclasses.replace(
        found,
        paths=tuple(map(here, found.paths)),
        policy=policy(found.policy),
        policies={glob: policy(name) for glob, name in found.policies.items()},
        baseline=found.baseline and here(found.baseline),
        waivers=found.waivers and here(found.waivers),
    )
