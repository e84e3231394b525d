"""Tagged words as people have them: lists of words with lists of tags, or texts whose words are split at blanks.

Tags say by their first letter where an entity begins: `B-person`, `I-person`, `O` (IOB2), also `E-` and `S-` (IOBES).
They are strings, numbers of a ClassLabel, or numbers without names in the usual order: 0 is O, 1 and 2 are B and I of
the first kind, 3 and 4 of the second, and so on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.files import File, has_text
from advisor.compute.data.label_values import listed
from advisor.compute.data.labels import Labelled
from advisor.compute.data.parts import Shard, column, gathered, require_columns

WORDS = ("tokens", "words", "text", "sentence")
TAGS = ("ner_tags", "tags", "ner", "labels", "label")
OUTSIDE = "O"
TAG = re.compile(r"O|[BIES]-.+", re.DOTALL)
NUMBER = re.compile(r"-?[0-9]+")
SCHEMES = "O, or B-, I-, E- or S- with a kind, such as B-person"
Row = tuple[
    int, tuple[str, ...], list[Any] | None
]  # its number; tags as the source has them, None where there are none


def read_tagged(source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
    """Rows of words, each with the numbers of its tags; the tag of number 0 is O.

    Raises:
        AdviseError: every file with rows whose words or tags make no sense, with the first such row.
    """
    if named.pair is not None:
        raise AdviseError(Fault(f"tagged words have no second text, got the column {named.pair!r}", source))
    words = column(files[0], "words", named.text, WORDS, "--text")
    tags = column(files[0], "tags", named.label, TAGS, "--label")
    require_columns(files, (words,), tags)
    faults: list[Fault] = []
    rows = [(file, _rows(file, words, tags, faults)) for file in files]
    if faults:
        raise AdviseError(*faults)
    names, given = _named(source, rows, tags)
    codes = {name: number for number, name in enumerate(names)}
    shards: list[Shard] = [
        (file, [(text, None if own is None else tuple(codes[name] for name in own)) for _, text, own in some])
        for file, some in given
    ]
    found = gathered(source, shards, names, tags, lambda text: (0,) * len(text))
    if not any(map(any, found.parts["train"].labels)):
        message = f"every word of the train rows has the tag O in column {tags!r}, so there is nothing to learn"
        raise AdviseError(Fault(message, found.place("train"), hint="give rows with entities; --label names a column"))
    return Columns(words, None, tags), replace(found, notes=(*_notes(source, rows, names, tags), *_unseen(given, tags)))


def _notes(source: str, rows: Sequence[tuple[File, Sequence[Row]]], names: Sequence[str], tags: str) -> Iterator[str]:
    """What was left out, and how numbers without names are read."""
    if none := sum(len(next(iter(file.columns.values()))) - len(some) for file, some in rows):
        yield f"{source}: {none:,} {'row' if none == 1 else 'rows'} without words left out"
    numbers = any(isinstance(tag, int) for _, some in rows for _, _, own in some for tag in own or ())
    if numbers and not any(tags in file.class_names for file, _ in rows):
        kinds = len({name[2:] for name in names if name != OUTSIDE})
        what = f"column {tags!r} has numbers without names"
        yield f"{source}: {what}: 0 is read as O, and those after it as B and I of {kinds:,} kinds"
    if all(len(words) == 1 for _, some in rows for _, words, _ in some):
        yield f"{source}: each row has one word, so none is seen in its sentence: give each sentence a row of its own"


def _unseen(given: Sequence[tuple[File, Sequence[Row]]], tags: str) -> Iterator[str]:
    """The kinds that no train row has, with the first row of each."""
    first = next(file.part for file, some in given if any(own for *_, own in some))
    known = {kind for file, some in given if file.part == first for _, kind in _kinds(some)}
    for file, some in given:
        for row, kind in _kinds(some):
            if kind not in known:
                known.add(kind)
                yield f"{file.place}: row {row:,}: column {tags!r} has the kind {kind}, which no train row has"


def _kinds(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    """The row and the kind of each tag of an entity."""
    return ((row, tag[2:]) for row, _, own in rows for tag in own or () if tag != OUTSIDE)


def split_words(text: Any) -> tuple[str, ...] | None:
    """The words of a text or of a list of words; None for anything else."""
    if isinstance(text, str):
        return tuple(text.split())
    is_list = isinstance(text, list | tuple) and all(isinstance(word, str) for word in text)
    return tuple(text) if is_list else None


def _words(given: Any) -> tuple[str, ...] | None:
    """The words of a text, of a list of words, or of such a list written as text."""
    found = listed(given) if isinstance(given, str) else given
    return split_words(found if isinstance(found, list) and found and split_words(found) else given)


def _rows(file: File, words: str, tags: str, faults: list[Fault]) -> list[Row]:
    """The rows of a file that have words; adds what is wrong with others to `faults`."""
    labels = [None] * len(file.columns[words]) if file.part == "unlabelled" else file.columns.get(tags)
    texts = file.columns[words]
    found = [(_words(text), _tags(listed(own))) for text, own in zip(texts, labels or [None] * len(texts), strict=True)]
    kept = [
        (number, text, own)
        for number, (text, own) in zip(file.numbers, found, strict=True)
        if text is None or any(map(has_text, text))
    ]
    no_words = [
        (number, given) for number, given, (text, _) in zip(file.numbers, texts, found, strict=True) if text is None
    ]
    lengths = [
        (number, f"{len(text):,} words and {len(own):,} tags")
        for number, text, own in kept
        if text is not None and own is not None and len(text) != len(own)
    ]
    if no_words:
        what = f"have neither a text nor a list of words in column {words!r}"
        faults.append(_fault(file, what, no_words, "give words as a list of strings, or as one text"))
    if lengths:
        what = f"have another number of tags in column {tags!r} than of words in column {words!r}"
        faults.append(_fault(file, what, lengths, "give each word one tag"))
    return [(number, text, own) for number, text, own in kept if text is not None]


def _fault(file: File, what: str, rows: Sequence[tuple[int, Any]], hint: str) -> Fault:
    row, value = rows[0]
    shown, total = value if isinstance(value, str) else repr(value), len(next(iter(file.columns.values())))
    said = f"{len(rows):,} of {total:,} rows {what}: the first is row {row:,} with {shown:.80}"
    return Fault(said, file.place, hint=hint)


def _tags(given: Any) -> list[Any] | None:
    """Tags as a list of strings or numbers, whatever was given."""
    if isinstance(given, str):
        given = given.split()
        return [int(tag) for tag in given] if given and all(map(NUMBER.fullmatch, given)) else given
    return list(given) if isinstance(given, list | tuple) else None


def _named(
    source: str, rows: Sequence[tuple[File, Sequence[Row]]], tags: str
) -> tuple[tuple[str, ...], list[tuple[File, list[Row]]]]:
    """The names of the tags, O first, and the rows with tags by name."""
    declared = {file.class_names[tags] for file, _ in rows if tags in file.class_names}
    if len(declared) > 1:
        raise AdviseError(Fault(f"the splits name the tags of column {tags!r} differently", source))
    labels = next(iter(declared), None) or _numbered(rows, tags)
    given = [(file, list(_by_name(file, some, labels, tags))) for file, some in rows]
    names = set(labels or ()) | {name for _, some in given for _, _, own in some for name in own or ()}
    odd = sorted(name for name in names if not TAG.fullmatch(name))
    if odd:
        places = [(file.place, row) for file, some in given for row, _, own in some if {*(own or ())} & {*odd}]
        place, row = (places[0][0], f"row {places[0][1]:,}: ") if places else (source, "")  # of a ClassLabel alone
        what = f"{row}column {tags!r} has tags that name no entity: {', '.join(odd[:5])}"
        raise AdviseError(Fault(what, place, hint=f"expected {SCHEMES}"))
    order = sorted(names - {OUTSIDE}, key=lambda name: (name[2:], name[0]))
    return (OUTSIDE, *order), given


def _by_name(file: File, rows: Sequence[Row], labels: Sequence[str] | None, tags: str) -> Iterator[Row]:
    """Rows with tags by name.

    Raises:
        AdviseError: a tag is no name and no number that has one.
    """
    for number, text, own in rows:
        if own is None:
            yield number, text, None
            continue
        odd = next((tag for tag in own if not _known(tag, labels)), None)
        if odd is not None:
            most = f"; they are numbered from 0 to {len(labels) - 1}" if labels else ""
            what = f"column {tags!r} has the tag {odd!r}, which is beyond its kinds{most}"
            raise AdviseError(Fault(f"row {number:,}: {what}", file.place, hint=f"expected {SCHEMES}"))
        yield number, text, [labels[tag] if isinstance(tag, int) and labels else str(tag) for tag in own]


def _known(tag: Any, labels: Sequence[str] | None) -> bool:
    if isinstance(tag, int) and not isinstance(tag, bool):
        return labels is not None and 0 <= tag < len(labels)
    return isinstance(tag, str) and (labels is None or tag in labels)


def _numbered(rows: Sequence[tuple[File, Sequence[Row]]], tags: str) -> tuple[str, ...] | None:
    """Names for numbers that have none; None where tags are strings.

    Raises:
        AdviseError: some are numbers and some are strings, or they are not in the usual order: an I without the B of
            its kind before it.
    """
    every = [(file, number, tag) for file, some in rows for number, _, own in some for tag in own or ()]
    are_numbers = bool(every) and isinstance(every[0][2], int)
    for file, number, tag in every:
        beside = are_numbers and NUMBER.fullmatch(str(tag))  # a number in a row where another tag is a string
        if isinstance(tag, int) != are_numbers and not beside:
            others = "numbers" if are_numbers else "strings"
            what = f"row {number:,}: column {tags!r} has {tag!r}, where the rows before it have {others}"
            raise AdviseError(Fault(what, file.place, hint="give all tags as strings such as B-person, or as numbers"))
    if not are_numbers:
        return None
    numbers = {tag for _, _, tag in every}
    for file, some in rows:
        for number, _, own in some:
            for before, tag in zip([0, *(own or [])], own or [], strict=False):
                if tag < 0 or (tag and tag % 2 == 0 and before not in (tag, tag - 1)):
                    what = f"row {number:,}: column {tags!r} has the number {tag} after {before}"
                    hint = "give tags as strings such as B-person, or a ClassLabel with names"
                    order = "numbers without names are read as 0 for O, 1 and 2 for B and I of the first kind, …"
                    raise AdviseError(Fault(f"{what}, which names no entity: {order}", file.place, hint=hint))
    kinds = range(1, (max(numbers) + 1) // 2 + 1)
    return (OUTSIDE, *(f"{letter}-{kind}" for kind in kinds for letter in "BI"))
