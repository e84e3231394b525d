"""What is wrong with an open file: for a recipe what `advise check` finds, for others what their readers refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from advisor.api.project import Project
from advisor.base.errors import AdviseError, Fault, PolicyError
from advisor.base.validation import build
from advisor.base.yamlfile import parse
from advisor.editor.kinds import Kind, kind_of, pack_of
from advisor.policy import packfile, rulefile
from advisor.policy.examples import failing
from advisor.policy.pack import find
from advisor.policy.rule import from_value
from advisor.review.batch import of_fault
from advisor.review.findings import Finding, Place
from advisor.review.recipe_files import Source
from advisor.review.waivers.reader import of_file
from advisor.review.waivers.waivers import settle

EXAMPLE = "rule-example"  # a rule's own example that comes out otherwise


def findings(path: Path, text: str, config: Path | None = None) -> tuple[Finding, ...]:
    """All findings about an open file, in order; none for a file that is not ours.

    Args:
        text: as it stands in the editor, saved or not.
        config: this configuration alone; None: the nearest to the file.
    """
    kind = kind_of(path, text)
    if kind is None:
        return ()
    try:
        project = Project.at(path.parent, config)
        found = [] if project.leaves_out(str(path)) else list(DIAGNOSES[kind](path, text, project))
    except AdviseError as error:
        found = [_about(fault, str(path), text) for fault in error.faults]
    return tuple(sorted(found, key=lambda one: one.order))


def _about(fault: Fault, name: str, text: str) -> Finding:
    """A fault as a finding in the open file; one of another file stands at its top."""
    if fault.file in ("", name):
        return of_fault(fault, name, text)
    return of_fault(Fault(str(fault), name, 1, 1), name, text)


def _recipe(path: Path, text: str, project: Project) -> Iterable[Finding]:
    checked = project.judge(cache=False)([Source(str(path), text.encode(errors="replace"))])
    return (one for one in checked.findings if one.place.file == str(path))


def _rule(path: Path, text: str, project: Project) -> Iterator[Finding]:
    document = parse(text, str(path))
    rulefile.check(document)
    rule = from_value(document.value, str(path))
    if path.stem != rule.id and pack_of(path):
        raise PolicyError(document.fault(f"the id is {rule.id}, so the file must be named {rule.id}.yaml", ("id",)))
    for words in failing(rule):
        place = Place.of(document, ("examples",), key=True)
        yield Finding(EXAMPLE, "error", words, "Examples are the tests of a rule.", place, ("examples",))
    yield from _whole_pack(pack_of(path), path, text)


def _pack(path: Path, text: str, project: Project) -> Iterator[Finding]:
    document = parse(text, str(path))
    _, faults = build(packfile.Manifest, document.value, document)
    if faults:
        raise PolicyError(*faults)
    yield from _whole_pack(path.parent, path, text)


def _whole_pack(folder: Path | None, path: Path, text: str) -> Iterator[Finding]:
    """What is wrong with a file as a part of its pack; known only for a file that is saved."""
    if folder is None or not _is_saved(path, text):
        return
    try:
        packfile.read(folder)
    except PolicyError as error:
        here = [fault for fault in error.faults if fault.file and Path(fault.file).absolute() == path.absolute()]
        yield from (of_fault(fault, str(path), text) for fault in here)


def _is_saved(path: Path, text: str) -> bool:
    try:
        return path.is_file() and path.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False


def _waivers(path: Path, text: str, project: Project) -> Iterable[Finding]:
    written = of_file(parse(text, str(path)))
    policies = [find(pack) for pack in project.packs]
    known = {name for one in policies for name in (*(rule.id for rule in one.rules), *one.disabled)}
    how = project.waiving()
    # Whether a waiver is used shows only when its recipes are checked.
    settled = settle([], written.waivers, known, how.today, how.terms(*policies), lambda waiver: False)
    return [*written.findings, *settled]


DIAGNOSES: Mapping[Kind, Callable[[Path, str, Project], Iterable[Finding]]] = {
    "recipe": _recipe,
    "rule": _rule,
    "pack": _pack,
    "waivers": _waivers,
}
