"""Words and tags are read in every form that people have them in, and refused with row and column."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest

from advisor.base.errors import AdviseError
from advisor.compute.data.columns import Named
from advisor.compute.data.dataset import TaskData, load
from advisor.compute.data.files import File
from advisor.compute.data.joined_texts import joined
from advisor.compute.data.labels import Labelled, Rows
from advisor.compute.data.tagged_words import read_tagged

WORDS = [["Anna", "lives", "in", "Rome"], ["Rome"], ["it", "rains"], ["New", "York", "!"]]
TAGS = [["B-per", "O", "O", "B-loc"], ["B-loc"], ["O", "O"], ["B-loc", "I-loc", "O"]]
DECLARED = ("O", "B-per", "B-loc", "I-loc")
NAMES = ("O", "B-loc", "I-loc", "B-per")
CODES = ((3, 0, 0, 1), (1,), (0, 0), (1, 2, 0))


def read(words: list[Any], tags: list[Any], names: tuple[str, ...] | None = None, **named: str) -> Labelled:
    file = File("train", "rows.jsonl", {"tokens": words, "tags": tags}, {"tags": names} if names else {})
    return read_tagged("rows.jsonl", [file], Named(**named))[1]


def refused(words: list[Any], tags: list[Any], names: tuple[str, ...] | None = None) -> str:
    with pytest.raises(AdviseError) as error:
        read(words, tags, names)
    return str(error.value)


@pytest.mark.parametrize(
    ("words", "tags", "names"),
    [
        (WORDS, TAGS, None),
        ([" ".join(row) for row in WORDS], [" ".join(row) for row in TAGS], None),
        (WORDS, [[DECLARED.index(tag) for tag in row] for row in TAGS], DECLARED),
    ],
)
def test_forms(words: list[Any], tags: list[Any], names: tuple[str, ...] | None) -> None:
    found = read(words, tags, names)
    assert (found.names, found.parts["train"].labels) == (NAMES, CODES)
    assert found.parts["train"].texts == tuple(map(tuple, WORDS))


def test_numbers_without_names_are_in_the_usual_order() -> None:
    found = read(WORDS, [[1, 0, 0, 3], [3], [0, 0], [3, 4, 0]])
    assert found.names == ("O", "B-1", "I-1", "B-2", "I-2")
    assert (
        "column 'tags' has numbers without names: 0 is read as O, and those after it as B and I of 2 kinds"
        in found.notes[0]
    )
    assert read(["a b", "c", "d", "e"], ["1 2", "0", "0", "1"]).names == ("O", "B-1", "I-1")
    assert "row 2: column 'tags' has the number 4 after 0" in refused(WORDS[:2], [[1, 0, 0, 1], [4]])


def test_rows_without_tags_are_to_distil_on_and_those_without_words_are_dropped() -> None:
    found = read([*WORDS, ["more", "words"], []], [*TAGS, None, []])
    assert len(found.parts["train"]) == 4 and found.notes == ("rows.jsonl: 1 row without words left out",)
    assert (found.unlabelled.texts, found.unlabelled.labels) == ((("more", "words"),), ((0, 0),))


def test_rows_that_make_no_sense_are_refused() -> None:
    said = refused(WORDS, [TAGS[0], TAGS[1], ["O"], TAGS[3]])
    assert "1 of 4 rows have another number of tags in column 'tags' than of words in column 'tokens'" in said
    assert "the first is row 3 with 2 words and 1 tags" in said
    assert "row 4: column 'tags' has the tag 9, which is beyond its kinds; they are numbered from 0 to 1" in refused(
        [WORDS[0], [], *WORDS[2:]], [[0, 0, 0, 0], [], [0, 0], [1, 9, 0]], ("O", "B-loc")
    )
    told = refused([["a"], ["a", "b"]], [["O"], ["NOUN", "VERB"]])
    assert "row 2: column 'tags' has tags that name no entity: NOUN, VERB" in told
    assert "have neither a text nor a list of words in column 'tokens': the first is row 2 with 7" in refused(
        [["a"], 7], [["O"], ["O"]]
    )


def test_columns_are_named_or_of_usual_names() -> None:
    file = File("train", "rows.jsonl", {"a": WORDS, "b": TAGS}, {})
    assert read_tagged("rows.jsonl", [file], Named("a", None, "b"))[0].label == "b"
    with pytest.raises(AdviseError, match="no words column"):
        read_tagged("rows.jsonl", [file], Named())
    with pytest.raises(AdviseError, match="no second text"):
        read_tagged("rows.jsonl", [file], Named("a", "b", None))


def test_files(tmp_path: Path) -> None:
    """A saved list of ClassLabel keeps its names; rows of one content are in one part only."""
    kinds = {"tokens": datasets.Value("string"), "ner_tags": datasets.ClassLabel(names=["O", "B-x"])}
    features = datasets.Features({name: datasets.List(kind) for name, kind in kinds.items()})
    rows = {"tokens": [[f"w{row}", "x"] for row in range(40)], "ner_tags": [[0, row % 2] for row in range(40)]}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "train.parquet")
    found = loaded(tmp_path / "train.parquet")
    assert found.label_names == ("O", "B-x")
    assert (found.task, found.samples + found.eval_samples + len(found.selection)) == ("token-classification", 40)
    lines = [json.dumps({"text": " ".join(w), "tags": t}) for w, t in zip(WORDS, TAGS, strict=True)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    assert loaded(tmp_path / "rows.jsonl").label_names == NAMES


def loaded(path: Path) -> TaskData:
    return load(str(path), task="token-classification", read_rows=read_tagged)


def test_joined_words_stay_words() -> None:
    rows = joined(Rows((("a", "b"), ("c",)), None, ((0, 1), (0,))), 10, 0)
    assert len(rows) == 2
    assert all(
        isinstance(text, tuple) and len(text) == len(label) for text, label in zip(rows.texts, rows.labels, strict=True)
    )


def test_a_kind_that_no_train_row_has_is_said_with_its_row() -> None:
    files = [
        File("train", "train.jsonl", {"tokens": WORDS, "tags": TAGS}, {}),
        File("test", "test.jsonl", {"tokens": [["a"], ["b", "c"]], "tags": [["B-loc"], ["B-org", "I-org"]]}, {}),
    ]
    notes = read_tagged("all", files, Named())[1].notes
    assert notes == ("test.jsonl: row 2: column 'tags' has the kind org, which no train row has",)


def test_rows_of_words_without_width_are_left_out() -> None:
    found = read([*WORDS, ["\u200b", ""]], [*TAGS, ["O", "O"]])
    assert len(found.parts["train"]) == len(WORDS)
    assert found.notes == ("rows.jsonl: 1 row without words left out",)


@pytest.mark.parametrize("form", [json.dumps, repr, lambda row: f"[{' '.join(map(repr, row))}]"])
def test_lists_of_words_and_tags_in_csv(form: Callable[[list[str]], str]) -> None:
    found = read([form(row) for row in WORDS], [form(row) for row in TAGS])
    assert (found.names, found.parts["train"].labels) == (NAMES, CODES)
    assert found.parts["train"].texts == tuple(map(tuple, WORDS))


def test_words_that_begin_with_a_bracket_are_no_list() -> None:
    texts = read(["[ sic ]", "[ 2 ]", "[]"], ["O O O", "O O B-x", "O"]).parts["train"].texts
    assert texts == (("[", "sic", "]"), ("[", "2", "]"), ("[]",))


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ("0 -5", "row 3: column 'tags' has the number -5 after 0"),
        ("0 B-x", "row 3: column 'tags' has 'B-x', where the rows before it have numbers"),
    ],
)
def test_the_row_that_differs_is_named(tags: str, said: str) -> None:
    assert said in refused(["a b", "c", "it rains"], ["1 2", "0", tags])


def test_test_rows_that_are_all_train_rows_are_said(tmp_path: Path) -> None:
    rows = "".join(json.dumps({"tokens": words, "tags": tags}) + "\n" for words, tags in zip(WORDS, TAGS, strict=True))
    for name in ("train", "test"):
        (tmp_path / f"{name}.jsonl").write_text(rows)
    with pytest.raises(AdviseError, match="no train rows are left: all of them equal rows of another split"):
        load(str(tmp_path), read_rows=read_tagged)


def test_tags_that_name_no_entity_at_all_teach_nothing(tmp_path: Path) -> None:
    rows = {"tokens": [["one", f"word{n}"] for n in range(20)], "ner_tags": [["O", "O"]] * 20}
    with pytest.raises(AdviseError, match="every word of the train rows has the tag O in column 'ner_tags'"):
        read_tagged("here", [File("train", "here", rows, {})], Named(None, None, None))


def test_words_without_their_sentence_are_told() -> None:
    rows = {"word": [f"word{n}" for n in range(20)], "tag": ["O", "B-person"] * 10}
    _, found = read_tagged("here", [File("train", "here", rows, {})], Named("word", None, "tag"))
    (note,) = found.notes
    assert note.startswith("here: each row has one word, so none is seen in its sentence: give each sentence a row")
