"""The ledger: what is put in comes out, writers at the same time lose nothing, other files are left alone."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import small_runs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.base.errors import AdviseError
from advisor.runs import ledger
from advisor.runs.ledger import Filters
from advisor.runs.record import GateRecord, Quantity, Record, StepRecord

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBER = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)  # SQLite has no -0.0
COUNT = st.integers(0, 2**62)
ENDS = st.none() | st.tuples(NUMBER, NUMBER)
QUANTITY = st.builds(Quantity, TEXT, st.none() | NUMBER, TEXT, TEXT, ENDS, ENDS)
STEP = st.builds(
    StepRecord, TEXT, TEXT, st.none() | TEXT, st.booleans(), COUNT, COUNT, COUNT, TEXT, NUMBER, NUMBER,
    st.lists(QUANTITY, max_size=3).map(tuple),
)  # fmt: skip
GATE = st.builds(GateRecord, TEXT, TEXT, st.none() | NUMBER, st.booleans())
FACT = st.none() | st.booleans() | COUNT | NUMBER | TEXT | st.lists(TEXT, max_size=2)
RECORD = st.builds(
    Record, *[TEXT] * 8, st.none() | COUNT, COUNT, TEXT, NUMBER, st.booleans(), *[TEXT] * 5,
    st.dictionaries(TEXT, FACT, max_size=3), st.dictionaries(TEXT, TEXT, max_size=3),
    st.lists(STEP, min_size=1, max_size=3).map(tuple), st.lists(GATE, max_size=3).map(tuple),
)  # fmt: skip


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(RECORD)
def test_what_is_put_in_comes_out(tmp_path: Path, one: Record) -> None:
    file = tmp_path / "ledger.sqlite3"
    ledger.add([one], file)
    found = ledger.get(one.id, file)
    assert found == one and found.id == one.id


def test_filters_and_order(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite3"
    first = small_runs.record(tmp_path / "a")
    later = replace(first, finished="2026-11-25T08:00:00+00:00", family="t5", data="data/IMDb", device="edge")
    assert ledger.add([first, later], file) == 2
    assert ledger.find(path=file) == [later, first]
    for wanted in (Filters(family="t5"), Filters(data="imdb"), Filters(device="edge"), Filters(since="2026-11-25")):
        assert ledger.find(wanted, file) == [later]
    assert ledger.find(Filters("bert", "sst", "cpu", "2026-11-24"), file) == [first]
    assert ledger.find(Filters(family="bert", device="edge"), file) == []


def test_the_same_run_is_recorded_once(tmp_path: Path) -> None:
    file, one = tmp_path / "ledger.sqlite3", small_runs.record(tmp_path / "a")
    assert (ledger.add([one], file), ledger.add([one], file)) == (1, 0)
    assert len(ledger.find(path=file)) == 1


def test_an_id_may_be_cut_short_but_not_ambiguous(tmp_path: Path) -> None:
    file, one = tmp_path / "ledger.sqlite3", small_runs.record(tmp_path / "a")
    many = [replace(one, seconds=float(seconds)) for seconds in range(20)]
    ledger.add(many, file)
    assert ledger.get(many[3].id[:12], file) == many[3]
    for prefix, told in (("", "20 runs"), ("zz", "no run"), ("%", "no run")):
        with pytest.raises(AdviseError, match=told):
            ledger.get(prefix, file)


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from advisor.runs import import_export, ledger
one = import_export.read(Path(sys.argv[1]))[0]
sys.stdin.read()  # all writers wait for the gun
for number in range(10):
    assert ledger.add([replace(one, name=f"{sys.argv[3]}-{number}")], Path(sys.argv[2])) == 1
"""


def test_many_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    from advisor.runs import import_export

    file, source = tmp_path / "new" / "ledger.sqlite3", tmp_path / "one.jsonl"
    import_export.export([small_runs.record(tmp_path / "a")], source)
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, source, file, str(number)], stdin=subprocess.PIPE)
        for number in range(8)
    ]
    for writer in writers:
        assert writer.stdin
        writer.stdin.close()
    assert [writer.wait() for writer in writers] == [0] * 8
    names = {one.name for one in ledger.find(path=file)}
    assert names == {f"{writer}-{number}" for writer in range(8) for number in range(10)}


def test_a_ledger_that_another_process_makes_meanwhile_is_no_other_programs(tmp_path: Path) -> None:
    """Between the look at whose file it is and the look at what is in it."""
    file, one = tmp_path / "ledger.sqlite3", small_runs.record(tmp_path / "a")
    with closing(sqlite3.connect(file)) as early:
        early.set_trace_callback(lambda statement: "sqlite_schema" in statement and ledger.add([one], file))
        assert ledger._version(early, file) in (0, len(ledger.MIGRATIONS))
    assert ledger.get(one.id, file) == one


def test_a_failure_half_way_leaves_nothing(tmp_path: Path) -> None:
    file, one = tmp_path / "ledger.sqlite3", small_runs.record(tmp_path / "a")
    broken = replace(one, versions={"torch": None})  # type: ignore[dict-item]
    with pytest.raises(AdviseError):
        ledger.add([one, broken], file)
    assert ledger.find(path=file) == []


def test_no_file_means_no_runs_and_makes_none(tmp_path: Path) -> None:
    assert ledger.find(path=tmp_path / "none.sqlite3") == []
    assert not list(tmp_path.iterdir())


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    text, other = tmp_path / "text.sqlite3", tmp_path / "other.sqlite3"
    text.write_text("dear diary, " * 200)
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE bookmarks (url)")
    one = small_runs.record(tmp_path / "a")
    for file, told in ((text, "is no ledger"), (other, "another program"), (tmp_path / "a", "cannot be used")):
        before = file.read_bytes() if file.is_file() else b""
        with pytest.raises(AdviseError, match=told) as raised:
            ledger.add([one], file)
        assert "ADVISE_LEDGER" in str(raised.value)
        with pytest.raises(AdviseError, match=told):
            ledger.find(path=file)
        assert (file.read_bytes() if file.is_file() else b"") == before


def test_a_damaged_ledger_is_told(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite3"
    ledger.add([small_runs.record(tmp_path / "a")], file)
    whole = bytearray(file.read_bytes())
    whole[4096:] = b"\xff" * (len(whole) - 4096)
    file.write_bytes(whole)
    with pytest.raises(AdviseError, match="damaged"):
        ledger.find(path=file)


def test_an_older_schema_is_migrated_and_a_newer_one_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, one = tmp_path / "ledger.sqlite3", small_runs.record(tmp_path / "a")
    ledger.add([one], file)
    now = ledger.MIGRATIONS
    monkeypatch.setattr(ledger, "MIGRATIONS", (*now, "CREATE INDEX by_family ON runs (family)"))
    assert ledger.find(path=file) == [one]
    with sqlite3.connect(file) as database:
        assert database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'by_family'").fetchone()
    monkeypatch.setattr(ledger, "MIGRATIONS", now)
    with pytest.raises(AdviseError, match="upgrade advise"):
        ledger.find(path=file)


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert ledger.where() == tmp_path / "advise" / "ledger.sqlite3"
    monkeypatch.setenv("ADVISE_LEDGER", str(tmp_path / "mine"))
    assert ledger.where() == tmp_path / "mine"


def test_a_ledger_on_a_disk_that_cannot_be_written_to_is_read(tmp_path: Path) -> None:
    """SQLite would want a file of locks beside it."""
    (disk := tmp_path / "disk").mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a disk that cannot be written to needs the right to mount one")
    try:
        one = small_runs.record(tmp_path / "a")
        ledger.add([one], disk / "ledger.sqlite3")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert ledger.find(path=disk / "ledger.sqlite3") == [one]
        with pytest.raises(AdviseError, match="the ledger cannot be"):
            ledger.add([one], disk / "ledger.sqlite3")
    finally:
        subprocess.run(["umount", disk], check=True)
