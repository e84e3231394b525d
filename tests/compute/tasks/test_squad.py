"""Answers are compared by SQuAD's rules, and the best span of all windows counts."""

from __future__ import annotations

import math

import pytest
import tiny
import torch
from transformers import BertConfig, BertForQuestionAnswering

from advisor.base.generators import result_of
from advisor.compute.data.answered_questions import Answer
from advisor.compute.data.batches import Encoded
from advisor.compute.data.labels import Rows
from advisor.compute.tasks.question_answering import NEVER, Detail, Found, QuestionAnswering, _best, _label, _span
from advisor.compute.tasks.squad import best, f1, normalised
from advisor.facts.tasks import settings_of_config


def test_normalised() -> None:
    assert normalised("The  Eiffel-Tower, an icon!") == "eiffeltower icon"
    assert normalised("A.D. 70") == "ad 70"


@pytest.mark.parametrize(
    ("given", "wanted", "expected"),
    [
        ("the Denver Broncos", "Denver Broncos", (1.0, 1.0)),
        ("Denver", "Denver Broncos", (2 / 3, 0.0)),
        ("", "Denver", (0.0, 0.0)),
        ("the", "a", (1.0, 1.0)),  # nothing is left of either
        ("Broncos Broncos", "Broncos", (2 / 3, 0.0)),
    ],
)
def test_answers(given: str, wanted: str, expected: tuple[float, float]) -> None:
    assert best(given, [wanted]) == pytest.approx(expected)


def test_the_answer_that_suits_best_counts() -> None:
    assert best("in 1990", ["1990", "in 1990 or so"]) == (f1("in 1990", "in 1990 or so"), 0.0)
    assert best("1990", ["May 1990", "1990"]) == (1.0, 1.0)


def scores(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows)


def test_best_span() -> None:
    start, end = [0.0, NEVER, 3.0, 1.0, 0.0], [0.0, NEVER, 0.0, 4.0, 1.0]
    (found,) = _best(scores(start, end))
    assert (found.start, found.end) == (2, 3)
    both = [torch.tensor(one).softmax(0)[place] for one, place in ((start, 2), (end, 3))]
    assert math.exp(found.score) == pytest.approx(float(both[0] * both[1]))


def test_an_end_before_its_start_is_no_answer() -> None:
    (found,) = _best(scores([0.0, 0.0, 9.0], [0.0, 9.0, 1.0]))
    assert (found.start, found.end) == (2, 2)


def test_no_span_is_longer_than_thirty_tokens() -> None:
    start, end = torch.zeros(50), torch.zeros(50)
    start[5], end[40], end[34] = 9, 9, 5
    (found,) = _best(torch.stack([start, end]))
    assert (found.start, found.end) == (5, 34)


def test_the_answer_is_labelled_where_a_window_holds_it_whole() -> None:
    places = (None, (0, 4), (5, 9), (9, 12), None)
    assert _label(places, [Answer("efghijk", 5)]) == (2, 3)
    assert _label(places, [Answer("efghijklmnop", 5)]) == (0, 0)
    assert _label(places, [Answer("fgh", 6)]) == (2, 2)  # the tokens around it
    assert _label(places, ()) == (0, 0)


def test_an_answer_begins_with_its_word_where_the_token_has_the_blank_before() -> None:
    found = _span(Found(0.0, 1, 2), Detail(0, (None, (3, 8), (8, 14)), 3, "ctx Anna lives", ()))
    assert (found.text, found.start, found.end) == ("Anna lives", 4, 14)


def test_of_a_long_question_only_the_beginning_is_read() -> None:
    task, tokenizer = QuestionAnswering(("start", "end")), tiny.tokenizer("bert")
    asked = (Rows((" object" * count,), ("the returned object",), ((),)) for count in (999, 99_999))
    some, long = (task.encode(rows, tokenizer, 48) for rows in asked)
    assert some.tokens == long.tokens and len(long.tokens[0]) <= 48


def test_no_answer_where_its_score_exceeds_the_best_span_s_in_every_window() -> None:
    """Two windows of a question that has no answer, then one that has: the first token wins everywhere, or not."""
    task = QuestionAnswering(("start", "end"), unanswerable=True)
    places = (None, (0, 4), (5, 9))
    details = [
        Detail(0, places, 3, "Anna lives", ()),
        Detail(0, places, 3, "Anna lives", ()),
        Detail(1, places, 3, "Anna lives", (Answer("Anna", 0),)),
    ]
    rows = Encoded(((0, 1, 2),) * 3, ((0, 0), (0, 0), (1, 1)), tuple(details))
    batch = task.collate(rows, [0, 1, 2], 0)
    none, some = [[6.0, 6.0], [1.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [6.0, 6.0], [0.0, 0.0]]
    for own, answers, table in (
        ([none, none, some], ("no answer", "Anna"), [[1, 1, 1], [1, 1, 0]]),
        ([none, some, none], ("Anna", "no answer"), [[0, 0, 1], [0, 0, 0]]),
    ):
        raw = torch.tensor(own)
        found = result_of(task.judging(lambda raw=raw, **_: raw, [batch], rows))
        assert (found.answers, found.table.tolist()) == (answers, table)
    (constant,) = task.constants("answer_f1", [(), ()], found.table.numpy())
    assert constant[:, 0].tolist() == [1, 0]  # it is right where there is none
    assert best("", [""]) == (1, 1) and best("Anna", [""]) == (0, 0)  # as the script of version 2.0 has it


def test_a_model_that_learned_to_give_no_answer_forgets_it_where_all_have_one() -> None:
    model = BertForQuestionAnswering(
        BertConfig(vocab_size=8, hidden_size=4, num_hidden_layers=1, num_attention_heads=1, intermediate_size=4)
    )
    for unanswerable in (False, True, False):
        QuestionAnswering(("start", "end"), unanswerable=unanswerable).scorer(model, None)
        found = settings_of_config(model.config.to_dict(), "question-answering")
        assert found.get("unanswerable", False) == unanswerable


def test_the_surest_window_answers() -> None:
    """Two windows of one question: one row is recorded, and its answer is the surer one's."""
    task = QuestionAnswering(("start", "end"))
    details = [
        Detail(0, (None, (0, 4), (5, 9)), 3, "Anna lives", (Answer("Anna", 0),)),
        Detail(0, (None, (5, 10), (11, 13)), 3, "Anna lives in", (Answer("Anna", 0),)),
    ]
    rows = Encoded(((0, 1, 2),) * 2, ((1, 1), (0, 0)), tuple(details))
    batch = task.collate(rows, [0, 1], 0)
    raw = torch.tensor([[[0.0, 0.0], [6.0, 6.0], [0.0, 0.0]], [[5.0, 5.0], [1.0, 1.0], [0.0, 0.0]]])
    found = result_of(task.judging(lambda **_: raw, [batch], rows))
    assert found.table.tolist() == [[1.0, 1.0]] and found.answers == ("Anna",)
    (answer,) = task.answer(lambda **_: raw, [batch], rows, [""])
    assert (answer.text, answer.start, answer.end) == ("Anna", 0, 4)
