"""Pack: a folder of rules with a name and a version, read, validated, hashed and remembered.

Validation of a pack costs more time than advice itself, so a pack that was found valid is remembered under
the hash of its bytes in the user's cache folder. Deleting that folder is always safe.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

import advisor
from advisor.bounds import Bound
from advisor.errors import AdviseError, Fault, PolicyError
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
    files = _files(folder)
    digest = hashlib.sha256(b"".join(name.encode() + b"\0" + data + b"\0" for name, data in files.items()))
    sha256 = digest.hexdigest()
    values = _remembered(sha256)
    if values is None:
        values = _validated(folder, files)
        _remember(sha256, values)
    manifest = values.pop(MANIFEST)
    rules = [from_value(value, str(folder / name)) for name, value in values.items()]
    stamp = PolicyStamp(manifest["name"], manifest["version"], sha256)
    return Policy(stamp, tuple(sorted(rules, key=lambda rule: rule.id)), manifest["sources"])


def _files(folder: Path) -> dict[str, bytes]:
    if not (folder / MANIFEST).is_file():
        raise PolicyError(
            Fault(
                f"no rule pack here: {MANIFEST} is missing",
                str(folder),
                hint="give the folder that holds pack.yaml",
            )
        )
    names = sorted(
        os.path.relpath(os.path.join(place, name), folder)  # noqa: PTH118 - os is faster at start-up
        for place, _, found in os.walk(folder)
        for name in found
        if name.endswith((".yaml", ".yml"))
    )
    try:
        return {name: (folder / name).read_bytes() for name in names}
    except OSError as error:
        raise PolicyError(Fault(f"cannot be read: {error.strerror}", str(error.filename))) from None


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


def _memo(sha256: str) -> Path:
    """Where a pack's values are remembered: the name changes with the pack and with the code that validates."""
    sources = Path(__file__).parent.parent
    code = [
        (sources / name).stat().st_mtime_ns
        for name in ("policy/rule.py", "policy/rulefile.py", "policy/conditions.py", "yamlfile.py")
    ]
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    key = hashlib.sha256(f"{sha256}{code}".encode()).hexdigest()
    return Path(root) / "advise" / "packs" / f"{key}.json"


def _remembered(sha256: str) -> dict[str, Any] | None:
    try:
        values = json.loads(_memo(sha256).read_bytes())
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) and MANIFEST in values else None


def _remember(sha256: str, values: dict[str, Any]) -> None:
    memo = _memo(sha256)
    draft = memo.with_suffix(f".{os.getpid()}")
    try:
        memo.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(values))
        draft.replace(memo)
    except OSError:  # a read-only home: every start validates again
        return
