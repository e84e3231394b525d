"""Several labels for each text: how lists are read, and what is said of rows that make no sense."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pytest
from tables import WORDS, faults, write

from advisor.base.errors import AdviseError
from advisor.compute.data.classified_texts import read_texts
from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.dataset import load
from advisor.compute.data.files import File
from advisor.compute.data.label_lists import rows_of_lists
from advisor.compute.data.label_values import listed

LISTS: list[Any] = [["sport"], ["sport", "news"], [], ["news"], None] * 4


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.csv", "saved"])
def test_lists_of_labels_make_several_labels_of_every_format(name: str, tmp_path: Path) -> None:
    lists = [one and json.dumps(one) if name == "a.csv" and one is not None else one for one in LISTS]
    lists = ["[]" if name == "a.csv" and one == [] else one for one in lists]
    data = load(write(tmp_path / name, {"text": WORDS, "labels": lists}))
    assert (data.problem_type, data.label_names) == ("multi_label_classification", ("news", "sport"))
    assert data.unlabelled_samples == 4
    wanted = {"words 0": (0, 1), "words 1": (1, 1), "words 2": (0, 0), "words 3": (1, 0)}
    for rows in (data.train, data.selection, data.report):
        found = dict(zip(rows.texts, rows.labels, strict=True))
        assert all(found[text] == label for text, label in wanted.items() if text in found)


def test_numbers_of_class_labels_stand_for_their_names(tmp_path: Path) -> None:
    kinds = datasets.Features(
        {"text": datasets.Value("string"), "labels": datasets.Sequence(datasets.ClassLabel(names=["no", "yes", "so"]))}
    )
    table = {"text": WORDS, "labels": [[i % 3, (i + 1) % 3] for i in range(20)]}
    datasets.Dataset.from_dict(table, kinds).save_to_disk(str(tmp_path / "saved"))
    data = load(str(tmp_path / "saved"))
    assert data.label_names == ("no", "yes", "so")
    assert all(sum(label) == 2 for label in data.train.labels)


MARKED: list[Any] = [[1, 0, 1], [0, 0, 0], [0, 1, 1], None] * 5


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a.jsonl", list),
        ("a.jsonl", lambda row: [float(one) for one in row]),
        ("a.jsonl", lambda row: [bool(one) for one in row]),
        ("a.csv", json.dumps),
        ("a.csv", lambda row: f"[{' '.join(f'{one}.' for one in row)}]"),  # as numpy writes it
        ("a.csv", lambda row: f"[{' '.join(str(bool(one)).rjust(5) for one in row)}]"),
        ("a.csv", lambda row: f"[{', '.join(f'np.int64({one})' for one in row)}]"),
        ("a.csv", lambda row: str(tuple(row))),
        ("a.jsonl", lambda row: list(map(str, row))),
    ],
)
def test_rows_of_zeros_and_ones_mark_labels_by_their_place(name: str, written: Any, tmp_path: Path) -> None:
    lists = [one and written(one) for one in MARKED]
    data = load(write(tmp_path / name, {"text": WORDS, "labels": lists}))
    assert (data.label_names, data.unlabelled_samples) == (("0", "1", "2"), 5)
    assert set(data.train.labels) == {(1, 0, 1), (0, 0, 0), (0, 1, 1)}
    assert "has rows of 0 and 1, read as marks of 3 labels" in data.notes[-1]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("sport", "label column 'labels' has 'sport' (row 2): expected a list of labels in each row"),
        ([["sport"]], "label column 'labels' has [['sport']] (row 2)"),
        ([0.5], "label column 'labels' has [0.5] (row 2)"),
    ],
)
def test_rows_that_make_no_sense_are_refused_with_their_place(value: Any, said: str, tmp_path: Path) -> None:
    rows = [{"text": text, "labels": ["a"]} for text in WORDS]
    rows[1]["labels"] = value
    told = faults(_saved(tmp_path, rows), problem_type="multi_label_classification")
    assert said in told


def test_a_number_beyond_the_names_is_refused_with_its_row() -> None:
    file = File("train", "a.parquet", {"text": WORDS, "labels": [[0], [1]] * 9 + [[7], []]}, {"labels": ("no", "yes")})
    with pytest.raises(AdviseError, match="row 19: column 'labels' has 7, which is not one of no, yes"):
        read_texts("a.parquet", [file], Named())


@pytest.mark.parametrize("blank", ["  ", "\u200b\u200b", "\ufeff \x07"])
def test_a_text_of_blanks_is_refused_with_its_row(blank: str, tmp_path: Path) -> None:
    texts = [*WORDS[:3], blank, *WORDS[4:]]
    told = faults(write(tmp_path / "a.jsonl", {"text": texts, "labels": [["a"], ["b"]] * 10}))
    assert "no text in row 4, column 'text'" in told


def test_a_label_that_no_train_row_has_is_refused_with_its_row(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", {"text": WORDS, "labels": [["a"], ["b", "a"]] * 10})
    write(tmp_path / "test.jsonl", {"text": ["x", "y", "z"], "labels": [["a"], [], ["b", "third"]]})
    told = faults(tmp_path)
    assert f"{tmp_path / 'test.jsonl'}: row 3: column 'labels' has 'third', which is not one of a, b" in told


@pytest.mark.parametrize("row", ["['a', 'b']", "['a' 'b']", "['a'\n 'b']", '["a", "b"]', "[ 'a', \"b\"]"])
def test_lists_as_pandas_writes_them(row: str, tmp_path: Path) -> None:
    data = load(write(tmp_path / "a.csv", {"text": WORDS, "labels": [row, "['a']"] * 10}))
    assert (data.problem_type, data.label_names) == ("multi_label_classification", ("a", "b"))
    assert set(data.train.labels) == {(1, 1), (1, 0)}


def test_what_stands_within_quotes_stays_as_it_is() -> None:
    assert listed("['top 10 2020' 'b']") == ["top 10 2020", "b"]
    assert listed(r"['a\'b' 'c']") == ["a'b", "c"]
    assert listed("[0 -1\n 12]") == [0, -1, 12]


def _saved(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """Rows in CSV, which alone may hold values of several kinds; lists as JSON."""
    import csv

    with (folder / "b.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "labels"])
        for row in rows:
            own = row["labels"]
            writer.writerow([row["text"], own if isinstance(own, str) else json.dumps(own)])
    return folder / "b.csv"


def test_marks_are_told_from_numbers_of_labels() -> None:
    def read(lists: list[Any]) -> tuple[str, ...]:
        rows = {"text": [f"words {i}" for i in range(len(lists))], "labels": lists}
        return rows_of_lists("here", [File("train", "here", rows, {})], Columns("text", None, "labels")).names

    assert read([[0], [1], [0, 1], []]) == ("0", "1")  # no row has a label twice, and they are not of one length
    assert read([[0, 1], [1, 0]]) == read([[0, 0], [1, 1]]) == ("0", "1")
    assert read([[0, 1], [1, 2]]) == ("0", "1", "2")
    for odd in ([0, 1], [2, 0, 1], [1, 0, 1, 1]):
        with pytest.raises(AdviseError, match=rf"\[{str(odd)[1:-1]}\] \(row 21\): expected 3 of 0 and 1"):
            read([[1, 0, 1], [0, 0, 0]] * 10 + [odd])
    for soft in ([0.5, 0.2, 0.3], [float("nan"), 0.0, 1.0]):
        with pytest.raises(AdviseError, match=r"\(row 1\): expected a list of labels in each row"):
            read([soft] * 20)
    assert read([[1, 0, 1], [0, 1, 0]] * 4 + [[-1, -1, -1]]) == ("0", "1", "2")  # which has no label


def test_marks_of_named_labels_have_their_names(tmp_path: Path) -> None:
    for names, found in ((["bad", "rude", "spam"], ("bad", "rude", "spam")), (["no", "yes"], ("0", "1", "2"))):
        kinds = datasets.Sequence(datasets.ClassLabel(names=names))
        features = datasets.Features({"text": datasets.Value("string"), "labels": kinds})
        table = {"text": WORDS, "labels": [[i % 2, 0, 1] for i in range(20)]}
        datasets.Dataset.from_dict(table, features).save_to_disk(str(tmp_path / names[0]))
        data = load(str(tmp_path / names[0]))
        assert data.label_names == found and set(data.train.labels) == {(0, 0, 1), (1, 0, 1)}
