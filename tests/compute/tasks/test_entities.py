"""Entities are counted by conlleval's rules, on literal cases of seqeval's own tests and of CoNLL-2000's script."""

from __future__ import annotations

import pytest
import tiny

from advisor.compute.data.labels import Rows
from advisor.compute.tasks.entities import chunks
from advisor.compute.tasks.metrics import value
from advisor.compute.tasks.token_classification import Detail, TokenClassification

CASES = {
    "B-PER I-PER O B-LOC": [("PER", 0, 2), ("LOC", 3, 4)],
    "O O O": [],
    "": [],
    "B-A": [("A", 0, 1)],
    "B-A B-A": [("A", 0, 1), ("A", 1, 2)],
    "I-A I-A O": [("A", 0, 2)],  # an I without a B begins one
    "O I-A B-A": [("A", 1, 2), ("A", 2, 3)],
    "B-A I-B I-A": [("A", 0, 1), ("B", 1, 2), ("A", 2, 3)],  # another kind begins another one
    "B-A I-A E-A": [("A", 0, 3)],
    "S-A S-A O S-B": [("A", 0, 1), ("A", 1, 2), ("B", 3, 4)],
    "B-A E-A E-A": [("A", 0, 2), ("A", 2, 3)],
    "E-A I-A": [("A", 0, 1), ("A", 1, 2)],
    "B-A O I-A": [("A", 0, 1), ("A", 2, 3)],
    "S-A I-A": [("A", 0, 1), ("A", 1, 2)],
    "I-A S-A": [("A", 0, 1), ("A", 1, 2)],
    "B-e-mail I-e-mail": [("e-mail", 0, 2)],  # a kind may have a hyphen
}


@pytest.mark.parametrize("tags", CASES)
def test_chunks(tags: str) -> None:
    assert chunks(tags.split()) == CASES[tags]


def test_a_row_is_recorded_by_its_entities() -> None:
    """seqeval's example: of two entities one is found, and one that is none; F1 0.5."""
    names = ("O", "B-MISC", "I-MISC", "B-PER", "I-PER")
    gold = (0, 0, 0, 1, 2, 2, 0, 3, 4)
    given = (0, 0, 1, 2, 2, 2, 0, 3, 4)
    task = TokenClassification(names)
    row = task._row(Detail(gold, tuple(range(9)), ("w",) * 9), given)
    assert row == (1, 2, 2, 7, 9, 4, *(0, 1, 1), *(1, 1, 1))  # of all; of MISC and PER
    assert value("entity_f1", task.statistics("entity_f1", [0], [row])) == 0.5
    assert value("token_accuracy", task.statistics("token_accuracy", [0], [row])) == 7 / 9
    (nothing,) = task.constants("entity_f1", [0], [row])
    assert nothing.tolist() == [[0, 0, 2, 4, 9, 4, *(0, 1, 0), *(0, 1, 0)]]


def test_words_without_a_position_get_o() -> None:
    """Words behind the cut are missed entities, not left out."""
    task = TokenClassification(("O", "B-PER"))
    assert task._row(Detail((1, 0, 1), (0, 1), ("a", "b", "c")), (1, 0)) == (1, 1, 2, 2, 3, 1, *(1, 2, 1))


def test_of_a_long_text_only_the_beginning_is_read_and_its_other_words_get_o() -> None:
    task, tokenizer = TokenClassification(("O", "B-PER")), tiny.tokenizer("bert")
    some, long = (
        task.encode(Rows((("object",) * count,), None, ((0,) * count,)), tokenizer, 16) for count in (99, 99_999)
    )
    assert some.tokens == long.tokens and some.details[0].scored == long.details[0].scored
    assert len(long.details[0].tags) == 99_999
