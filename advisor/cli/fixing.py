"""`advise check --fix` and `--diff`: fix recipes, or show how. Files are written whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from advisor.base.errors import AdviseError

if TYPE_CHECKING:
    from advisor.api.review import Findings
    from advisor.review.findings import Finding, Fix
    from advisor.review.fixes.apply import Mended
    from advisor.review.outcome import Checked
    from advisor.review.recipe_files import Source

BOM = "\ufeff"
Judge = Callable[["Sequence[Source]"], "Findings"]


class Repair(NamedTuple):
    """A recipe with its text before and after its fixes."""

    source: Source
    before: str
    mended: Mended

    @property
    def after(self) -> str:
        return self.mended.text


def repairs(checked: Checked, sources: Sequence[Source], judge: Judge, unsafe: bool) -> list[Repair]:
    """Fix every recipe that has something to fix; nothing is written yet."""
    from advisor.review.fixes.apply import fixable, mend

    to_fix = {one.place.file for one in checked.findings if fixable([one], unsafe)}
    made = []
    for source in sources:
        before = checked.texts.get(source.name)
        if source.name in to_fix and before is not None:
            made.append(Repair(source, before, mend(before, partial(_found, judge, source), unsafe)))
    return [one for one in made if one.after != one.before]


def _found(judge: Judge, source: Source, text: str) -> list[Finding]:
    checked = judge([source._replace(text=text.encode())])
    return [one for one in checked.findings if one.place.file == source.name]


def shown(made: Sequence[Repair]) -> str:
    """What the fixes would change, as one unified diff."""
    from advisor.review.fixes.apply import diff

    return "".join(diff(one.before, one.after, one.source.name) for one in made)


def written(made: Sequence[Repair], sources: Sequence[Source]) -> list[Source]:
    """Write the fixed recipes to their files; returns the sources to judge now. What came by stdin is printed."""
    after = {one.source.name: one.after for one in made}
    for one in made:
        if one.source.text is None:
            _write(Path(one.source.name), one.after)
    for source in sources:
        if source.text is not None:
            out = getattr(sys.stdout, "unchanged", sys.stdout)
            out.write(after.get(source.name) or source.text.decode("utf-8-sig", "replace"))
    return [_now(source, after) for source in sources]


def _now(source: Source, after: dict[str, str]) -> Source:
    text = after.get(source.name)
    return source if source.text is None or text is None else source._replace(text=text.encode())


def _write(path: Path, text: str) -> None:
    """Write a file in place of the old one, with its mark of byte order, through links."""
    from advisor.base.files import write

    path = path.resolve()
    try:
        marked = path.read_bytes().startswith(BOM.encode())
    except OSError as error:
        raise AdviseError(f"{path} cannot be read: {error.strerror}") from None
    write(path, BOM + text if marked else text)


def report(made: Sequence[Repair], would: bool) -> Iterator[str]:
    """A line for each file: what was fixed in it."""
    for one in made:
        yield f"{one.source.name}: {'would ' if would else ''}{', '.join(map(_said, one.mended.fixes))}\n"


def unread(checked: Checked) -> Iterator[str]:
    """What keeps recipes from being judged, and so from being fixed."""
    from advisor.review.findings import BUILT_IN

    yield from (f"{one.place}: {one.message}\n" for one in checked.findings if one.rule in BUILT_IN)


def _said(fix: Fix) -> str:
    """What a fix does: the new text, or words where the text would say too little."""
    written = {"set": "{0}: {1}", "rename": "{0} -> {1}", "quote": "quotes in line {0}"}
    short = [written[edit.action].format(edit.path[-1], edit.value) for edit in fix.edits if edit.action in written]
    words = ", ".join(short) if len(short) == len(fix.edits) else fix.words
    return words + ("" if fix.safe else " (changes what the recipe does)")
