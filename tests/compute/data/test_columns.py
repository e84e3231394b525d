"""Which columns are text and label, how labels are numbered, and what is said of tables that cannot be understood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pytest
from tables import NAMES, WORDS, Table, faults, reviews, write

from advisor.base.errors import AdviseError
from advisor.compute.data.classified_texts import read_texts
from advisor.compute.data.columns import Named
from advisor.compute.data.dataset import Columns, Rows, load
from advisor.compute.data.files import File

LABELS = {
    "strings": (["pos", "neg"], ("neg", "pos")),
    "booleans": ([True, False], ("False", "True")),
    "from-one": ([1, 2, 3, 10], ("1", "2", "3", "10")),
    "numbers-in-strings": (["10", "9"], ("9", "10")),
    "whole-floats": ([1.0, 0.0], ("0", "1")),
    "strange-strings": (["nan", "inf", "b"], ("b", "inf", "nan")),
}


@pytest.mark.parametrize(("values", "names"), LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_labels_count_from_zero_in_sorted_order(tmp_path: Path, values: list[Any], names: Any, suffix: str) -> None:
    table = {"text": [f"text {i}" for i in range(40)], "label": (values * 40)[:40]}
    data = load(write(tmp_path / f"a{suffix}", table))
    assert data.label_names == names
    expected = {text: str(label) for text, label in zip(*table.values(), strict=True)}
    for text, label in zip(data.train.texts, data.train.labels, strict=True):
        assert names[label] in (expected[text], expected[text].removesuffix(".0"))


LAYOUTS = {
    "cola": ("sentence label idx", "sentence - label"),
    "mrpc": ("sentence1 sentence2 label idx", "sentence1 sentence2 label"),
    "qqp": ("question1 question2 label idx", "question1 question2 label"),
    "mnli": ("premise hypothesis label idx", "premise hypothesis label"),
    "qnli": ("question sentence label idx", "question sentence label"),
    "text-pair": ("text_pair text label", "text text_pair label"),
    "imdb": ("text label", "text - label"),
    "imdb-kaggle": ("review sentiment", "review - sentiment"),
    "upper-case": ("Idx Text Category", "Text - Category"),
    "amazon": ("label title content", "content - label"),
    "only-columns": ("idx utterance kind", "utterance - kind"),
}


@pytest.mark.parametrize(("layout", "expected"), LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_columns_are_found(tmp_path: Path, layout: str, expected: str, suffix: str) -> None:
    short: Table = {
        "label": [0, 1],
        "kind": ["a", "b"],
        "sentiment": ["neg", "pos"],
        "category": [True, False],
    }
    table: Table = {
        name: short[name.lower()] * 10 if name.lower() in short else [f"{name} in words {i}" for i in range(20)]
        for name in layout.split()
    }
    table |= {name: list(range(20)) for name in table if name.lower() == "idx"}
    text, pair, label = expected.split()
    assert load(write(tmp_path / f"a{suffix}", table)).columns == Columns(text, None if pair == "-" else pair, label)


def test_the_longest_strings_are_the_text_and_a_class_label_is_the_label(tmp_path: Path) -> None:
    table: Table = {
        "user": ["x", "y"] * 10,
        "said": [f"a long enough remark {i}" for i in range(20)],
        "label": [0, 1] * 10,
    }
    path = Path(write(tmp_path / "a.parquet", table, NAMES))
    datasets.Dataset.from_parquet(str(path), keep_in_memory=True).rename_column("label", "mood").to_parquet(str(path))
    assert load(str(path)).columns == Columns("said", None, "mood")


def test_named_columns_are_taken(tmp_path: Path) -> None:
    words = [f"words {i}" for i in range(20)]
    source = write(
        tmp_path / "a.csv", {"sentence1": words, "sentence2": words, "a": [0, 1] * 10, "b": [1, 1, 0, 0] * 5}
    )
    assert load(source, text="sentence2", label="b").columns == Columns("sentence2", None, "b")
    assert load(source, pair="sentence2", label="a").columns == Columns("sentence1", "sentence2", "a")
    assert load(source, text="sentence2", pair="sentence1", label="a").columns.pair == "sentence1"


NAME_THEM = "\n  try: name the columns with --text, --pair and --label"
COLUMN_FAULTS = {
    "two-labels": (
        {"text": WORDS, "label": [0, 1] * 10, "target": [0, 1] * 10},
        "2 columns could be the label: label, target (columns: text, label, target)",
    ),
    "two-kinds": (
        {"text": WORDS, "a": [0, 1] * 10, "b": ["x", "y"] * 10},
        "2 columns could be the label: a, b (columns: text, a, b)",
    ),
    "no-label": ({"text": WORDS, "idx": list(range(20))}, "no label column (columns: text, idx)"),
    "three-texts": (
        {"question1": WORDS, "premise": WORDS, "text": WORDS, "label": [0, 1] * 10},
        "3 columns could be the text: question1, premise, text (columns: question1, premise, text, label)",
    ),
    "two-strings": (
        {"one": WORDS, "two": WORDS, "label": [0, 1] * 10},
        "2 columns could be the text: one, two (columns: one, two, label)",
    ),
    "no-text": ({"n": list(range(20)), "label": [0, 1] * 10}, "no text column (columns: n, label)"),
}


@pytest.mark.parametrize(("table", "message"), COLUMN_FAULTS.values(), ids=COLUMN_FAULTS)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_columns_that_cannot_be_told(tmp_path: Path, table: Table, message: str, suffix: str) -> None:
    source = write(tmp_path / f"a{suffix}", table)
    assert faults(source) == f"{source}: {message}{NAME_THEM}"


def test_named_columns_that_are_not_there_or_twice(tmp_path: Path) -> None:
    source = write(tmp_path / "a.csv", reviews(20))
    assert faults(source, text="txt", label="lable") == (
        f"{source}: no column 'txt'\n  try: did you mean 'text'?\n"
        f"{source}: no column 'lable'\n  try: did you mean 'label'?"
    )
    assert faults(source, text="text", pair="text") == f"{source}: one column is named twice: text, text{NAME_THEM}"


def test_missing_texts_are_counted_in_every_file_at_once(tmp_path: Path) -> None:
    train, test = reviews(40), reviews(40, 100)
    train["text"][3] = train["text"][7] = test["text"][0] = None
    for name, table in {"train": train, "test": test}.items():
        write(tmp_path / f"{name}.csv", table)
    fill = "\n  try: fill these rows or leave them out"
    assert faults(tmp_path) == (
        f"{tmp_path}/train.csv: 2 of 40 rows have no text in column 'text': the first is row 4 with None"
        f"{fill}\n"
        f"{tmp_path}/test.csv: 1 of 40 rows have no text in column 'text': the first is row 1 with None{fill}"
    )


def test_texts_of_blanks_give_no_token_and_are_refused(tmp_path: Path) -> None:
    table = reviews(40)
    table["text"][4] = " \n"
    told = faults(write(tmp_path / "a.jsonl", table))
    assert "1 of 40 rows have no text in column 'text': the first is row 5 with ' \\n'" in told
    pairs = {"text": WORDS, "text_pair": [*WORDS[:-1], ""], "label": [0, 1] * 10}
    assert "have no text in column 'text_pair': the first is row 20 with ''" in faults(
        write(tmp_path / "b.jsonl", pairs)
    )


@pytest.mark.parametrize(
    ("columns", "task"),
    [
        ({"tokens": [["a", "b"]], "ner_tags": [["O", "O"]]}, "token-classification"),
        ({"question": ["who?"], "context": ["me"], "answers": [["me"]]}, "question-answering"),
        ({"article": ["a text"], "highlights": ["a"]}, "summarization"),
        ({"image": [1.5], "label": ["a"]}, "image-classification"),
    ],
)
def test_columns_of_another_task_are_told_by_its_name(columns: Table, task: str, tmp_path: Path) -> None:
    table = {name: values * 20 for name, values in columns.items()}
    assert f"data: {{task: {task}}}" in faults(write(tmp_path / "a.jsonl", table))


@pytest.mark.parametrize("odd", [7, 2, -3, "other"])
def test_labels_outside_of_the_names_of_a_class_label(odd: Any, tmp_path: Path) -> None:
    """A Parquet file may hold such numbers: nobody looks at them where it is written or read."""
    labels = [row % 2 if row != 5 else odd for row in range(20)]
    file = File("train", "a.parquet", {"text": WORDS, "label": labels}, {"label": ("neg", "pos")})
    with pytest.raises(AdviseError) as error:
        read_texts("a.parquet", [file], Named())
    told = (
        f"a.parquet: label column 'label' has {odd!r} (row 6), which is beyond its names; they are numbered from 0 to 1"
    )
    assert told in str(error.value)


def test_texts_that_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a", "label": 1}\n{"text": 5, "label": 0}\n')
    assert "1 of 2 rows have no text in column 'text': the first is row 2 with 5" in faults(tmp_path / "a.jsonl")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_fractions_are_regression(tmp_path: Path, suffix: str) -> None:
    numbers = [row / 2 for row in range(20)]
    source = write(tmp_path / f"a{suffix}", {"text": WORDS, "label": numbers})
    data = load(source)
    assert (data.problem_type, data.label_names) == ("regression", ("label",))
    given = {text: label for rows in (data.train, data.selection, data.report) for text, label in labelled(rows)}
    assert given == dict(zip(WORDS, numbers, strict=True))
    assert all(isinstance(label, float) for label in data.train.labels)
    assert faults(source, problem_type="single_label_classification") == (
        f"{source}: label column 'label' has fractions (row 2: 0.5): that is regression\n"
        "  try: give problem_type: regression"
    )


def labelled(rows: Rows) -> list[tuple[str, float]]:
    return list(zip(rows.texts, rows.labels, strict=True))


def test_whole_numbers_are_classes_unless_the_task_says_otherwise(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", {"text": WORDS, "label": [row % 5 - 1 for row in range(20)]})
    assert (load(source).problem_type, load(source).unlabelled_samples) == ("single_label_classification", 4)
    data = load(source, problem_type="regression")
    assert data.unlabelled_samples == 0 and set(data.train.labels) <= {-1.0, 0.0, 1.0, 2.0, 3.0}
    assert sum(map(len, (data.train, data.selection, data.report))) == 20
    assert load(source, problem_type="regression", max_samples=3).samples == 3


def test_a_split_of_nothing_but_minus_one_is_unlabelled_in_a_regression_too(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", {"text": WORDS, "label": [row / 4 - 1 for row in range(20)]})
    write(tmp_path / "test.csv", {"text": ["x", "y"], "label": [-1.0, -1.0]})
    data = load(str(tmp_path))
    assert (data.problem_type, data.unlabelled_samples) == ("regression", 2)
    assert -1.0 in {*data.train.labels, *data.selection.labels, *data.report.labels}


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ([0.5, "good", *[1.0] * 18], "label column 'label' has 'good' (row 2), which is not a number"),
        ([0.5] * 20, "every train row has the label 0.5, so there is nothing to learn"),
    ],
)
def test_labels_that_a_regression_cannot_have(tmp_path: Path, labels: list[Any], why: str) -> None:
    lines = [json.dumps({"text": text, "label": str(label)}) for text, label in zip(WORDS, labels, strict=True)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    assert why in faults(tmp_path / "a.jsonl")


def test_a_regression_needs_four_texts(tmp_path: Path) -> None:
    source = write(tmp_path / "a.csv", {"text": ["a", "b", "c"], "label": [1.0, 2.5, 3.0]})
    assert "a regression needs 4 different texts, and there are 3" in faults(source)


def test_label_names_in_another_order(tmp_path: Path) -> None:
    write(tmp_path / "train.parquet", reviews(40), NAMES)
    write(tmp_path / "test.parquet", reviews(40, 100), datasets.ClassLabel(names=["pos", "neg"]))
    hint = "\n  try: give all splits the same label names in the same order"
    assert faults(tmp_path) == (
        f"{tmp_path}/train.parquet: label names: neg, pos{hint}\n{tmp_path}/test.parquet: label names: pos, neg{hint}"
    )
