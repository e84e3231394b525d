"""The rows of tasks that write: texts alone, or texts with the text that is to be written of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from advisor.base.errors import AdviseError, Fault, suggest
from advisor.compute.data.by_part import by_part
from advisor.compute.data.column_names import TEXTS
from advisor.compute.data.columns import TRANSLATION, Columns, Named, languages, longest_texts
from advisor.compute.data.files import File, has_text
from advisor.compute.data.labels import Labelled, Rows

SOURCES = ("document", "article", "dialogue", "text", "source", "input")
TARGETS = ("summary", "highlights", "target", "headline", "title", "output")
NAME_IT = "name the column with --text"
NAME_BOTH = "name the column that is read with --text, and the one that is written with --label"
NOTHING = Rows((), None, ())


def read_alone(source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
    """Texts alone. Files without labels are trained on like others; blank texts are left out and counted.

    Raises:
        AdviseError: there is no column of texts, several could be meant, or a row has none.
    """
    if named.pair or named.label:
        message = "a language model reads one column of texts: it has neither pairs nor labels"
        raise AdviseError(Fault(message, files[0].place, hint=NAME_IT))
    column = named.text or _alone(files[0])
    files = [replace(file, part="train") if file.part == "unlabelled" else file for file in files]
    _refuse_no_text(files, (column,))
    empty = [file for file in files if not any(map(has_text, file.columns[column]))]
    if empty:
        message = f"all rows are blank in column {column!r}"
        raise AdviseError(*(Fault(message, file.place, hint="give texts, or leave the file out") for file in empty))
    blank = sum(not has_text(text) for file in files for text in file.columns[column])

    def rows(shards: Sequence[File]) -> Rows:
        texts = tuple(text for file in shards for text in file.columns[column] if has_text(text))
        return Rows(texts, None, ("",) * len(texts))  # they have no label

    note = f"{source}: {blank:,} rows without text are left out"
    return Columns(column, None, ""), labelled(source, files, rows, (note,) if blank else ())


def read_with_targets(source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
    """Texts with their targets, which are the labels.

    A column `translation` of mappings, {en: …, de: …}, counts as a column for each language; the first one is read.

    Raises:
        AdviseError: columns are missing or could be several, or rows have no text in one of them.
    """
    files = [file for file in files if file.part != "unlabelled"] or list(files)
    files = [_unfolded(file) for file in files]
    text, target = _pair(files[0], named)
    require_texts(files, (text, target))

    def rows(shards: Sequence[File]) -> Rows:
        read, written = (tuple(one for file in shards for one in file.columns[name]) for name in (text, target))
        return Rows(read, None, written)

    known = languages(files[0].columns)
    others = f"column {TRANSLATION!r} has texts in {', '.join(known)}: {text} is read, {target} is written"
    notes = (f"{source}: {others}; --text and --label name others",) if {text, target} & {*known} else ()
    return Columns(text, None, target), labelled(source, files, rows, notes)


def require_texts(files: Sequence[File], names: Sequence[str]) -> None:
    """Raise an AdviseError with every column that is missing, and the first row of each without a text."""
    _refuse_no_text(files, names)
    if faults := [fault for file in files for name in names for fault in _blank(file, name)]:
        raise AdviseError(*faults)


def labelled(
    source: str, files: Sequence[File], rows: Callable[[Sequence[File]], Rows], notes: tuple[str, ...] = ()
) -> Labelled:
    """The rows of each part, whose labels are texts or nothing. rows: of files of one part."""
    used = [(file, None) for file in files]
    parts, places = by_part(source, used, lambda shards: rows([file for file, _ in shards]))
    return Labelled(parts, places, (), NOTHING, False, None, notes)


def _alone(file: File) -> str:
    usual = [name for name in file.columns if name.casefold() in TEXTS]
    return _only(file, "text", usual or longest_texts(file.columns), NAME_IT)


def _pair(file: File, named: Named) -> tuple[str, str]:
    if named.pair:
        raise AdviseError(Fault("one text is read and one is written: there is no pair", file.place, hint=NAME_BOTH))
    known = languages(file.columns)
    if len(known) == 2:
        first = named.text or next(name for name in known if name != named.label)
        named = Named(first, None, named.label or next(name for name in known if name != first))
    if named.text and named.text == named.label:
        raise AdviseError(Fault(f"one column is named twice: {named.text}", file.place, hint=NAME_BOTH))
    sources, targets = (
        [name for name in file.columns if name.casefold() in usual and name not in named]
        for usual in (SOURCES, TARGETS)
    )
    return (
        named.text or _only(file, "text that is read", sources, NAME_BOTH),
        named.label or _only(file, "text that is written", targets, NAME_BOTH),
    )


def _only(file: File, role: str, found: Sequence[str], hint: str) -> str:
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} columns could be the {role}: {', '.join(found)}" if found else f"no column is the {role}"
    raise AdviseError(Fault(f"{what} (columns: {', '.join(file.columns)})", file.place, hint=hint))


def _unfolded(file: File) -> File:
    """With a column for each language of a column of translations."""
    known = languages(file.columns)
    if not known:
        return file
    rows = file.columns[TRANSLATION]
    added = {name: [row.get(name) if isinstance(row, dict) else None for row in rows] for name in known}
    return replace(file, columns={**file.columns, **added})


def _refuse_no_text(files: Sequence[File], names: Sequence[str]) -> None:
    """Raise an AdviseError with every column that is missing, and the first row of each that has no text."""
    faults: list[Fault] = []
    for file in files:
        for name in names:
            faults += _no_text(file, name)
    if faults:
        raise AdviseError(*faults)


def _no_text(file: File, name: str) -> Iterator[Fault]:
    if name not in file.columns:
        yield Fault(f"no column {name!r}", file.place, hint=suggest(name, file.columns))
        return
    every = zip(file.numbers, file.columns[name], strict=True)
    odd = [(row, one) for row, one in every if not isinstance(one, str)]
    if odd:
        first = f"the first is row {odd[0][0]:,} with {odd[0][1]!r:.60}"
        message = f"{len(odd):,} of {len(file.columns[name]):,} rows have no text in column {name!r}: {first}"
        yield Fault(message, file.place, hint="fill these rows or leave them out")


def _blank(file: File, name: str) -> Iterator[Fault]:
    """What to say of texts of nothing but blanks."""
    rows = [row for row, one in zip(file.numbers, file.columns[name], strict=True) if not has_text(one)]
    if rows:
        message = f"{len(rows):,} of {len(file.columns[name]):,} rows are blank in column {name!r}"
        hint = "fill these rows or leave them out"
        yield Fault(f"{message}: the first is row {rows[0]:,}", file.place, hint=hint)
