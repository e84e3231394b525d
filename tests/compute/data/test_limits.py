"""Files that would crash, hang or fill the memory: refused with a message before they are read."""

from __future__ import annotations

import gzip
import json
import os
import resource
import shutil
from pathlib import Path
from time import monotonic

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tables import faults, reviews, write

from advisor.base.errors import AdviseError
from advisor.compute.data import file_checks, files
from advisor.compute.data.dataset import load

ROWS = [{"text": f"text {number}", "label": number % 2} for number in range(40)]


def test_json_that_is_nested_too_deeply(tmp_path: Path) -> None:
    """pyarrow ends the process: nothing could catch that."""
    deep = '{"text": ' + "[" * 20_000 + "]" * 20_000 + ', "label": 1}'
    for name, content in (
        ("a.jsonl", f"{json.dumps(ROWS[0])}\n{deep}\n"),
        ("a.ndjson", f"{json.dumps(ROWS[0])}\n{deep}\n"),
        ("a.json", f"[{deep}]"),
    ):
        (tmp_path / name).write_text(content)
        told = faults(tmp_path / name)
        assert f"nested deeper than {file_checks.MOST_DEPTH} levels" in told and told.startswith(str(tmp_path / name))


def test_brackets_in_texts_are_no_nesting(tmp_path: Path) -> None:
    rows = [{**row, "text": f'{row["text"]} {"[{" * 500} \\" "'} for row in ROWS]
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (tmp_path / "a.json").write_text(json.dumps(rows))
    assert load(str(tmp_path / "a.jsonl")).fingerprint == load(str(tmp_path / "a.json")).fingerprint


def test_a_small_parquet_file_of_too_many_rows(tmp_path: Path) -> None:
    """Rows are counted from the metadata; nothing is unfolded."""
    rows = 30_000_000
    text = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()).take(pa.array([0] * 1)), ["text"])
    table = pa.table({"text": text.take(pa.nulls(rows, pa.int32()).fill_null(0)), "label": pa.nulls(rows, pa.int8())})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd")
    del table
    assert (tmp_path / "a.parquet").stat().st_size < 600_000
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, monotonic()
    assert f"30,000,000 rows, more than the {file_checks.MOST_ROWS:,} that are read" in faults(tmp_path / "a.parquet")
    assert monotonic() - begun < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


def test_a_small_parquet_file_that_unfolds_to_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long text that is stored once and repeated."""
    monkeypatch.setattr(file_checks, "MOST_BYTES", 10_000_000)
    table = pa.table({"text": ["x" * 10_000] * 2000, "label": [0, 1] * 1000})
    pq.write_table(table, tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 100_000
    assert "unfolds to more than 10,000,000 bytes" in faults(tmp_path / "a.parquet")
    pq.write_table(table.slice(0, 900), tmp_path / "a.parquet")
    assert "unfolds" not in faults(tmp_path / "a.parquet")


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_checks, "MOST_BYTES", 1000)
    path = Path(write(tmp_path / "a.csv", reviews(100)))
    assert f"{path.stat().st_size:,} bytes, more than the 1,000 that are read" in faults(path)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json"])
def test_compressed_files_are_not_unfolded(name: str, tmp_path: Path) -> None:
    path = Path(write(tmp_path / name, reviews(40)))
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert "is compressed" in faults(path) and "end its name with .gz" in faults(path)


def test_a_gzip_file_that_unfolds_to_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_checks, "MOST_BYTES", 10_000_000)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"text,label\n" + b"x" * 20_000_000))
    assert (tmp_path / "a.csv.gz").stat().st_size < 100_000
    assert "unfolds to more than 10,000,000 bytes" in faults(tmp_path / "a.csv.gz")


def test_too_many_columns_and_too_long_a_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = monotonic()
    names = ",".join(f"c{number}" for number in range(20_000))
    (tmp_path / "a.csv").write_text(f"{names}\n{names}\n")
    assert "20,000 columns, more than the 1,000 that are read" in faults(tmp_path / "a.csv")
    for header in ("x" * 200_000, f'"{"x" * 200_000}",label', ",".join(f"column{n}" for n in range(100_000))):
        (tmp_path / "a.csv").write_text(f"{header}\ntext,1\n")
        assert "the header is longer than 131,072 characters" in faults(tmp_path / "a.csv")
    assert monotonic() - begun < 5
    monkeypatch.setattr(file_checks, "MOST_COLUMNS", 3)
    wide = {**reviews(40), **{f"c{number}": list(range(40)) for number in range(3)}}
    for name in ("b.parquet", "b.jsonl", "saved"):
        assert "5 columns, more than the 3 that are read" in faults(Path(write(tmp_path / name, wide)))


def test_saved_splits_that_lead_out_of_their_folder(tmp_path: Path) -> None:
    write(tmp_path / "secret", reviews(40))
    saved = Path(write(tmp_path / "saved", reviews(40)))
    state = json.loads((saved / "state.json").read_text())
    name = state["_data_files"][0]["filename"]
    state["_data_files"] = [{"filename": f"../secret/{name}"}]
    (saved / "state.json").write_text(json.dumps(state))
    assert f"expected files in the same folder, got ../secret/{name}" in faults(saved)
    shutil.rmtree(saved)
    saved.mkdir()
    (saved / "dataset_dict.json").write_text(json.dumps({"splits": ["../secret"]}))
    assert "expected files in the same folder, got ../secret" in faults(saved)


def test_a_named_pipe_is_no_data(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "train.csv")
    for source in (tmp_path, tmp_path / "train.csv"):
        assert str(tmp_path) in faults(source)


def test_names_of_classes_that_are_the_same(tmp_path: Path) -> None:
    mixed = [{"text": row["text"], "label": [True, "True"][row["label"]]} for row in ROWS]
    (tmp_path / "a.csv").write_text("text,label\n")
    saved = [files.File("train", "a", {"text": [r["text"] for r in mixed], "label": [r["label"] for r in mixed]}, {})]
    from advisor.compute.data.columns import Columns
    from advisor.compute.data.labels import label_rows

    with pytest.raises(AdviseError, match="2 classes have the same name: True"):
        label_rows("a", saved, Columns("text", None, "label"))


def test_rows_with_keys_of_their_own_are_refused_before_they_are_read(tmp_path: Path) -> None:
    begun = monotonic()
    rows = [{"text": "a", "label": number % 2, f"k{number}": 1} for number in range(50_000)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert "1,001 columns, more than the 1,000 that are read" in faults(tmp_path / "a.jsonl")
    assert monotonic() - begun < 10
    texts = [{"text": f'he said "k{number}": and left', "label": number % 2} for number in range(2_000)]
    (tmp_path / "b.jsonl").write_text("\n".join(map(json.dumps, texts)))
    file_checks.refuse_odd_json(tmp_path / "b.jsonl", "b.jsonl")  # what a text says is no key


@pytest.mark.timeout(60)  # it took hours: from each quote on, all that follows was read again
@pytest.mark.parametrize("end", ['", "label": 1}', ""], ids=["whole", "cut off"])
def test_a_long_text_with_many_quotes_is_looked_at_once(end: str, tmp_path: Path) -> None:
    deep = '{"text": ' + "[" * 200
    line = '{"text": "' + '\\"no\\", [{she said, ' * 60_000 + end
    for name in ("a.jsonl", "a.json"):
        (tmp_path / name).write_text(line)
        file_checks.refuse_odd_json(tmp_path / name, name)
        (tmp_path / name).write_text(f"{line}\n{deep}")
        with pytest.raises(AdviseError, match=rf"{name}:2:1: nested deeper than"):
            file_checks.refuse_odd_json(tmp_path / name, name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.gz", b"text,label\n" + b"a,b\n" * 5_000),
        ("a.jsonl.gz", b'{"text": "a", "label": "b"}\n' * 5_000),
        ("a.json.gz", b"[" + b'{"text": "a", "label": "b"},' * 5_000 + b"{}]"),
    ],
)
def test_more_rows_than_are_read_are_not_read_to_their_end(
    name: str, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive of four megabytes may hold two thousand million rows."""
    monkeypatch.setattr(file_checks, "MOST_ROWS", 1_000)
    monkeypatch.setattr(files, "MOST_ROWS", 1_000)
    (tmp_path / name).write_bytes(gzip.compress(content))
    told = faults(tmp_path / name)
    assert "1,001 rows, more than the 1,000" in told or "more than the 1,000 rows that are read" in told
