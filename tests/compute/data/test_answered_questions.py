"""Questions with answers are read as SQuAD's JSON and as rows, and refused with row and column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from advisor.base.errors import AdviseError
from advisor.compute.data.answered_questions import Answer, read_questions
from advisor.compute.data.columns import Named
from advisor.compute.data.dataset import load
from advisor.compute.data.files import File
from advisor.compute.data.labels import Labelled

CONTEXT = "Anna lives in Rome."
ROME = {"text": ["Rome"], "answer_start": [14]}


def read(answers: Any, context: Any = CONTEXT) -> Labelled:
    columns = {"question": ["Where?"], "context": [context], "answers": [answers]}
    return read_questions("rows.jsonl", [File("train", "rows.jsonl", columns, {})], Named())[1]


@pytest.mark.parametrize(
    "answers",
    [
        ROME,
        [{"text": "Rome", "answer_start": 14}],
        {"text": "Rome", "answer_start": 14},
        json.dumps(ROME),  # as a CSV has it
        str(ROME),
        "{'text': array(['Rome'], dtype='<U4'), 'answer_start': [np.int64(14)]}",
        "{'text': ['Rome'], 'answer_start': [14.0]}",
        "{'text': array(['Rome', 'Rome'],\n  dtype=object), 'answer_start': array([14, 14], dtype=int32)}",
        {"text": ["Rome", "Rome"], "answer_start": [14, 14]},
    ],
)
def test_forms(answers: Any) -> None:
    rows = read(answers).parts["train"]
    assert (rows.texts, rows.pairs, rows.labels) == (("Where?",), (CONTEXT,), ((Answer("Rome", 14),),))


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"text": ["Rome"], "answer_start": [13]}, "is row 1 with 'Rome' at 13, where ' Rom' stands"),
        ({"text": ["Rome"], "answer_start": [-5]}, "not in the context at its answer_start"),
        ({"text": ["Oslo"], "answer_start": [14]}, "with 'Oslo' at 14, where 'Rome' stands"),
        ({"text": [], "answer_start": []}, "no question has an answer in column 'answers'"),
        ({"text": ["Rome"]}, "have no list of answers"),
        ("Rome", "have no list of answers: the first is row 1 with 'Rome'"),
    ],
)
def test_answers_that_are_not_there_are_refused(answers: Any, said: str) -> None:
    with pytest.raises(AdviseError) as error:
        read(answers)
    assert said in str(error.value)


def test_questions_without_an_answer_are_squad_2_s(tmp_path: Path) -> None:
    file = tmp_path / "train.json"
    own = {"answers": [{"text": "Rome", "answer_start": 14}], "is_impossible": False}
    none = {"answers": [], "is_impossible": True, "plausible_answers": [{"text": "Anna", "answer_start": 0}]}
    questions = [{"id": "x", "question": f"Where {n}?", **(none if n % 3 == 0 else own)} for n in range(9)]
    file.write_text(json.dumps({"version": "v2.0", "data": [{"paragraphs": [{"context": CONTEXT, "qas": questions}]}]}))
    found = load(str(file), task="question-answering", read_rows=read_questions)
    rows = [*found.train.labels, *found.selection.labels, *found.report.labels]
    assert found.unanswerable and rows.count(()) == 3
    assert found.notes == (f"{file}: 3 of 9 questions have no answer, so SQuAD 2.0's rules count",)


def test_no_context() -> None:
    with pytest.raises(AdviseError, match="have no text in column 'context': the first is row 1 with None") as error:
        read(ROME, None)
    assert "fill these rows or leave them out" in str(error.value)


def test_squad_json(tmp_path: Path) -> None:
    file = tmp_path / "train.json"
    answers = [{"text": "Rome", "answer_start": 14}]
    questions = [{"id": str(number), "question": f"Where {number}?", "answers": answers} for number in range(9)]
    article = {"title": "Anna", "paragraphs": [{"context": CONTEXT, "qas": questions}]}
    file.write_text(json.dumps({"version": "1.1", "data": [article]}))
    found = load(str(file), task="question-answering", read_rows=read_questions)
    assert (found.columns.text, found.columns.pair, found.columns.label) == ("question", "context", "answers")
    assert found.samples + len(found.selection) + found.eval_samples == 9
    assert set(found.train.labels) == {(Answer("Rome", 14),)}
    file.write_text(json.dumps({"version": "1.1", "data": [{"paragraphs": [{"qas": questions}]}]}))
    with pytest.raises(AdviseError, match=r"train\.json: article 1, paragraph 1: the key 'context' is not there"):
        load(str(file), task="question-answering", read_rows=read_questions)


@pytest.mark.parametrize(
    ("paragraph", "said"),
    [
        ({"qas": []}, "article 1, paragraph 2: the key 'context' is not there"),
        ({"context": None, "qas": []}, "article 1, paragraph 2: the key 'context' has an odd value"),
        ({"context": "x", "qas": [{"id": 1}]}, "article 1, paragraph 2, question 1: the key 'question' is not there"),
        ({"qas": [{"id": 1}, {}]}, "'context' is not there(.|\n)*question 1 and 1 other place: the key 'question'"),
    ],
)
def test_what_is_missing_in_squad_json_is_named_with_its_place(
    paragraph: dict[str, Any], said: str, tmp_path: Path
) -> None:
    asked = {"question": "Where?", "answers": [{"text": "Rome", "answer_start": 14}]}
    article = {"paragraphs": [{"context": CONTEXT, "qas": [asked]}, paragraph]}
    (tmp_path / "a.json").write_text(json.dumps({"data": [article]}))
    with pytest.raises(AdviseError, match=said) as error:
        load(str(tmp_path / "a.json"), task="question-answering", read_rows=read_questions)
    assert "UTF-8" not in str(error.value)


def test_a_question_without_width_is_no_question() -> None:
    with pytest.raises(AdviseError, match="have no text in column 'context': the first is row 1"):
        read(ROME, "\u200b")


@pytest.mark.parametrize("answers", ["{[1]: 2}", "{{1}}", f"{{'text': ['Rome'], 'answer_start': [-{hex(16**5000)}]}}"])
def test_what_is_no_answer_in_python_s_form_either_is_told(answers: str) -> None:
    with pytest.raises(AdviseError, match="have no list of answers: the first is row 1 with"):
        read(answers)


def test_an_array_within_an_answer_stays_a_text() -> None:
    rows = read("{'text': [\"it's array([1])\"], 'answer_start': array([0])}", "it's array([1])").parts["train"]
    assert rows.labels == ((Answer("it's array([1])", 0),),)
