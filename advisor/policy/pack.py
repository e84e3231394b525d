"""Pack: a folder of rules with a name and a version, read, validated and hashed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

import advisor
from advisor.bounds import Bound
from advisor.errors import AdviseError, Fault, PolicyError
from advisor.policy import memo
from advisor.policy.rule import Rule, from_value
from advisor.recipe import PolicyStamp
from advisor.step import FORBID_EXTRA

MANIFEST = "pack.yaml"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A pack's own description."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    name: Annotated[str, Bound(min_length=1)]
    version: Annotated[str, Bound(min_length=1)]
    description: Annotated[str, Bound(min_length=1)]
    sources: Mapping[str, str]


class Policy(NamedTuple):
    """The rules of a pack, by id in alphabetical order, and the stamp that names it."""

    stamp: PolicyStamp
    rules: tuple[Rule, ...]
    sources: Mapping[str, str]

    def rule(self, name: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.id == name), None)


def shipped(what: str) -> Path:
    """The folder of shipped `rules` or `recipes`: inside the installed package, else in the checkout."""
    package = Path(advisor.__file__).parent
    return package / what if (package / what).is_dir() else package.parent / what


def core() -> Policy:
    """The policy that advice follows unless told otherwise."""
    return load(shipped("rules") / "core")


def load(folder: Path) -> Policy:
    """Read a pack.

    Raises:
        PolicyError: it is no pack, or any of its files is invalid; all faults at once.
    """
    names = _names(folder)
    seen = memo.trace(folder, names)
    pack = memo.recall(folder, seen)
    if pack is None:
        pack = _read(folder, names)
        memo.store(folder, seen, pack)
    manifest, rules = pack["manifest"], pack["rules"]
    made = [from_value(value, str(folder / name)) for name, value in rules.items()]
    stamp = PolicyStamp(manifest["name"], manifest["version"], pack["sha256"])
    return Policy(stamp, tuple(sorted(made, key=lambda rule: rule.id)), manifest["sources"])


def _names(folder: Path) -> list[str]:
    if not (folder / MANIFEST).is_file():
        hint = "give the folder that holds pack.yaml"
        raise PolicyError(Fault(f"no rule pack here: {MANIFEST} is missing", str(folder), hint=hint))
    return sorted(
        os.path.relpath(os.path.join(place, name), folder)  # noqa: PTH118 - os is faster at start-up
        for place, _, found in os.walk(folder)
        for name in found
        if name.endswith((".yaml", ".yml"))
    )


def _read(folder: Path, names: list[str]) -> dict[str, Any]:
    """Read and validate all files. The hash is of their names and bytes."""
    import hashlib

    try:
        files = {name: (folder / name).read_bytes() for name in names}
    except OSError as error:
        raise PolicyError(Fault(f"cannot be read: {error.strerror}", str(error.filename))) from None
    digest = hashlib.sha256(b"".join(name.encode() + b"\0" + data + b"\0" for name, data in files.items()))
    rules = _validated(folder, files)
    return {"sha256": digest.hexdigest(), "manifest": rules.pop(MANIFEST), "rules": rules}


def _validated(folder: Path, files: Mapping[str, bytes]) -> dict[str, Any]:
    from advisor.policy.rulefile import check
    from advisor.yamlfile import build, parse

    values: dict[str, Any] = {}
    places: dict[str, str] = {}
    faults: list[Fault] = []
    for name, data in files.items():
        try:
            document = parse(data, str(folder / name))
            if name == MANIFEST:
                faults += build(Manifest, document.value, document)[1]
            else:
                check(document)
                faults += _place_faults(document.value["id"], name, places, str(folder / name))
            values[name] = document.value
        except AdviseError as error:
            faults += error.faults
    if len(files) < 2:
        faults.append(Fault("the pack holds no rule", str(folder)))
    if faults:
        raise PolicyError(*faults)
    return values


def _place_faults(rule: str, name: str, places: dict[str, str], file: str) -> list[Fault]:
    first = places.setdefault(rule, name)
    if first != name:
        return [Fault(f"the id {rule} is taken by {first}", file, 1, 1, "give every rule an id of its own")]
    if Path(name).stem != rule:
        return [Fault(f"the id is {rule}, so the file must be named {rule}.yaml", file, 1, 1)]
    return []
