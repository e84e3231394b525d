"""Records that are valid JSON and yet no runs: refused with their line when imported, and nothing is half recorded."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import small_runs

from advisor.base.errors import AdviseError
from advisor.cli import main
from advisor.runs import import_export, ledger
from advisor.runs.predictor import load
from advisor.runs.record import Record, canonical, identity


@pytest.fixture
def one(tmp_path: Path) -> Record:
    return small_runs.record(tmp_path / "a")


def exported(one: Record, change: Callable[[dict[str, Any]], object]) -> str:
    """A line of an exported file whose id fits its changed content."""
    content = json.loads(canonical(one.content()))
    change(content)
    return json.dumps({"version": 1, "id": identity(content), "run": content})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda run: run.update(steps=[]), "run.steps"),
        (lambda run: run.update(samples=10**30), "run.samples"),
        (lambda run: run["steps"][0].update(parameters=-(10**30)), "run.steps.0.parameters"),
        (lambda run: run.update(eval_samples="many"), "run.eval_samples"),
        (lambda run: run["facts"].update({"data.samples": {"a": 1}}), "run.facts"),
    ],
)
def test_a_run_that_cannot_be_is_refused(
    change: Callable[[dict[str, Any]], object], told: str, one: Record, tmp_path: Path
) -> None:
    file = tmp_path / "runs.jsonl"
    file.write_text(exported(one, change))
    with pytest.raises(AdviseError) as raised:
        import_export.read(file)
    assert f"runs.jsonl:1:1: {told}" in str(raised.value)


@pytest.mark.parametrize("text", ["1" * 5_000, '{"version": 1, "id": 1e999, "run": {}}', "[" * 100_000, '"\\ud800"'])
def test_lines_that_no_ledger_wrote(text: str, tmp_path: Path) -> None:
    file = tmp_path / "runs.jsonl"
    file.write_text(text)
    with pytest.raises(AdviseError, match=r"runs\.jsonl:1"):
        import_export.read(file)


@pytest.mark.parametrize("values", [[1, 2], [b"\xff\xfe"], [None], [1.5], [["a"]]])
def test_a_parquet_file_of_other_types(values: list[Any], tmp_path: Path) -> None:
    import pyarrow
    from pyarrow.parquet import write_table

    file = tmp_path / "runs.parquet"
    write_table(pyarrow.table({"entry": values}), file)
    with pytest.raises(AdviseError, match=r"runs\.parquet.*(text|entry)"):
        import_export.read(file)
    assert main(["history", "import", str(file)]) == 2


def test_a_ledger_that_holds_such_a_run_is_read_without_it_being_taken_for_one(one: Record, tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite3"
    ledger.add([one], file)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("DELETE FROM quantities")
        database.execute("DELETE FROM steps")
    with pytest.raises(AdviseError, match="damaged"):
        ledger.find(path=file)


def test_a_long_import_lets_others_write(one: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another writer gets its turn between two parts of an import."""
    file, many = tmp_path / "ledger.sqlite3", [replace(one, seconds=float(number)) for number in range(250)]
    turns, add = [], ledger._add

    def watched(connection: sqlite3.Connection, part: Sequence[Record]) -> int:
        with closing(sqlite3.connect(file, timeout=0)) as other, other:
            other.execute("BEGIN IMMEDIATE")  # raises while somebody else writes
        turns.append(len(part))
        return add(connection, part)

    monkeypatch.setattr(ledger, "_add", watched)
    assert ledger.add(many, file) == 250
    assert turns == [100, 100, 50]
    assert ledger.add([*many, one], file) == 1


def test_a_thousand_runs_come_in_and_out_whole(one: Record, tmp_path: Path) -> None:
    file, many = tmp_path / "ledger.sqlite3", [replace(one, seconds=float(number)) for number in range(1_000)]
    assert ledger.add(many, file) == 1_000
    assert sorted(ledger.find(path=file), key=lambda run: run.seconds) == many


@pytest.mark.parametrize("name", ["runs.jsonl", "runs.parquet"])
def test_what_is_exported_goes_through_a_link_or_a_pipe(name: str, one: Record, tmp_path: Path) -> None:
    (tmp_path / f"link-{name}").symlink_to(tmp_path / name)
    import_export.export([one], tmp_path / f"link-{name}")
    assert import_export.read(tmp_path / name) == [one] and (tmp_path / f"link-{name}").is_symlink()
    os.mkfifo(pipe := tmp_path / f"pipe-{name}")
    with ThreadPoolExecutor() as readers:
        got = readers.submit(pipe.read_bytes)
        import_export.export([one], pipe)
    assert got.result() == (tmp_path / name).read_bytes() and pipe.is_fifo()


def test_an_export_to_a_folder_leaves_nothing(one: Record, tmp_path: Path) -> None:
    (tmp_path / "runs" / "all.parquet").mkdir(parents=True)
    with pytest.raises(AdviseError, match="is a folder"):
        import_export.export([one], tmp_path / "runs" / "all.parquet")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["all.parquet"]


def test_a_parquet_file_that_unfolds_is_refused_before_it_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pyarrow import DictionaryArray, array, int32, table
    from pyarrow.parquet import write_table

    many = DictionaryArray.from_arrays(array([0] * 120_000, int32()), array(["x" * 10_000]))
    write_table(table({"entry": many}), tmp_path / "runs.parquet")
    assert (tmp_path / "runs.parquet").stat().st_size < 100_000
    assert main(["history", "import", str(tmp_path / "runs.parquet")]) == 2
    assert "unfolds to more than 1,073,741,824 bytes" in capsys.readouterr().err


def test_of_many_faulty_lines_a_hundred_are_told(tmp_path: Path) -> None:
    (tmp_path / "runs.jsonl").write_text("\n" + "{}\n" * 5_000)
    with pytest.raises(AdviseError) as raised:
        import_export.read(tmp_path / "runs.jsonl")
    assert len(raised.value.faults) == 100 and raised.value.faults[0].line == 2


def test_a_model_that_is_said_to_lie_outside_of_its_run_is_not_looked_at(tmp_path: Path) -> None:
    folder, secret = small_runs.write(tmp_path / "run"), tmp_path / "secret"
    secret.mkdir()
    (secret / "private.txt").touch()
    report = json.loads((folder / "report.json").read_text())
    for outside in ("../secret", str(secret), "steps/../../secret"):
        report["steps"][-1]["path"] = outside
        (folder / "report.json").write_text(json.dumps(report))
        with pytest.raises(AdviseError, match=r"report\.json: .* is not in the run's folder") as raised:
            load(folder)
        assert "private.txt" not in str(raised.value)
