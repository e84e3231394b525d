"""Texts with several labels each, as people have them: a list of names or numbers a row, in CSV written as JSON.

Rows of 0 and 1 of one length, as [1, 0, 1], say of each label whether it is given: they are marks, no lists of labels.
So they are taken where nearly all rows look like that; others are then wrong, and rows of -1 alone have no label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.columns import Columns
from advisor.compute.data.files import File, has_text
from advisor.compute.data.label_values import listed
from advisor.compute.data.labels import Labelled
from advisor.compute.data.parts import Shard, gathered, require_columns

MOST_ODD = 0.1  # of the rows, or one
FORM = 'a list of labels in each row, as ["sport", "news"]; an empty one for none'


def are_lists(files: Sequence[File], column: str) -> bool:
    """Whether a column holds lists of labels."""
    return any(isinstance(listed(value), list) for file in files for value in file.columns.get(column, ()))


def rows_of_lists(source: str, files: Sequence[File], columns: Columns) -> Labelled:
    """The rows of each part; the label of one is 0 or 1 for each of the labels.

    Raises:
        AdviseError: every file with a row whose labels or text make no sense, or nothing to train on.
    """
    texts = [name for name in (columns.text, columns.pair) if name is not None]
    require_columns(files, texts, columns.label)
    found = [(file, list(_rows(file, texts, columns.label))) for file in files]
    declared = next((file.class_names[columns.label] for file in files if columns.label in file.class_names), ())
    marks = _marks([own for _, rows in found for *_, own in rows if isinstance(own, list)], bool(declared))
    if marks:
        found = [(file, [(*row, _as_marks(own)) for *row, own in rows]) for file, rows in found]
    if faults := [fault for file, rows in found if (fault := _fault(file, rows, columns, marks))]:
        raise AdviseError(*faults)
    shards: list[Shard]
    if marks:
        names = declared if len(declared) == marks else tuple(map(str, range(marks)))
        shards = [(file, [(*text, own and tuple(own)) for _, *text, own in rows]) for file, rows in found]
    else:
        names = declared or _names(found)
        places = {name: place for place, name in enumerate(names)}
        shards = [(file, _coded(file, rows, places, columns.label)) for file, rows in found]
    made = gathered(source, shards, names, columns.label, lambda text: (0,) * len(names))
    said = columns.note(files[0].place) if columns.others else "", _note(source, columns.label, marks) if marks else ""
    return replace(made, problem_type="multi_label_classification", notes=tuple(filter(None, said)))


def _marks(lists: Sequence[list[Any]], are_numbers: bool) -> int:
    """How many labels rows mark with 0 and 1; 0 where they hold labels themselves.

    Nearly all rows of marks are alike in length, and some have a mark twice, as no row has a label twice. Without the
    latter all have to be alike, unless numbers are known to stand for names.
    """
    given = [marks for own in lists if (marks := _as_marks(own))]
    length, _ = Counter(map(len, given)).most_common(1)[0] if given else (0, 0)
    marked = [own for own in given if len(own) == length and all(one in (0, 1) for one in own)]
    if length < 2 or len(given) - len(marked) > max(1, MOST_ODD * len(given)):
        return 0
    twice = any(len(set(own)) < length for own in marked)
    return length if twice or (len(marked) == len(given) and not are_numbers) else 0


def _as_marks(own: Any) -> Any:
    """A list with numbers for what is written as one; None for a list of -1 alone, and what is no list as it is."""
    if not isinstance(own, list):
        return own
    numbers = [int(one) if one in (-1, 0, 1, "0", "1") else one for one in own]
    return None if numbers and all(one == -1 for one in numbers) else numbers


def _note(source: str, label: str, marks: int) -> str:
    what = f"{source}: column {label!r} has rows of 0 and 1, read as marks of {marks:,} labels, 0 to {marks - 1}"
    return f"{what} by their place; give lists of names to name them"


def _rows(file: File, texts: Sequence[str], label: str) -> Iterator[tuple[Any, ...]]:
    """The number, the texts and the list of labels of each row; without texts and labels it is left out."""
    numbers = file.numbers
    labels = file.columns.get(label, [None] * len(numbers))
    for number, *text, own in zip(numbers, *(file.columns[name] for name in texts), labels, strict=True):
        if own is not None or all(map(has_text, text)):
            yield number, *text, listed(own)


def _fault(file: File, rows: Sequence[tuple[Any, ...]], columns: Columns, marks: int) -> Fault | None:
    """The first row that makes no sense. marks: how many labels each row marks with 0 and 1; 0 for lists of labels."""
    for row, *texts, own in rows:
        if own is not None and marks and not _are_marks(own, marks):
            message = f"label column {columns.label!r} has {own!r:.60} (row {row:,}): expected {marks:,} of 0 and 1"
            return Fault(message, file.place, hint="as other rows have; or give lists of names, an empty one for none")
        if own is not None and not marks and not _is_list(own):
            message = f"label column {columns.label!r} has {own!r:.60} (row {row:,}): expected {FORM}"
            return Fault(message, file.place, hint="write a list, or leave the labels of a row without any out")
        if not all(map(has_text, texts)):
            message = f"no text in row {row:,}, column {columns.text!r}"
            return Fault(message, file.place, hint="fill this row or leave it out")
    return None


def _are_marks(own: Any, marks: int) -> bool:
    return isinstance(own, list) and len(own) == marks and all(one in (0, 1) for one in own)


def _is_list(own: Any) -> bool:
    return isinstance(own, list) and all(isinstance(one, str | int) and not isinstance(one, bool) for one in own)


def _names(found: Sequence[tuple[File, Sequence[tuple[Any, ...]]]]) -> tuple[str, ...]:
    """All labels that train rows have, sorted."""
    train = next((file.part for file, rows in found if any(own for *_, own in rows)), "")
    given = {one for file, rows in found if file.part == train for *_, own in rows for one in own or ()}
    return tuple(map(str, sorted(given, key=lambda one: (isinstance(one, str), one))))


def _coded(file: File, rows: Sequence[tuple[Any, ...]], places: dict[str, int], label: str) -> list[tuple[Any, ...]]:
    """Rows with 0 or 1 for each label in place of their lists."""
    return [(*text, None if own is None else _marked(row, own, places, file, label)) for row, *text, own in rows]


def _marked(row: int, own: Sequence[Any], places: dict[str, int], file: File, label: str) -> tuple[int, ...]:
    """0 or 1 for each label. A number of a ClassLabel stands for its name."""
    numbers = label in file.class_names
    try:
        given = {one if numbers else places[str(one)] for one in own}
        if not given <= set(range(len(places))):
            raise KeyError(max(given))
    except KeyError as error:
        message = f"row {row:,}: column {label!r} has {error}, which is not one of {', '.join(places):.200}"
        raise AdviseError(Fault(message, file.place, hint="use the names of the train split")) from None
    return tuple(int(place in given) for place in range(len(places)))
