"""Questions with a context in which their answers stand: SQuAD's JSON, or rows of the columns that SQuAD has.

answers: `{"text": [...], "answer_start": [...]}`, or a list of `{"text": ..., "answer_start": ...}`. In
CSV they are written as JSON or as Python writes them. An empty list means that the context has no answer, as in SQuAD
2.0; none at all, that nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.files import File, has_text
from advisor.compute.data.label_values import label_of, literal
from advisor.compute.data.labels import Labelled, Rows
from advisor.compute.data.parts import Shard, column, gathered, require_columns

QUESTIONS, CONTEXTS, ANSWERS = ("question", "questions"), ("context", "passage", "paragraph"), ("answers", "answer")
LONGEST = 2**53  # characters of a context; no text has as many
NAMES = ("start", "end")  # what the model gives each token scores for


class Answer(NamedTuple):
    """An answer and the place of its first character in the context."""

    text: str
    start: int


def read_questions(source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
    """Rows of question, context and a tuple of answers.

    Raises:
        AdviseError: every file with rows that make no sense, with the first such row.
    """
    question = column(files[0], "question", named.text, QUESTIONS, "--text")
    context = column(files[0], "context", named.pair, CONTEXTS, "--pair")
    answers = column(files[0], "answers", named.label, ANSWERS, "--label")
    require_columns(files, (question, context), answers)
    shards: list[Shard] = []
    faults: list[Fault] = []
    for file in files:
        rows, wrong = _rows(file, question, context, answers)
        shards.append((file, rows))
        faults += [_fault(file, what, hint, some) for (what, hint), some in wrong.items()]
    if faults:
        raise AdviseError(*faults)
    found = gathered(source, shards, NAMES, answers, lambda _: ())
    if not any(found.parts["train"].labels):
        message = f"no question has an answer in column {answers!r}, so there is nothing to learn"
        raise AdviseError(Fault(message, found.place("train"), hint="give answers with text and answer_start"))
    none, count = (sum(map(size, found.parts.values())) for size in (_unanswerable, len))
    note = f"{source}: {none:,} of {count:,} questions have no answer, so SQuAD 2.0's rules count"
    return Columns(question, context, answers), replace(found, notes=(note,) if none else ())


def _unanswerable(rows: Rows) -> int:
    return rows.labels.count(())


Wrong = dict[tuple[str, str], list[tuple[int, str]]]  # by what is wrong and the hint: row numbers with what was got


def _rows(file: File, question: str, context: str, answers: str) -> tuple[list[tuple[Any, ...]], Wrong]:
    rows: list[tuple[Any, ...]] = []
    wrong: Wrong = {}
    given = file.columns.get(answers) if file.part != "unlabelled" else None
    texts = zip(file.columns[question], file.columns[context], strict=True)
    every = zip(file.numbers, texts, given or _none(file, question), strict=True)
    for number, (asked, text), some in every:
        empty = _no_text(asked, question) or _no_text(text, context)
        found = None if empty or some is None else answers_of(some)
        fault = empty or ("" if some is None else _misplaced(found, text, some))
        if fault:
            what, _, got = fault.partition(": ")
            hint = FILL if empty else HINTS[what]
            wrong.setdefault((what, hint), []).append((number, got))
        else:
            rows.append((asked, text, found))
    return rows, wrong


FILL = "fill these rows or leave them out"
NOWHERE = "have an answer that is not in the context at its answer_start"
NO_ANSWERS = "have no list of answers"
HINTS = {
    NOWHERE: "count answer_start in characters from 0, of the very text in the context column",
    NO_ANSWERS: 'write them as {"text": ["Rome"], "answer_start": [14]}, where 14 counts characters of the context',
}


def _none(file: File, question: str) -> list[None]:
    return [None] * len(file.columns[question])


def _no_text(text: Any, column_: str) -> str:
    return "" if has_text(text) else f"have no text in column {column_!r}: {text!r:.60}"


def _misplaced(found: tuple[Answer, ...] | None, context: str, given: Any) -> str:
    if found is None:
        return f"{NO_ANSWERS}: {given!r:.80}"
    for one in found:
        if one.start < 0 or not has_text(one.text) or context[one.start : one.start + len(one.text)] != one.text:
            there = context[max(0, one.start) : max(0, one.start) + len(one.text)]
            return f"{NOWHERE}: {one.text!r:.60} at {one.start:,}, where {there!r:.60} stands"
    return ""


def answers_of(given: Any) -> tuple[Answer, ...] | None:
    """The answers in either form; None where it is neither."""
    given = literal(given, None) if isinstance(given, str) else given
    if isinstance(given, Mapping):
        texts, starts = given.get("text"), given.get("answer_start")
        if isinstance(texts, str):
            texts, starts = [texts], [starts]
        if not isinstance(texts, list | tuple) or not isinstance(starts, list | tuple) or len(texts) != len(starts):
            return None
        given = [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=True)]
    if not isinstance(given, list | tuple) or not all(isinstance(one, Mapping) for one in given):
        return None
    found = [(one.get("text"), label_of(one.get("answer_start"), None)) for one in given]
    if not all(isinstance(text, str) and isinstance(start, int) and abs(start) < LONGEST for text, start in found):
        return None
    return tuple(dict.fromkeys(Answer(str(text), int(start)) for text, start in found))


def _fault(file: File, what: str, hint: str, rows: Sequence[tuple[int, str]]) -> Fault:
    row, got = rows[0]
    total = len(next(iter(file.columns.values())))
    said = f"{len(rows):,} of {total:,} rows {what}: the first is row {row:,} with {got}"
    return Fault(said, file.place, hint=hint)
