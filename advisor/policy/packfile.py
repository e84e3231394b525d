"""Read and validate the files of a pack and of those that it extends: every fault at once, with its place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

from advisor.base.constraints import FORBID_EXTRA, Bound
from advisor.base.errors import AdviseError, Fault, PolicyError, suggest
from advisor.base.interval import Interval
from advisor.base.validation import build
from advisor.base.yamlfile import MAX_BYTES, Document, parse
from advisor.policy import meta, rulefile
from advisor.policy.conditions import parse as parse_condition
from advisor.policy.meta import MetaKey
from advisor.policy.rule import Days, Severity, Text
from advisor.policy.shipped import MANIFEST, files_of, shipped
from advisor.policy.view import META

MOST_PACKS = 16
FORMAT = 1  # of packs; a newer one may mean something else by the same words


@dataclass(frozen=True, slots=True)
class Override:
    """Another severity, other limits, or another longest term of waivers, for a rule of an extended pack."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    reason: Text
    severity: Severity | None = None
    limit: Mapping[str, str] | None = None
    waiver_days: Days | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A pack's own description. `disable` and `override` are about rules of the packs that it extends.

    meta: the keys of `meta` that recipes have to or may state, with their types. waiver_days: the longest that a waiver
    may last, in days, for the pack's rules and those of the packs that it extends.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    name: Text
    version: Text
    description: Text
    sources: Mapping[str, str] = field(default_factory=dict)
    extends: Annotated[tuple[Text, ...], Bound(max_length=MOST_PACKS)] = ()
    disable: Mapping[str, Text] = field(default_factory=dict)
    override: Mapping[str, Override] = field(default_factory=dict)
    format: Annotated[int, Bound(ge=1)] = FORMAT
    meta: Mapping[str, MetaKey] = field(default_factory=dict)
    waiver_days: Days | None = None


class Raw(NamedTuple):
    """One pack's files, validated one by one. `rules`: value by file; `bases`: the folders of all that it extends.

    documents: what the rules were read from, for the places of faults.
    """

    folder: Path
    manifest: Manifest
    document: Document
    rules: Mapping[str, dict[str, Any]]
    bytes_: bytes
    documents: Mapping[str, Document]
    bases: frozenset[Path] = frozenset()


def read(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """A pack as plain values, with all that it extends merged into it, and the folders that it was read from.

    Raises:
        PolicyError: all that is wrong with any file of the chain.
    """
    chain = _chain(folder, ())
    own = chain[-1]
    if faults := list(_undeclared(chain)):
        raise PolicyError(*faults)
    rules, disabled = _merged(chain)
    digest = hashlib.sha256(b"".join(raw.bytes_ for raw in sorted(chain, key=lambda raw: raw.manifest.name)))
    sources = {name: text for raw in chain for name, text in raw.manifest.sources.items()}
    sources |= {raw.manifest.name: raw.manifest.description for raw in chain if raw.manifest.meta}
    pack = {"name": own.manifest.name, "version": own.manifest.version, "sha256": digest.hexdigest()}
    pack |= {"sources": sources, "rules": rules, "disabled": disabled}  # type: ignore[dict-item]
    return pack, [str(raw.folder) for raw in chain]


def _chain(folder: Path, above: tuple[Path, ...]) -> list[Raw]:
    """The packs that a pack extends, each once and before it, and the pack itself."""
    raw = _raw(folder)
    found: dict[Path, Raw] = {}
    for place, name in enumerate(raw.manifest.extends):
        inside = shipped("rules") / name
        base = inside if Path(name).name == name and inside.is_dir() else folder / name
        at = ("extends", place)
        if base.resolve() in [one.resolve() for one in (*above, folder)]:
            raise PolicyError(raw.document.fault(f"{name} extends itself in the end", at, "break the circle"))
        if len(above) + 2 > MOST_PACKS:
            raise PolicyError(raw.document.fault(f"more than {MOST_PACKS} packs on top of each other", at))
        if not (base / MANIFEST).is_file():
            known = [file.parent.name for file in shipped("rules").glob(f"*/{MANIFEST}")]
            raise PolicyError(raw.document.fault(f"there is no pack {name}", at, suggest(name, known)))
        found |= {one.folder.resolve(): one for one in _chain(base, (*above, folder))}
    return [*found.values(), raw._replace(bases=frozenset(found))]


def _raw(folder: Path) -> Raw:
    values: dict[str, dict[str, Any]] = {}
    documents: dict[str, Document] = {}
    faults: list[Fault] = []
    manifest, document = None, None
    whole = b""
    for file in files_of(folder):
        try:
            data = _bytes(file, folder)
            whole += os.fsencode(file.relative_to(folder)) + b"\0" + data + b"\0"
            document_here = parse(data, str(file))
            if file == folder / MANIFEST:
                document = document_here
                _refuse_newer(document)
                manifest, wrong = build(Manifest, document.value, document)
                faults += wrong
            else:
                rulefile.check(document_here)
                values[str(file)], documents[str(file)] = document_here.value, document_here
        except AdviseError as error:
            faults += error.faults
    faults += _name_faults(values)
    if not values and not faults and not (manifest and (manifest.extends or manifest.meta)):
        faults.append(Fault("the pack holds no rule", str(folder)))
    if faults or manifest is None or document is None:
        raise PolicyError(*faults)
    for value in meta.rules(manifest.meta, manifest.name):
        values[f"{folder / value['id']}.yaml"] = value
    return Raw(folder, manifest, document, values, whole, documents)


def _undeclared(chain: list[Raw]) -> Iterator[Fault]:
    """Keys of meta that a rule tests and no pack declares."""
    declared = [f"{META}{key}" for raw in chain for key in raw.manifest.meta]
    for raw in chain:
        for document in raw.documents.values():
            for name in parse_condition(document.value["when"])[0].names():
                if name.startswith(META) and name not in declared:
                    hint = suggest(name, declared) if declared else "declare it in pack.yaml: meta: {KEY: {about: …}}"
                    yield document.fault(f"no pack declares {name}", ("when",), hint)


def _refuse_newer(manifest: Document) -> None:
    given = manifest.value.get("format") if isinstance(manifest.value, dict) else None
    if isinstance(given, int) and given > FORMAT:
        message = f"format {given} of packs: this advise reads format {FORMAT}"
        raise AdviseError(manifest.fault(message, ("format",), "upgrade advise"))


def _bytes(file: Path, folder: Path) -> bytes:
    if not file.resolve().is_relative_to(folder.resolve()):  # its text would be quoted in messages
        raise AdviseError(Fault("a link that leads out of the pack", str(file), hint="put the file itself there"))
    if not file.is_file():
        raise AdviseError(Fault("not a plain file", str(file), hint="remove it from the pack"))
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise AdviseError(Fault(f"cannot be read: {error.strerror}", str(file))) from None


def _name_faults(rules: Mapping[str, dict[str, Any]]) -> list[Fault]:
    """A rule's file is named by its id; no id stands twice."""
    faults = []
    places: dict[str, str] = {}
    for file, value in rules.items():
        first = places.setdefault(value["id"], file)
        if first != file:
            faults.append(Fault(f"the id {value['id']} is taken by {first}", file, 1, 1, "give every rule its own id"))
        elif Path(file).stem != value["id"]:
            faults.append(Fault(f"the id is {value['id']}, so the file must be named {value['id']}.yaml", file, 1, 1))
    return faults


def _merged(chain: list[Raw]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """All rules by file, without those that a pack disables, changed as packs override them. No order matters."""
    rules = {file: value for raw in chain for file, value in raw.rules.items()}
    faults = _name_faults(rules) if len(chain) > 1 else []
    files = {value["id"]: file for file, value in rules.items()}
    disabled: dict[str, str] = {}
    overridden: dict[str, Raw] = {}
    for raw in sorted(chain, key=lambda one: len(one.bases)):  # who builds on a pack comes after it
        below = {value["id"] for one in chain if one.folder.resolve() in raw.bases for value in one.rules.values()}
        for name, reason in sorted(raw.manifest.disable.items()):
            faults += _unknown(name, below, raw.document, ("disable", name))
            disabled[name] = reason
        for name, override in raw.manifest.override.items():
            at = ("override", name)
            wrong = _unknown(name, below, raw.document, at) or _limit_faults(override, rules[files[name]], raw, at)
            first = overridden.setdefault(name, raw)
            if first is not raw and first.folder.resolve() not in raw.bases:
                wrong.append(raw.document.fault(f"{name} is overridden by {first.manifest.name} too", at, key=True))
            faults += wrong
            if not wrong:
                rules[files[name]] = _overridden(rules[files[name]], override)
    for name in sorted(disabled.keys() & overridden):
        at = ("override", name)
        faults.append(overridden[name].document.fault(f"{name} is disabled and overridden", at, "keep one", key=True))
    if faults:
        raise PolicyError(*dict.fromkeys(faults))
    kept = {file: value for file, value in rules.items() if value["id"] not in disabled}
    return _with_terms(kept, chain), disabled


def _with_terms(rules: Mapping[str, dict[str, Any]], chain: list[Raw]) -> dict[str, dict[str, Any]]:
    """The rules with the longest term of their waivers: the shortest that the rule, its pack or one above it names."""
    terms = {file: value.get("waiver_days") for file, value in rules.items()}
    for raw in chain:
        below = [one for one in chain if one is raw or one.folder.resolve() in raw.bases]
        for file in (file for one in below for file in one.rules if file in rules):
            terms[file] = min((days for days in (terms[file], raw.manifest.waiver_days) if days), default=None)
    return {file: {**value, "waiver_days": terms[file]} for file, value in rules.items()}


def _unknown(name: str, known: Collection[str], document: Document, at: tuple[str, ...]) -> list[Fault]:
    if name in known:
        return []
    return [document.fault(f"no rule {name} in the packs that this one extends", at, suggest(name, known), key=True)]


def _limit_faults(override: Override, rule: Mapping[str, Any], raw: Raw, at: tuple[str, ...]) -> list[Fault]:
    """Only limits that the rule has can be changed, to intervals."""
    faults = []
    has = (rule.get("then") or {}).get("limit") or {}
    for name, text in (override.limit or {}).items():
        if name not in has:
            hint = suggest(name, has) if has else "it has no limit"
            faults.append(raw.document.fault(f"{at[1]} does not limit {name}", (*at, "limit", name), hint, key=True))
        try:
            Interval.parse(text)
        except ValueError as error:
            faults.append(raw.document.fault(f"{name}: {error}", (*at, "limit", name)))
    return faults


def _overridden(rule: dict[str, Any], override: Override) -> dict[str, Any]:
    changed = {**rule, "because": f"{rule['because'].rstrip()} Overridden: {override.reason}"}
    if override.severity:
        changed["severity"] = override.severity
    if override.waiver_days:
        changed["waiver_days"] = override.waiver_days
    if override.limit:
        changed["then"] = {**rule["then"], "limit": {**rule["then"]["limit"], **override.limit}}
    return changed
