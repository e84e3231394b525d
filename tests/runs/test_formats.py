"""Run folders and ledgers have versions: one of each older version is kept here and read, a newer one is refused."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import small_runs

from advisor.base.errors import AdviseError
from advisor.cli import main
from advisor.records import run_folder
from advisor.records.results import VERSION
from advisor.runs import finished, ledger, record

FORMATS = Path(__file__).parent / "formats"


def test_a_run_folder_of_version_1_is_read() -> None:
    run = finished.read(FORMATS / "run-1")
    assert run.result.version == 1 and run.result.steps[-1].above_constant.value is None
    assert record.of(run).last.quantity("relative_accuracy").value == pytest.approx(0.88 / 0.9)  # type: ignore[union-attr]
    assert main(["report", str(FORMATS / "run-1")]) == 0


def test_a_ledger_of_version_1_is_read(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.executescript((FORMATS / "ledger-1.sql").read_text())
    (one,) = ledger.find(path=file)
    assert one.id == "f7d05090cbc67d37e4ba1ea5376fa6c8d849b2d17be97ad5a0b2bb1f4f1c4ac1"
    assert ledger.add([one, small_runs.record(tmp_path / "a")], file) == 1


@pytest.mark.parametrize("name", ["report.json", "manifest.json"])
def test_a_newer_run_folder_is_refused_by_name(name: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FORMATS / "run-1", tmp_path / "run"))
    value = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**value, "version": VERSION + 1}))
    with pytest.raises(AdviseError, match=rf"{name}: is of version {VERSION + 1}, this advise reads .* {VERSION}"):
        run_folder.read(folder)
    (folder / name).write_text(json.dumps({**value, "version": "two"}))
    with pytest.raises(AdviseError, match="version: expected a whole number"):
        run_folder.read(folder)


DEEP = '{"files": ' * 50_000


@pytest.mark.parametrize("name", ["report.json", "manifest.json", "facts.json"])
@pytest.mark.parametrize("text", ["NaN", '{"seconds": Infinity}', '{"seconds": 1e999}', DEEP, "\xff", "[]", ""])
def test_what_is_no_json_of_a_run_is_an_error(name: str, text: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FORMATS / "run-1", tmp_path / "run"))
    (folder / name).write_text(text, encoding="latin-1")
    with pytest.raises(AdviseError, match=name):
        finished.read(folder)
    assert main(["report", "--format", "json", str(folder)]) == 2


def test_a_report_with_nan_is_an_error_and_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(shutil.copytree(FORMATS / "run-1", tmp_path / "run"))
    text = (folder / "report.json").read_text().replace('"seconds": 310.0', '"seconds": NaN')
    (folder / "report.json").write_text(text)
    assert main(["report", "--format", "json", str(folder)]) == 2
    assert "NaN is no number that was measured" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["report.json", "manifest.json", "facts.json", "recipe.yaml"])
def test_a_pipe_instead_of_a_file_does_not_hang(name: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FORMATS / "run-1", tmp_path / "run"))
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert main(["report", str(folder)]) == 2
