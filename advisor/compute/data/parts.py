"""Parts of a source: the rows of its files by the part that each file is, for tasks whose rows have no single class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from advisor.base.errors import AdviseError, Fault, suggest
from advisor.compute.data.by_part import by_part
from advisor.compute.data.columns import absent_columns
from advisor.compute.data.files import File
from advisor.compute.data.labels import Labelled, Rows

Shard = tuple[File, Sequence[tuple[Any, ...]]]  # rows as (text, label) or (text, pair, label); label None: unlabelled


def column(file: File, role: str, named: str | None, usual: Iterable[str], flag: str) -> str:
    """The column that was named, or the only one of a usual name.

    Raises:
        AdviseError: it is not there, or none or several could be meant.
    """
    if named is not None:
        if named in file.columns:
            return named
        raise AdviseError(Fault(f"no column {named!r}", file.place, hint=suggest(named, file.columns)))
    found = [name for name in file.columns if name.casefold() in usual]
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} columns could be the {role}: {', '.join(found)}" if found else f"no {role} column"
    hint = f"name it with {flag}"
    raise AdviseError(Fault(f"{what} (columns: {', '.join(file.columns)})", file.place, hint=hint))


def require_columns(files: Sequence[File], names: Sequence[str], label: str) -> None:
    """Raise an AdviseError for each file that lacks columns; the label may be missing where rows have none."""
    if faults := [fault for file in files if (fault := absent_columns(file, names, label))]:
        raise AdviseError(*faults)


def gathered(
    source: str, shards: Sequence[Shard], names: Sequence[str], label: str, placeholder: Callable[[Any], Any]
) -> Labelled:
    """All rows by part.

    Args:
        names: of the labels. label: its column. placeholder: of a row's text, the label of a row without one.

    Raises:
        AdviseError: there is nothing to train on.
    """
    used = [(file, labelled) for file, rows in shards if (labelled := [row for row in rows if row[-1] is not None])]
    if not used:
        what = f"no labelled rows: column {label!r} is missing everywhere"
        raise AdviseError(Fault(what, source, hint="add train rows, or give a single file to split"))
    parts, places = by_part(source, used, lambda some: _rows([row for _, rows in some for row in rows]))
    unlabelled = [(*row[:-1], placeholder(row[0])) for _, rows in shards for row in rows if row[-1] is None]
    return Labelled(parts, places, tuple(names), _rows(unlabelled), classes=False)


def _rows(rows: Sequence[tuple[Any, ...]]) -> Rows:
    if not rows:
        return Rows((), None, ())
    texts, *pairs, labels = zip(*rows, strict=True)
    return Rows(texts, pairs[0] if pairs else None, labels)
