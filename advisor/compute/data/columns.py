"""Which columns of a source hold the text and the label."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, NamedTuple

from advisor.base.errors import AdviseError, Fault, suggest
from advisor.compute.data.column_names import LABELS, PAIRS, TEXTS, looks_like
from advisor.compute.data.files import File
from advisor.compute.data.label_values import NAME_THEM, label_of

TRANSLATION = "translation"  # a column of mappings, with a text for each language


class Named(NamedTuple):
    """The columns that the user has named; None where the reader is to find one."""

    text: str | None = None
    pair: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column is which; `pair` is the second text of a pair, None where a row has one text.

    others: further columns with texts that nobody named.
    """

    text: str
    pair: str | None
    label: str
    others: tuple[str, ...] = field(default=(), compare=False)

    def note(self, place: str) -> str:
        """What was chosen of several columns, and how to choose otherwise; empty where nothing was."""
        if not self.others:
            return ""
        many = f"{len(self.others) + 1} columns hold texts, {', '.join((self.text, *self.others))}"
        return f"{place}: {many}: {self.text} is taken (--text names another)"


def find_columns(file: File, text: str | None, pair: str | None, label: str | None) -> Columns:
    """The columns that were named, and for the others those of usual name, of declared kind or of fitting content.

    Raises:
        AdviseError: a named column is not there, or no or several columns could be meant.
    """
    named = [name for name in (text, pair, label) if name is not None]
    absent = [name for name in named if name not in file.columns]
    faults = [Fault(f"no column {name!r}", file.place, hint=suggest(name, file.columns)) for name in absent]
    if len(set(named)) < len(named):
        faults.append(Fault(f"one column is named twice: {', '.join(named)}", file.place, hint=NAME_THEM))
    if faults:
        raise AdviseError(*faults)
    task = "" if text or pair else looks_like(file.columns)
    label = label or _only(file, "label", _label_columns(file, {text, pair}), task)
    left = {name: values for name, values in file.columns.items() if name not in (label, pair)}
    if text is None and pair is None:
        text, pair = _usual_pair(left)
    if text or pair:
        return Columns(text or _only(file, "text", _text_columns(left, pair)), pair, label)
    text = _only(file, "text", _text_columns(left, pair), task)
    others = tuple(name for name, values in left.items() if name != text and _mean_words(values) >= 2)
    return Columns(text, pair, label, others)


def absent_columns(file: File, texts: Sequence[str], label: str) -> Fault | None:
    """Which columns a file lacks; that of the label may be missing where rows have none."""
    wanted = texts if file.part in ("test", "unlabelled") else (*texts, label)
    absent = [name for name in wanted if name not in file.columns]
    hint = f"name its columns as in the train split; it has: {', '.join(file.columns)}"
    return Fault(f"no column {', '.join(map(repr, absent))}", file.place, hint=hint) if absent else None


def notes_on_unlabelled_tests(files: Sequence[File], label: str) -> Iterator[str]:
    """What to say of test files without a label.

    Raises:
        AdviseError: one has a column of the same name but for case, what joins words, or an s, which may be meant.
    """
    for file in files:
        if file.part != "test" or not label or label in file.columns or label in languages(file.columns):
            continue
        meant = next((one for one in file.columns if one not in files[0].columns and _alike(one, label)), None)
        if meant is not None:
            hint = f"name column {meant!r} as in the train split, or leave it out: the rows then have no labels"
            raise AdviseError(Fault(f"no column {label!r}", file.place, hint=hint))
        rows = len(file.numbers)
        yield f"{file.place}: no column {label!r}: its {rows:,} rows are used without labels, and no report is on them"


def languages(columns: Mapping[str, Sequence[Any]]) -> list[str]:
    """The keys of a column of translations, in their order."""
    rows = columns.get(TRANSLATION) or [None]
    return list(rows[0]) if isinstance(rows[0], dict) else []


def _alike(one: str, other: str) -> bool:
    """Whether two names differ in case, in what joins words, or by a word before or an s behind them, as ner_tags."""
    short, long = sorted(
        (re.sub(r"[\W_]+", " ", name).strip().casefold().removesuffix("s") for name in (one, other)), key=len
    )
    return short == long or long.endswith(f" {short}")


def _only(file: File, role: str, found: Sequence[str], task: str = "") -> str:
    """The one that was found. task: that the columns look like, by their names."""
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} columns could be the {role}: {', '.join(found)}" if found else f"no {role} column"
    hint = f"{NAME_THEM}; if this is {task}, say so: data: {{task: {task}}}" if task else NAME_THEM
    raise AdviseError(Fault(f"{what} (columns: {', '.join(file.columns)})", file.place, hint=hint))


def _label_columns(file: File, taken: set[str | None]) -> list[str]:
    free = {name: values for name, values in file.columns.items() if name not in taken}
    usual = [name for name in free if name.casefold() in LABELS]
    declared = [name for name in free if name in file.class_names]
    return usual or declared or [n for n in free if n.casefold() not in TEXTS and _is_label(free[n])]


def _is_label(values: Sequence[Any]) -> bool:
    """Whole numbers, booleans or short strings, of which each comes twice on average: an index does not."""
    present = [value for value in values if value is not None]
    plain = all(isinstance(value, int) or (isinstance(value, str) and len(value) <= 40) for value in present)
    return plain and 2 <= len(set(present)) <= len(present) / 2


def _usual_pair(columns: Iterable[str]) -> tuple[str, str] | tuple[None, None]:
    usual = {name.casefold(): name for name in columns if name.casefold() in TEXTS}
    found = [(usual[one], usual[two]) for one, two in PAIRS.items() if one in usual and two in usual]
    return found[0] if found and len(usual) == 2 else (None, None)


def _text_columns(columns: Mapping[str, Sequence[Any]], pair: str | None) -> list[str]:
    usual = [name for name in columns if name.casefold() in TEXTS]
    partner = [name for name in usual if pair and PAIRS.get(name.casefold()) == pair.casefold()]
    if partner or usual:
        return partner or usual
    return longest_texts(columns)


def longest_texts(columns: Mapping[str, Sequence[Any]]) -> list[str]:
    """The column whose texts are by far the longest; without such a one all columns of texts."""
    length = {name: _mean_length(values) for name, values in columns.items()}
    strings = sorted((name for name in columns if length[name]), key=lambda name: -length[name])
    clear = len(strings) > 1 and length[strings[0]] >= 2 * length[strings[1]]
    return strings[:1] if clear else strings


def _mean_words(values: Sequence[Any]) -> float:
    """Words a text; 0 for a column without texts."""
    return fmean(len(str(value).split()) for value in values if value is not None) if _mean_length(values) else 0.0


def _mean_length(values: Sequence[Any]) -> float:
    """Characters a text; 0 for a column of other values, or of numbers only (which are strings in CSV)."""
    present = [value for value in values if value is not None]
    strings = all(isinstance(value, str) for value in present)
    if not strings or all(isinstance(label_of(value), int | None) for value in present):
        return 0.0
    return fmean(map(len, present))
