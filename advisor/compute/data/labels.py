"""The labelled rows that a source gives: classes numbered from 0, or the numbers of a regression."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.by_part import by_part
from advisor.compute.data.columns import Columns, absent_columns
from advisor.compute.data.files import File, has_text
from advisor.compute.data.label_doubts import doubts
from advisor.compute.data.label_values import NAME_THEM, Class, label_of
from advisor.compute.data.sources import PARTS
from advisor.facts.tasks import ProblemType

REGRESSION: ProblemType = "regression"
LEARN_THEM = "leave these rows out, or add train rows with these labels"
LEAST_TEXTS, SHOWN = 20, 60  # rows that show that labels are texts; characters of one that a message repeats


@dataclass(frozen=True, slots=True)
class Rows:
    """What a model is to read and to answer, all (rows,); `pairs` is None where a row has one text.

    texts: str; a tuple of words; or bytes, of an image or of sound. labels: what the task learns: whole numbers from 0,
    a float, a text, or a tuple of them. names: by which people know the rows, where they are files; else empty.
    """

    texts: tuple[Any, ...]
    pairs: tuple[str, ...] | None
    labels: tuple[Any, ...]
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Iterable[int]) -> Rows:
        """The rows at `indices`, in that order."""
        index = tuple(indices)
        pairs = None if self.pairs is None else tuple(self.pairs[i] for i in index)
        names = tuple(self.names[i] for i in index) if self.names else ()
        return Rows(tuple(self.texts[i] for i in index), pairs, tuple(self.labels[i] for i in index), names)

    def contents(self) -> Sequence[object]:
        """What makes two rows the same, (rows,): the text or (text, pair); the label does not count."""
        return self.texts if self.pairs is None else tuple(zip(self.texts, self.pairs, strict=True))

    def strata(self) -> list[int]:
        """What a choice of rows keeps in proportion, (rows,): the class; rows without one are all alike."""
        return [label if isinstance(label, int) else 0 for label in self.labels]


Marked = tuple[File, list[Class | None]]  # with the label of each row, None where unlabelled


@dataclass(frozen=True, slots=True)
class Labelled:
    """The labelled rows of each part as the source gives them, and the files they were read from.

    names: of the classes; for a regression that of the label column. unlabelled: rows without a label, each with 0.
    classes: each row has one class, so parts keep them in proportion. problem_type: what the labels of texts are.
    notes: what was chosen or left out.
    """

    parts: Mapping[str, Rows]
    places: Mapping[str, str]
    names: tuple[str, ...]
    unlabelled: Rows
    classes: bool = True
    problem_type: ProblemType | None = None
    notes: tuple[str, ...] = ()

    def place(self, role: str) -> str:
        """The file that gives the train, selection or report rows."""
        used = [self.places[part] for part in PARTS if part in self.places]
        return used[{"train": 0, "selection": 1 if len(used) == 3 else 0, "report": -1}[role]]


def label_rows(
    source: str, files: Sequence[File], columns: Columns, problem_type: str | None = None, kind: type[str | bytes] = str
) -> Labelled:
    """The labelled rows of each part: classes numbered from 0, or the numbers of a regression.

    Args:
        problem_type: by default what the labels look like: fractions mean regression. kind: what a text is; bytes where
            it is an image or a sound.

    Raises:
        AdviseError: every text or label that makes no sense, or nothing to train on.
    """
    faults: list[Fault] = []
    marked = [(file, _labels(file, columns, faults, kind)) for file in files]
    fractions = any(isinstance(value, float) for _, labels in marked for value in labels)
    regression = problem_type == REGRESSION or (problem_type is None and fractions)
    if regression and not faults:
        marked = [(file, _numbers(file, columns.label, labels)) for file, labels in marked]
    for file, labels in marked:
        faults += _label_faults(file, columns.label, labels, regression, kind)
    if faults:
        raise AdviseError(*faults)
    used = [(file, labels) for file, labels in marked if len(labels) > labels.count(None)]
    if not used:
        message = f"no labelled rows: column {columns.label!r} is -1 or missing everywhere"
        raise AdviseError(Fault(message, source, hint=NAME_THEM))
    codes, names = (None, (columns.label,)) if regression else _codes(used, columns.label)
    if not regression:
        _refuse_texts(used, columns.label, len(names))
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        message = f"{sum(name in repeated for name in names)} classes have the same name: {some(repeated)}"
        raise AdviseError(Fault(message, used[0][0].place, hint="give each class a name of its own"))
    parts, places = by_part(source, used, lambda shards: _rows(shards, columns, codes))
    if not regression:
        _refuse_unseen(used, columns.label)
    found: ProblemType = REGRESSION if regression else "single_label_classification"
    unlabelled, empty = _unlabelled(marked, columns, kind)
    notes = (
        columns.note(files[0].place),
        f"{source}: {empty:,} rows without text and label are left out" * bool(empty),
        *(f"column {columns.label!r}: {doubt}" for doubt in doubts(() if regression else names)),
        *(() if regression else _minus_one(used, columns.label)),
    )
    return Labelled(parts, places, names, unlabelled, not regression, found, tuple(filter(None, notes)))


def _minus_one(used: Sequence[Marked], column: str) -> Iterator[str]:
    """Beside classes that are numbers, -1 may be a class to whoever wrote it."""
    for file, labels in used:
        given = [label_of(value, unlabelled=None) for value in file.columns[column]]
        if (count := given.count(-1)) and {type(one) for one in labels if one is not None} == {int}:
            yield (
                f"{file.place}: {count:,} of {len(given):,} rows have -1 in column {column!r} and count as unlabelled; "
                "number the classes from 0 if it is a class"
            )


def some(words: Sequence[str], most: int = 5) -> str:
    """The first of some words, and how many more there are."""
    more = [f"{len(words) - most:,} more"] if len(words) > most else []
    return ", ".join([*words[:most], *more])


def _refuse_texts(used: Sequence[Marked], column: str, classes: int) -> None:
    """Raise an AdviseError where a column holds texts, nearly each another, as a column of summaries does."""
    file, labels = used[0]
    present = [label for label in labels if isinstance(label, str)]
    if len(present) < LEAST_TEXTS or len(set(present)) <= len(present) / 2 or classes <= len(present) / 2:
        return
    first = " ".join(present[0].split())
    shown = first if len(first) <= SHOWN else f"{first[:SHOWN]}…"
    message = f"column {column!r} has {len(set(present)):,} different values in {len(present):,} rows, as {shown!r}"
    hint = "name another column with --label, or another task: texts to write are task: summarization or translation"
    raise AdviseError(Fault(f"{message}: these are no classes", file.place, hint=hint))


def _refuse_unseen(used: Sequence[Marked], column: str) -> None:
    """Raise an AdviseError where files have labels that no train row has, with the first row of each."""
    first, last = used[0][0].part, used[-1][0].part  # they are in the order of PARTS
    known = {None, *(label for file, labels in used if file.part == first for label in labels)}
    faults: list[Fault] = []
    for file, labels in used:
        unseen: dict[Class, int] = {}
        for place, label in enumerate(labels):
            if label not in known and label is not None:
                unseen.setdefault(label, place)
        if unseen:
            role = "report" if file.part == last else "selection"
            shown = some([_placed(file, column, label, place) for label, place in unseen.items()])
            message = f"{role} rows have labels that no train row has: {shown} of column {column!r}"
            faults.append(Fault(message, file.place, hint=LEARN_THEM))
    if faults:
        raise AdviseError(*faults)


def _placed(file: File, column: str, label: Class, place: int) -> str:
    names = file.class_names.get(column)
    shown = names[label] if names and isinstance(label, int) else label
    return f"{shown!s:.60} in {file.row_names[place] if file.row_names else f'row {file.numbers[place]:,}'}"


def _labels(file: File, columns: Columns, faults: list[Fault], kind: type[str | bytes]) -> list[Any]:
    """The label of each row, (rows,), None where unlabelled; adds what is wrong with the file to `faults`."""
    nothing: list[Any] = [None] * len(next(iter(file.columns.values())))
    texts = [name for name in (columns.text, columns.pair) if name is not None]
    if fault := absent_columns(file, texts, columns.label):
        faults.append(fault)
        return nothing
    if file.part == "unlabelled" or columns.label not in file.columns:
        return nothing
    labels = [label_of(value) for value in file.columns[columns.label]]
    faults += [fault for name in texts for fault in _text_faults(file, name, labels, kind)]
    return labels


def _numbers(file: File, column: str, labels: Sequence[Any]) -> list[Any]:
    """The labels of a regression; -1 is a number like others, unless all labels of the file are -1 or missing."""
    if all(label is None for label in labels):
        return list(labels)
    given = [label_of(value, unlabelled=None) for value in file.columns[column]]
    return [float(value) if type(value) is int else value for value in given]


def _text_faults(file: File, name: str, labels: Sequence[Class | None], kind: type[str | bytes]) -> Iterator[Fault]:
    texts = zip(file.numbers, file.columns[name], labels, strict=True)
    bad = [(row, text) for row, text, label in texts if label is not None and not _has_content(text, kind)]
    if bad:
        what = f"{len(bad):,} of {len(labels):,} rows have no text in column {name!r}"
        first = f"the first is row {bad[0][0]:,} with {bad[0][1]!r:.60}"
        yield Fault(f"{what}: {first}", file.place, hint="fill these rows or leave them out")


def _has_content(text: Any, kind: type[str | bytes]) -> bool:
    """Whether a model can read something."""
    return has_text(text) if kind is str else isinstance(text, kind) and bool(text.strip())


def _label_faults(
    file: File, column: str, labels: Sequence[Any], regression: bool, kind: type[str | bytes]
) -> Iterator[Fault]:
    """The first label that the task cannot have."""
    names = file.class_names.get(column, ())
    fits = _is_number if regression else (lambda value: value in range(len(names))) if names else _is_class
    every = zip(file.numbers, labels, strict=True)
    odd = next(((row, value) for row, value in every if value is not None and not fits(value)), None)
    if odd is None:
        return
    row, value = odd
    hint = "use whole numbers or class names, or name another column with --label"
    if isinstance(value, float) and not regression:
        what = f"has fractions (row {row:,}: {value:g}): that is regression"
        hint = "give problem_type: regression" if kind is str else hint
    elif regression and isinstance(value, int | float | str):
        what, hint = f"has {value!r} (row {row:,}), which is not a number", "a regression needs a number in each row"
    elif names and isinstance(value, int | str):
        what = f"has {value!r} (row {row:,}), which is beyond its names; they are numbered from 0 to {len(names) - 1}"
        hint = "use these numbers, and -1 for a row without a label"
    else:
        what = f"has {type(value).__name__} values (row {row:,}), not one label a row"
    yield Fault(f"label column {column!r} {what}", file.place, hint=hint)


def _is_number(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _is_class(value: Any) -> bool:
    return isinstance(value, int | str)


def _codes(used: Sequence[Marked], label: str) -> tuple[dict[Class, int], tuple[str, ...]]:
    """(number of each class, names by number): those of a ClassLabel, or the values in sorted order."""
    declared = {file.class_names.get(label): file.place for file, _ in used}
    if len(declared) > 1:
        hint = "give all splits the same label names in the same order"
        raise AdviseError(
            *(Fault(f"label names: {names and ', '.join(names)}", declared[names], hint=hint) for names in declared)
        )
    if names := next(iter(declared)):
        return {number: number for number in range(len(names))}, names
    values = {value for _, labels in used for value in labels if value is not None}
    found = sorted(values, key=lambda value: (isinstance(value, str), value))
    return {value: number for number, value in enumerate(found)}, tuple(map(str, found))


def _rows(shards: Sequence[Marked], columns: Columns, codes: Mapping[Class, int] | None) -> Rows:
    """codes: the number of each class; None for a regression, whose labels are numbers already."""
    texts: list[str] = []
    pairs: list[str] = []
    labels: list[Any] = []
    names: list[str] = []
    for file, given in shards:
        kept = [i for i, value in enumerate(given) if value is not None]
        texts += [file.columns[columns.text][i] for i in kept]
        pairs += [file.columns[columns.pair][i] for i in kept] if columns.pair else []
        labels += [given[i] if codes is None else codes[given[i]] for i in kept]  # type: ignore[index]
        names += [file.row_names[i] for i in kept] if file.row_names else []
    return Rows(tuple(texts), tuple(pairs) if columns.pair else None, tuple(labels), tuple(names))


def _unlabelled(marked: Sequence[Marked], columns: Columns, kind: type[str | bytes]) -> tuple[Rows, int]:
    """The texts without a label, where they are there, and how many rows have neither."""
    names = [name for name in (columns.text, columns.pair) if name is not None]
    rows = [
        row
        for file, labels in marked
        if all(name in file.columns for name in names)
        for *row, label in zip(*(file.columns[name] for name in names), labels, strict=True)
        if label is None
    ]
    kept = [row for row in rows if all(_has_content(text, kind) for text in row)]
    texts, *pairs = zip(*kept, strict=True) if kept else [()] * len(names)
    return Rows(tuple(texts), tuple(pairs[0]) if pairs else None, (0,) * len(kept)), len(rows) - len(kept)
