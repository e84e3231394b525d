"""Reading of labelled text from files, folders and the Hub: every format, and every fault with its file."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import datasets
import huggingface_hub.constants
import pytest
from tables import faults, reviews, texts, write

from advisor.compute.data.dataset import Columns, load


@pytest.mark.parametrize(
    "name", ["a.csv", "a.jsonl", "a.ndjson", "a.json", "a.parquet", "saved", "a*[1]::b.csv", "A.CSV"]
)
def test_the_same_rows_come_from_every_format(tmp_path: Path, name: str) -> None:
    table = reviews(100)
    Path(write(tmp_path / f"plain{Path(name).suffix.lower()}", table)).rename(tmp_path / name)
    (tmp_path / "a-1::b.csv").write_text("text,label\nnever read,1\n")
    data = load(str(tmp_path / name))
    assert data.columns == Columns("text", None, "label")
    assert (data.samples, len(data.selection), data.eval_samples) == (80, 10, 10)
    assert texts(data.train) | texts(data.selection) | texts(data.report) == set(table["text"])
    assert all(("fine" in text) == label for text, label in zip(data.train.texts, data.train.labels, strict=True))
    assert data.fingerprint == load(write(tmp_path / "again.jsonl", table)).fingerprint


def test_a_changed_file_is_read_afresh_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    path = tmp_path / "data" / "reviews.csv"
    first = load(write(path, reviews(60)))
    size = path.stat()
    path.write_text(path.read_text().replace("film", "play"))
    assert path.stat().st_size == size.st_size
    second = load(str(path))
    assert all("play" in text for text in second.train.texts)
    assert first.fingerprint != second.fingerprint
    assert [entry.name for entry in path.parent.iterdir()] == ["reviews.csv"]
    assert not list(temporary.iterdir()) and not (tmp_path / "cache").exists()


def test_csv_text_is_verbatim(tmp_path: Path) -> None:
    odd = ["NA", "null", "007", "1.50", 'a "quoted", text', "two\nlines", " blank ", "None"]
    data = load(write(tmp_path / "a.csv", {"text": odd, "label": ["x", "NA"] * 4}))
    assert texts(data.train) | texts(data.selection) | texts(data.report) == set(odd)
    assert data.label_names == ("NA", "x")


def test_a_csv_with_a_saved_index_and_a_byte_order_mark(tmp_path: Path) -> None:
    rows = "".join(f"{i},some text {i},{i % 2}\n" for i in range(20))
    (tmp_path / "a.csv").write_text("\ufeff,text,label\n" + rows)
    assert load(str(tmp_path / "a.csv")).columns == Columns("text", None, "label")


FILE_FAULTS = {
    "empty": ("a.csv", b"", "the file is empty"),
    "header-only": ("a.csv", b"text,label\n", "there are no rows"),
    "empty-list": ("a.json", b"[]", "there are no rows"),
    "blank": ("a.jsonl", b"\n\n", "there are no rows"),
    "not-parquet": ("a.parquet", b"text,label\n", "cannot be read: Parquet magic bytes not found in footer"),
    "too-many-fields": ("a.csv", b"text,label\na,1\nb,2,3\n", "Expected 2 fields in line 3, saw 3"),
    "too-many-fields-first": ("a.csv", b"text,label\na,b,1\n", "cannot be read: Length of header"),
    "one-name-twice": ("a.csv", b"text,label,label\na,1,2\n", "columns have the same name: label"),
    "broken-json": ("a.jsonl", b'{"text": "a", "label": 1}\n{"text": ', "cannot be read: JSON parse error"),
    "null-first": ("a.json", b'[null, {"text": "a"}]', "rows have to be JSON objects"),
    "wrong-suffix": (
        "a.xlsx",
        b"text\tlabel\n",
        "cannot read .xlsx files\n  try: convert it to one of .parquet, ",
    ),
    "only-blank-rows": ("a.csv", b"text,label\n,\n\n", "there are no rows"),
    "cut-off-gzip": ("a.csv.gz", gzip.compress(b"text,label\n" * 99)[:-9], "cannot be read: Compressed file ended"),
    "no-gzip": ("a.jsonl.gz", b'{"text": "a"}', "cannot be read: Not a gzipped file"),
    "parquet-in-gzip": ("a.parquet.gz", b"PAR1", "cannot read .parquet files in gzip"),
    "cut-off": ("state.json", b'{"_data_files": [', "cannot be read: "),
    "label-object": (
        "a.jsonl",
        b'{"text": "a", "label": {"is": 1}}',
        "label column 'label' has dict values (row 1)",
    ),
}


@pytest.mark.parametrize(("name", "content", "message"), FILE_FAULTS.values(), ids=FILE_FAULTS)
def test_files_that_cannot_be_read(
    tmp_path: Path, name: str, content: bytes, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    got = faults(tmp_path if name == "state.json" else path)
    assert message in got and got.startswith(str(tmp_path)) and "\n  try: " in got
    assert capfd.readouterr() == ("", "")


def test_folders_that_do_not_say_their_splits(tmp_path: Path) -> None:
    assert faults(tmp_path) == (
        f"{tmp_path}: no data files in this folder\n"
        "  try: give .parquet, .csv, .tsv, .jsonl, .ndjson, .json, .conll, .bio, .iob, .txt files"
    )
    write(tmp_path / "inner" / "test.csv", reviews(40))
    assert faults(tmp_path).endswith("try: give one of its folders: inner")
    write(tmp_path / "test.csv", reviews(40))
    write(tmp_path / "trian.csv", reviews(40))
    assert f"{tmp_path}: cannot tell which split these files are: trian.csv" in faults(tmp_path)
    (tmp_path / "trian.csv").rename(tmp_path / "dev.csv")
    assert f"{tmp_path}: no labelled train split" in faults(tmp_path)


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (["more.csv"], "more.csv: left out, as its name says no split"),
        ([f"{i}.csv" for i in range(7)], "0.csv, 1.csv, 2.csv, 3.csv, 4.csv and 2 more: left out, as their names say"),
    ],
)
def test_files_whose_names_say_no_split_are_named(others: list[str], said: str, tmp_path: Path) -> None:
    for name in ("train.csv", *others):
        write(tmp_path / name, reviews(40))
    (note,) = load(str(tmp_path)).notes
    assert note.startswith(f"{tmp_path}: {said}")


def test_a_file_that_was_downloaded_twice_is_not_read_twice(tmp_path: Path) -> None:
    for name in ("train.csv", "train (1).csv"):
        write(tmp_path / name, reviews(40))
    assert faults(tmp_path) == (
        f"{tmp_path / 'train.csv'}: has the same content as train (1).csv, so rows would count twice\n"
        "  try: take one of them out of the folder"
    )


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path / "reviews.csv", reviews(20))
    missing = f"no such file or folder\n  try: did you mean 'reviews.csv'? (in {tmp_path})"
    assert faults(tmp_path / "review.csv") == f"{tmp_path}/review.csv: {missing}"
    assert faults(tmp_path / "reviews.csb" / "x") == f"{tmp_path}/reviews.csb/x: {missing}"


def test_only_data_is_named_where_a_path_is_not_there(tmp_path: Path) -> None:
    write(tmp_path / "reviews.csv", reviews(20))
    for name in (".cache.csv", "recipe.yaml"):
        (tmp_path / name).touch()
    assert faults(tmp_path / "imdb").endswith(f"\n  try: known: reviews.csv (in {tmp_path})")
    assert faults(tmp_path / "imdb" / "x").endswith(f"\n  try: {tmp_path} has no data with a name like imdb")


def test_a_hub_id_without_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    absent = "imdb-of-nobody: no such file or folder; as a name on the Hub: Couldn't reach 'imdb-of-nobody' on the Hub"
    assert faults("imdb-of-nobody").startswith(absent + "\n")
    assert faults("imdb-of-nobody").endswith("\n  try: download the files where there is a network and give their path")
    write(tmp_path / "imdb-of-nobdy" / "train.csv", reviews(20))
    assert faults("imdb-of-nobody").endswith(f"their path; did you mean 'imdb-of-nobdy'? (in {tmp_path})")


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
@pytest.mark.parametrize(("encoding", "said"), [("utf-8-sig", ""), ("utf-16", "read as utf-16"), ("cp1252", "cp1252")])
def test_json_of_other_encodings_is_read(name: str, encoding: str, said: str, tmp_path: Path) -> None:
    rows = [{"text": f"Zoë {n}", "label": n % 2} for n in range(20)]
    each = [json.dumps(row, ensure_ascii=False) for row in rows]
    written = ("\n".join(each) if name == "a.jsonl" else f"[{','.join(each)}]").encode(encoding)
    (tmp_path / name).write_bytes(written)
    data = load(str(tmp_path / name))
    assert all(text.startswith("Zoë ") for text in data.train.texts) and said in " ".join(data.notes)
    assert (tmp_path / name).read_bytes() == written
