"""Exported runs: they come back as they were, and damaged ones are refused with their line."""

from __future__ import annotations

import builtins
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import small_runs

from advisor.base.errors import AdviseError
from advisor.runs import import_export
from advisor.runs.record import Record


@pytest.mark.parametrize("name", ["runs.jsonl", "runs.parquet"])
def test_runs_come_back_as_they_were(name: str, tmp_path: Path) -> None:
    one = small_runs.record(tmp_path / "a")
    other = replace(one, samples=None, versions={}, steps=(replace(one.last, quantities=()),))
    import_export.export([one, other], tmp_path / name)
    assert import_export.read(tmp_path / name) == [one, other]


def test_parquet_has_columns_to_look_at(tmp_path: Path) -> None:
    from pyarrow.parquet import read_table

    import_export.export([small_runs.record(tmp_path / "a")], tmp_path / "runs.parquet")
    (row,) = read_table(tmp_path / "runs.parquet").to_pylist()
    assert row["relative_emissions"] == 0.33 and row["family"] == "bert" and row["samples"] == 67_349


def test_every_damaged_run_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "runs.jsonl"
    import_export.export([small_runs.record(tmp_path / "a")], file)
    good = file.read_text()
    changed = json.loads(good)
    changed["run"]["passed"] = True
    misspelt = json.loads(good)
    misspelt["run"]["famly"] = misspelt["run"].pop("family")
    newer = {**json.loads(good), "version": 2}
    file.write_text("".join(f"{one}\n" for one in (good.strip(), json.dumps(changed), "{", json.dumps(newer), "[]")))
    with pytest.raises(AdviseError) as raised:
        import_export.read(file)
    assert [(fault.line, fault.message.split(",")[0]) for fault in raised.value.faults][1:] != []
    told = str(raised.value)
    for line, words in ((2, "hash of the content"), (3, "Expecting"), (4, "version 2"), (5, "expected an object")):
        assert f"runs.jsonl:{line}:" in told and words in told
    file.write_text(json.dumps(misspelt))
    with pytest.raises(AdviseError, match=r"run\.famil?y"):
        import_export.read(file)


def measuring(one: Record, **values: float) -> Record:
    """The same run with other values of its last model."""
    last = one.last
    found = tuple(replace(each, value=values.get(each.name, each.value)) for each in last.quantities)
    return replace(one, steps=(*one.steps[:-1], replace(last, quantities=found)))


def test_what_no_run_can_have_measured_is_refused(tmp_path: Path) -> None:
    good, file = small_runs.record(tmp_path / "a"), tmp_path / "runs.jsonl"
    odd = [measuring(good, relative_accuracy=50.0), measuring(good, relative_emissions=0.0)]
    odd += [measuring(good, relative_time=1e308), replace(good, samples=-5), replace(good, finished="not a date")]
    import_export.export([good, *odd], file)
    with pytest.raises(AdviseError) as raised:
        import_export.read(file)
    assert [fault.line for fault in raised.value.faults] == [2, 3, 4, 5, 6]
    told = [fault.message for fault in raised.value.faults]
    assert told[0].endswith("relative_accuracy: expected more than -10 and less than 10, got 50")
    assert "relative_emissions" in told[1] and "relative_time" in told[2]
    assert told[3:] == [
        "run.samples: expected at least 0, got -5",
        "run.finished: expected a date and time of ISO 8601, got 'not a date'",
    ]
    turned = measuring(good, relative_accuracy=-0.2)  # a correlation that has turned round
    import_export.export([turned], file)
    assert import_export.read(file) == [turned]


@pytest.mark.parametrize("name", ["runs.csv", "runs", "no.jsonl", "no.parquet"])
def test_files_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    with pytest.raises(AdviseError):
        import_export.read(tmp_path / name)


def test_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(AdviseError, match="is no Parquet file"):
        import_export.read(tmp_path / "text.parquet")


def test_without_pyarrow_parquet_is_refused_and_jsonl_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def bare(name: str, *rest: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *rest)

    one = small_runs.record(tmp_path / "a")
    monkeypatch.setattr(builtins, "__import__", bare)
    import_export.export([one], tmp_path / "runs.jsonl")
    with pytest.raises(AdviseError, match="pip install -e"):
        import_export.export([one], tmp_path / "runs.parquet")
    assert not (tmp_path / "runs.parquet").exists()
