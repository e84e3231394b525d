"""Delimited text as people have it, and what is said of what was assumed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tables import faults, reviews, texts, write

from advisor.compute.data.dataset import Columns, TaskData, load

ROWS = [(f"the film, number {i}, was {'fine' if i % 2 else 'dull'}", "pos" if i % 2 else "neg") for i in range(40)]
ALL = {text for text, _ in ROWS}


def read(path: Path, content: str | bytes, **options: bool) -> TaskData:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    data = load(str(path), **options)  # type: ignore[arg-type]
    assert texts(data.train) | texts(data.selection) | texts(data.report) == ALL
    assert data.label_names == ("neg", "pos")
    return data


def lines(delimiter: str, quote: str = "", head: bool = True) -> str:
    rows = [("text", "label"), *ROWS] if head else ROWS
    return "".join(f"{quote}{text}{quote}{delimiter}{label}\n" for text, label in rows)


@pytest.mark.parametrize(
    ("name", "delimiter", "quote", "said"),
    [
        ("a.csv", ",", '"', ""),
        ("a.csv", ";", "", "read with semicolons between the columns"),
        ("a.csv", "|", "", "read with bars between the columns"),
        ("a.tsv", "\t", "", "read with tabs between the columns"),
        ("a.csv", "\t", "", "read with tabs between the columns"),
        ("a.tsv", ";", "", "read with semicolons between the columns"),
    ],
)
def test_the_delimiter_is_found_and_reported(name: str, delimiter: str, quote: str, said: str, tmp_path: Path) -> None:
    data = read(tmp_path / name, lines(delimiter, quote))
    assert data.columns == Columns("text", None, "label")
    assert data.notes == ((f"{tmp_path / name}: {said}",) if said else ())


@pytest.mark.parametrize("name", ["a.csv.gz", "a.tsv.gz", "a.jsonl.gz"])
def test_gzip_is_read_by_the_suffix_before_it(name: str, tmp_path: Path) -> None:
    plain = Path(
        write(tmp_path / "plain.jsonl", {"text": [text for text, _ in ROWS], "label": [one for _, one in ROWS]})
    )
    content = plain.read_bytes() if "jsonl" in name else lines("\t" if "tsv" in name else ",", '"').encode()
    read(tmp_path / name, gzip.compress(content))


@pytest.mark.parametrize(("encoding", "said"), [("utf-8-sig", ""), ("utf-16", "utf-16"), ("cp1252", "it is not UTF-8")])
def test_other_encodings_are_read_and_reported(encoding: str, said: str, tmp_path: Path) -> None:
    table = "text,label\n" + "".join(f"un café à {i} €,{'yes' if i % 2 else 'no'}\n" for i in range(40))
    (tmp_path / "a.csv").write_bytes(table.encode(encoding))
    data = load(str(tmp_path / "a.csv"))
    assert "un café à 7 €" in texts(data.train) | texts(data.selection) | texts(data.report)
    assert any(said in note for note in data.notes) if said else not data.notes


def test_a_file_without_a_header_is_noticed_and_reported(tmp_path: Path) -> None:
    data = read(tmp_path / "a.tsv", lines("\t", head=False))
    assert data.columns == Columns("column_1", None, "column_2")
    assert any(
        "the first line looks like a row; there is no header, so the columns are column_1" in one for one in data.notes
    )


def test_whether_there_is_a_header_can_be_stated(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("".join(f"a text {i},{i + 0.5}\n" for i in range(40)))
    named = {"text": "column_1", "label": "column_2"}
    data = load(str(tmp_path / "a.csv"), header=False, **named)
    assert (data.samples + len(data.selection) + data.eval_samples, data.problem_type) == (40, "regression")
    assert data.notes == (f"{tmp_path / 'a.csv'}: there is no header, so the columns are column_1, column_2",)
    assert "no column 'column_1'" in faults(tmp_path / "a.csv", **named)
    (tmp_path / "b.csv").write_text("x,y\n" + "".join(f"a text {i},{'yz'[i % 2]}\n" for i in range(40)))
    assert load(str(tmp_path / "b.csv"), header=True).label_names == ("y", "z")


def test_blank_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    content = "\n" + lines(",", '"') + "\n  ,\n,\n"
    data = read(tmp_path / "a.csv", content)
    assert data.notes == (f"{tmp_path / 'a.csv'}: 3 blank rows are left out",)
    table = {
        "id": list(range(42)),
        "text": [*(t for t, _ in ROWS), None, " "],
        "label": [*(one for _, one in ROWS), None, None],
    }
    data = load(write(tmp_path / "b.jsonl", table))
    assert data.unlabelled_samples == 0
    assert any("2 rows without text and label are left out" in note for note in data.notes)


def test_rows_have_the_numbers_of_their_file_also_after_blank_ones(tmp_path: Path) -> None:
    lines = [f"words {i},{'ab'[i % 2]}" for i in range(20)]
    lines[3:3] = ["", ","]
    lines[7] = ",a"
    file = tmp_path / "a.csv"
    file.write_text("\n".join(["text,label", *lines]) + "\n")
    assert "the first is row 8 with None" in faults(file)


def test_several_columns_with_texts_are_all_named(tmp_path: Path) -> None:
    table = {**reviews(40), "title": [f"on film {i}" for i in range(40)], "user": ["ada", "bob"] * 20}
    data = load(write(tmp_path / "a.csv", table))
    assert data.columns.others == ("title",)
    assert "2 columns hold texts, text, title: text is taken (--text names another)" in data.notes[0]
    assert not load(str(tmp_path / "a.csv"), text="title").notes


def test_summaries_taken_for_labels_are_reported_in_one_sentence(tmp_path: Path) -> None:
    table = {
        "text": [f"a document about {i}" for i in range(500)],
        "target": [f"{i}: we show {'much ' * 60}" for i in range(500)],
    }
    told = faults(write(tmp_path / "a.jsonl", table))
    assert "column 'target' has 500 different values in 500 rows, as '0: we show much" in told
    assert "these are no classes" in told and "task: summarization" in told
    assert len(told) < 400


def test_limits_bind(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", reviews(200))
    write(tmp_path / "test.jsonl", reviews(200, 1000))
    write(tmp_path / "unsupervised.jsonl", {"text": [f"a further text {i}" for i in range(300)]})
    data = load(str(tmp_path), max_samples=50, max_eval_samples=20, max_unlabelled=30)
    assert (data.samples, len(data.selection), data.eval_samples, data.unlabelled_samples) == (50, 20, 20, 30)
    assert sum(data.report.labels) == 10  # classes in proportion
    assert load(str(tmp_path), max_unlabelled=0).unlabelled_samples == 0
    assert "max_eval_samples is 1, but there are 2 classes" in faults(tmp_path, max_eval_samples=1)
