"""Labelled text for classification or regression, split into disjoint train, selection and report rows."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.classified_texts import read_texts
from advisor.compute.data.columns import Columns, Named, notes_on_unlabelled_tests
from advisor.compute.data.files import File
from advisor.compute.data.labels import LEARN_THEM, Labelled, Rows, some
from advisor.compute.data.plain_texts import parting_of
from advisor.compute.data.sources import PARTS, read
from advisor.facts.tasks import USUAL

__all__ = ["Columns", "Rows", "TaskData", "load"]
# From a source, its files and the columns that are named, to the columns and the labelled rows.
Read = Callable[[str, Sequence[File], Named], tuple[Columns, Labelled]]


@dataclass(frozen=True, slots=True)
class TaskData:
    """Train, selection and report rows, disjoint by content, each in seeded random order.

    `label_names[i]` names label i; a regression has one, named after its column. `unlabelled` has the
    texts of all splits with label -1 or none, to distil on; none of them is a selection or report row.
    `origin` says in one sentence where each part came from; `fingerprint` is the SHA-256 of the rows used.
    `task` is its pipeline tag; `problem_type` what the labels of texts are, None for other tasks.
    `seed` decided order and split. `notes` say what was assumed about the source, and what was left out.
    """

    source: str
    columns: Columns
    label_names: tuple[str, ...]
    train: Rows
    selection: Rows
    report: Rows
    unlabelled: Rows
    dropped_duplicates: int
    origin: str
    fingerprint: str
    task: str = USUAL
    problem_type: str | None = None
    seed: int = 0
    notes: tuple[str, ...] = ()

    @property
    def samples(self) -> int:
        """Rows to train on."""
        return len(self.train)

    @property
    def eval_samples(self) -> int:
        """Rows that the report is made on."""
        return len(self.report)

    @property
    def unanswerable(self) -> bool:
        """Whether some questions have no answer in their context."""
        asks = self.task == "question-answering"
        return asks and any(() in rows.labels for rows in (self.train, self.selection, self.report))

    @property
    def unlabelled_samples(self) -> int:
        """Texts without a label."""
        return len(self.unlabelled)


def load(  # noqa: PLR0913 - all that a recipe may say of its data
    source: str,
    *,
    text: str | None = None,
    pair: str | None = None,
    label: str | None = None,
    max_samples: int | None = None,
    max_eval_samples: int | None = None,
    max_unlabelled: int | None = None,
    header: bool | None = None,
    task: str = USUAL,
    problem_type: str | None = None,
    seed: int = 0,
    read_rows: Read | None = None,
) -> TaskData:
    """Read `source`, find its columns and split it; the same source and seed give the same rows.

    Args: `source` is a .parquet, .csv, .tsv, .jsonl or .json file (texts also as .gz), a .txt for a language model, a
    folder of such files named after the splits (others are ignored beside a train file), a folder or .zip of images or
    sounds in folders by class, a folder written by `save_to_disk`, or a Hub id. Naming `text` without `pair` means one
    text a row. `max_samples` limits the train rows only, `max_eval_samples` the selection rows and the report rows,
    each, `max_unlabelled` the texts without a label. `header` says whether the first line of delimited text names the
    columns; by default it is looked at. Without `problem_type`, labels with fractions make it a regression. Files are
    read afresh each time and leave nothing behind; a Hub id uses the library's own cache. `read_rows` reads the rows
    of another task than text classification.
    Raises: AdviseError, with the file, for data that cannot be read, understood, split or trained on.
    """
    files = sorted(read(source, header), key=lambda file: PARTS.index(file.part))
    named = Named(text, pair, label)
    columns, given = read_rows(source, files, named) if read_rows else read_texts(source, files, named, problem_type)
    said = tuple(notes_on_unlabelled_tests(files, columns.label))
    parts = _split(given, seed)
    unlabelled = _without(_without(_shuffled(given.unlabelled, seed), parts["report"]), parts["selection"])
    dropped = sum(map(len, (*given.parts.values(), given.unlabelled))) - sum(map(len, (*parts.values(), unlabelled)))
    _check(parts, given)
    parts["train"] = _limit(parts["train"], max_samples, "max_samples", source)
    for role in ("selection", "report"):
        parts[role] = _limit(parts[role], max_eval_samples, "max_eval_samples", source)
    unlabelled = unlabelled.take(range(len(unlabelled))[:max_unlabelled])
    return TaskData(
        source=source,
        columns=columns,
        label_names=given.names,
        **parts,
        unlabelled=unlabelled,
        dropped_duplicates=dropped,
        origin=_origin(parts, given, dropped, seed, len(unlabelled)),
        fingerprint=_fingerprint({**parts, "unlabelled": unlabelled}, given.names),
        task=task,
        problem_type=given.problem_type,
        seed=seed,
        notes=(*(note for file in files for note in file.notes), *said, *given.notes),
    )


def _split(given: Labelled, seed: int) -> dict[str, Rows]:
    """Report rows stay as given; the other parts lose rows that equal them, and train those of selection."""
    parts = {part: _shuffled(rows, seed) for part, rows in given.parts.items()}
    train = parts["train"]
    report = parts.get("test", parts.get("validation"))
    if report is None:
        _require_two(train, given)
        tenth = max(1, _size(train) // 10)
        train, report = _set_apart(train, tenth)
        train, selection = _set_apart(train, tenth)
    elif len(parts) == 3:
        selection = _without(parts["validation"], report)
        train = _without(_without(train, report), selection)
    else:
        train = _without(train, report)
        _require_two(train, given)
        count = _size(train)
        train, selection = _set_apart(train, min(max(32, count // 10), 1000, count // 2))
    return {"train": train, "selection": selection, "report": report}


def _size(rows: Rows) -> int:
    """How many rows there are; where most are copies, how many different ones: all copies go where one is set apart."""
    different = len(_distinct(rows))
    return different if 2 * different < len(rows) else len(rows)


def _shuffled(rows: Rows, seed: int) -> Rows:
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    return rows.take(order)


def _distinct(rows: Rows) -> list[int]:
    """The first row of each content."""
    first: dict[object, int] = {}
    for i, content in enumerate(rows.contents()):
        first.setdefault(content, i)
    return list(first.values())


def _require_two(rows: Rows, given: Labelled) -> None:
    strata, distinct = rows.strata(), _distinct(rows)
    if not given.classes and 0 < len(distinct) < 4:
        message = f"too few rows to split: {_what(given)} needs 4 different texts, and there are {len(distinct)}"
        place = given.place("train")
        raise AdviseError(Fault(message, place, hint=parting_of(place) or "add rows"))
    size = Counter(strata[i] for i in distinct)
    known_by = dict(zip(reversed(strata), reversed(rows.names or rows.texts), strict=True))  # the first row of each
    few = [f"{given.names[i]!r:.60} has {size[i]} ({known_by[i]!r:.60})" for i in sorted(set(strata)) if size[i] < 2]
    if few:
        message = f"too few rows to split: each class needs 2 different texts, and {some(few)}"
        raise AdviseError(Fault(message, given.place("train"), hint="add rows, or leave the class out"))


def _what(given: Labelled) -> str:
    return "a regression" if given.problem_type == "regression" else "this task"


def _set_apart(rows: Rows, count: int) -> tuple[Rows, Rows]:
    """(rest, chosen): a stratified choice of `count` different rows; each class leaves at least one."""
    distinct = _distinct(rows)
    strata = rows.strata()
    chosen = [distinct[i] for i in _stratified([strata[i] for i in distinct], count, spare=1)]
    taken = rows.take(chosen)
    return _without(rows, taken), taken


def _without(rows: Rows, other: Rows) -> Rows:
    gone = set(other.contents())
    return rows.take(i for i, content in enumerate(rows.contents()) if content not in gone)


def _stratified(labels: Sequence[int], count: int, *, spare: int = 0) -> list[int]:
    """Indices, ascending, of at most `count` rows of shuffled `labels`, classes in proportion.

    Row j of the n of its class ranks (j + 0.5) / n, the first of each class before all others, and the lowest
    ranks are taken; the last `spare` rows of each class never are.
    """
    size, seen, ranked = Counter(labels), Counter[int](), []
    for i, label in enumerate(labels):
        if seen[label] < size[label] - spare:
            ranked.append(((seen[label] + 0.5) / size[label] if seen[label] else 0.0, i))
        seen[label] += 1
    return sorted(i for _, i in sorted(ranked)[:count])


def _check(parts: Mapping[str, Rows], given: Labelled) -> None:
    faults = []
    known = set(parts["train"].strata())
    for role, rows in parts.items():
        if not len(rows):
            message = f"no {role} rows are left: all of them equal rows of another split"
            faults.append(Fault(message, given.place(role), hint="leave out the file that repeats another"))
        if known and (unseen := [f"{given.names[i]:.60}" for i in sorted(set(rows.strata()) - known)]):
            left = "once rows that equal others are left out"
            message = f"{role} rows have labels that no train row has {left}: {some(unseen)}"
            faults.append(Fault(message, given.place(role), hint=LEARN_THEM))
    values = set(parts["train"].labels)
    if not given.classes and len(values) == 1 and isinstance(next(iter(values)), float):
        message = f"every train row has the label {min(values):g}, so there is nothing to learn"
        faults.append(Fault(message, given.place("train"), hint="add rows with other labels"))
    if given.classes and len(known) == 1:
        message = f"only one class: every train row has label {given.names[min(known)]!r}"
        hint = "add rows of another class; a label of -1 means unlabelled, so number classes from 0"
        faults.append(Fault(message, given.place("train"), hint=hint))
    if faults:
        raise AdviseError(*faults)


def _limit(rows: Rows, most: int | None, name: str, source: str) -> Rows:
    """At most so many rows, classes in proportion. name: of the limit."""
    if most is None or most >= len(rows):
        return rows
    if most < (classes := len(set(rows.strata()))):
        message = f"{name} is {most}, but there are {classes} classes"
        raise AdviseError(Fault(message, source, hint="allow at least one row for each class"))
    return rows.take(_stratified(rows.strata(), most))


def _origin(parts: Mapping[str, Rows], given: Labelled, dropped: int, seed: int, unlabelled: int) -> str:
    texts = []
    for role, rows in parts.items():
        apart = "set apart from" if role != "train" and given.place(role) == given.place("train") else "of"
        texts.append(f"{role}: {len(rows):,} rows {apart} {given.place(role)}")
    texts += [f"without labels: {unlabelled:,} rows to distil on"] if unlabelled else []
    return "; ".join([*texts, f"seed {seed}", f"left out: {dropped:,} rows that repeat a row of another part"]) + "."


def _fingerprint(parts: Mapping[str, Rows], names: Sequence[str]) -> str:
    digest = hashlib.sha256(json.dumps(names).encode())
    for role, rows in parts.items():
        digest.update(role.encode())
        for row in zip(rows.contents(), rows.labels, strict=True):
            digest.update(json.dumps(row, default=_hashed).encode())
    return digest.hexdigest()


def _hashed(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()
