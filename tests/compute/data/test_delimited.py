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


def headless(rows: list[tuple[str, str]]) -> str:
    return "".join(f'"{text}",{label}\n' for text, label in rows)


def test_files_have_no_header_where_the_train_file_has_none(tmp_path: Path) -> None:
    for name, label in (("train", "pos"), ("validation", "neg"), ("test", "rare")):
        rows = [(f"{name}: {text}", one) for text, one in ROWS]
        (tmp_path / f"{name}.csv").write_text(headless([(f"{name} begins", label), *rows]))
    with (tmp_path / "train.csv").open("a") as train:
        train.write("one more,rare\n")
    data = load(str(tmp_path))
    assert (len(data.train), len(data.selection), len(data.report)) == (42, 41, 41)
    assert "test begins" in data.report.texts
    assert f"{tmp_path / 'test.csv'}: there is no header, so the columns are column_1, column_2" in data.notes


def test_a_file_with_usual_names_keeps_them_beside_one_without(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(lines(",", '"'))
    (tmp_path / "test.csv").write_text(headless(ROWS))
    assert f"{tmp_path / 'test.csv'}: no column 'text'" in faults(tmp_path)


def test_classes_that_are_called_like_columns_make_no_header(tmp_path: Path) -> None:
    rows = [(f"text {number}", ("answer", "question")[number % 2]) for number in range(40)]
    data = load(str(written(tmp_path, headless(rows))))
    assert len(data.train) + len(data.selection) + len(data.report) == 40
    assert "the first line looks like a row" in data.notes[0]


def test_a_first_line_without_a_usual_name_is_said(tmp_path: Path) -> None:
    data = load(str(written(tmp_path, headless([("it began", "rare"), *ROWS]))))
    said = "the first line names the columns: it began, rare (`data: {header: false}` reads it as a row)"
    assert data.notes == (f"{tmp_path / 'a.csv'}: {said}",)
    assert load(str(tmp_path / "a.csv"), header=True).notes == ()


def written(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name


@pytest.mark.parametrize(("name", "delimiter"), [("a.tsv", "\t"), ("a.csv", ";"), ("a.csv", "|")])
def test_quotes_that_are_characters_swallow_no_rows(name: str, delimiter: str, tmp_path: Path) -> None:
    quoted = [('"' * (i in (3, 9, 20, 31)) + text + '"' * (i == 12), label) for i, (text, label) in enumerate(ROWS)]
    table = "".join(f"{text}{delimiter}{label}\n" for text, label in [("text", "label"), *quoted])
    data = load(str(written(tmp_path, table, name)))
    assert texts(data.train) | texts(data.selection) | texts(data.report) == {text for text, _ in quoted}
    assert any("quotes are read as characters like others" in note for note in data.notes)


def test_quotes_in_a_file_with_commas_that_are_characters(tmp_path: Path) -> None:
    rows = [('"' * (i in (3, 9)) + f"film {i} was {label}", label) for i, (_, label) in enumerate(ROWS)]
    data = load(str(written(tmp_path, "".join(f"{text},{label}\n" for text, label in [("text", "label"), *rows]))))
    assert texts(data.train) | texts(data.selection) | texts(data.report) == {text for text, _ in rows}


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_quoted_texts_of_several_lines_are_read_whole(delimiter: str, tmp_path: Path) -> None:
    rows = [(f'The film,\nnumber {i}, was ""so"" {label}\nindeed', label) for i, (_, label) in enumerate(ROWS)]
    table = "".join(f'"{text}"{delimiter}{label}\n' for text, label in rows)
    data = load(str(written(tmp_path, f"text{delimiter}label\n{table}")))
    found = texts(data.train) | texts(data.selection) | texts(data.report)
    assert found == {text.replace('""', '"') for text, _ in rows}


def test_a_text_of_two_lines_may_look_like_two_rows(tmp_path: Path) -> None:
    rows = [("Well, it was\nfine", "pos"), *((f"film {i}", label) for i, (_, label) in enumerate(ROWS))]
    table = "".join(f'"{text}",{label}\n' for text, label in rows)
    data = load(str(written(tmp_path, f"text,label\n{table}")))
    assert rows[0][0] in texts(data.train) | texts(data.selection) | texts(data.report)


def test_the_delimiter_that_excel_states_is_taken(tmp_path: Path) -> None:
    read(tmp_path / "a.csv", f"sep=;\r\n{lines(';')}")


def test_empty_columns_at_the_end_of_a_spreadsheet_are_no_columns_of_the_same_name(tmp_path: Path) -> None:
    table = "".join(f"{text};{label};;\n" for text, label in ROWS)
    read(tmp_path / "a.csv", f"text;label;;\n{table}")


def test_texts_that_ran_over_into_columns_without_a_name_are_told(tmp_path: Path) -> None:
    table = "".join(f"{label};{text};;\n" for text, label in ROWS)
    found = faults(written(tmp_path, f"label;text;;\n{table}pos;it was;; fine"))
    assert "2 columns have no name, and 1 rows have something there" in found


@pytest.mark.parametrize(
    ("content", "said", "hint"),
    [
        (b"text,label\ngood,pos\nbad \x81,neg\n", ":3:1: is neither UTF-8 nor cp1252", "save it as UTF-8"),
        ("text,label\nZoë für,pos\nä".encode() + b"\xff,neg\n", ":3:1: is UTF-8 but for some bytes", "write this line"),
        ("text,label\nпривет это слово,pos\n".encode("cp1251"), ":2:1: is not UTF-8, and as cp1252 most", "save it as"),
        ("text,label\ngood,pos\n".encode("utf-16-le"), "has zero bytes, as UTF-16 without a mark has", "as UTF-8"),
        (b"\xef\xbb\xbftext,label\ngood,pos\nbad \x81,neg\n", ":3:1: is not utf-8-sig", "save it as UTF-8"),
        (b"text,label\n", "there are no rows", "give data with rows"),
        (b"text,text,label\na,b,c\n", "columns have the same name: text", "rename one column"),
    ],
)
def test_what_is_wrong_with_a_file_has_a_hint_of_its_own(content: bytes, said: str, hint: str, tmp_path: Path) -> None:
    found = faults(written(tmp_path, content))
    assert said in found
    assert hint in found
    assert "quotes" not in found


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    found = faults(written(tmp_path, gzip.compress(lines(",", '"').encode())[:60], "a.csv.gz"))
    assert "cannot be read: Compressed file ended" in found
    assert "damaged or cut off" in found
