"""Ledger: every finished run of this user, predicted beside measured, in one SQLite database.

Writers wait for each other (WAL, busy timeout), so that runs at the same time lose nothing. The schema has a version;
an older file is migrated when it is opened, a newer one is refused.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from advisor.base import user_folders
from advisor.base.errors import AdviseError, Fault
from advisor.runs import record
from advisor.runs.record import GateRecord, Quantity, Record, StepRecord

APPLICATION = 0x41445653  # "ADVS" in the file's header: other programs' databases are left alone
PATIENCE = 60.0  # seconds to wait for another writer
PART = 100  # runs in one transaction: some tenths of a second, for which others wait
NOT_SCALARS = ("facts", "versions", "steps", "gates")  # have tables of their own
SCALARS = [item.name for item in fields(Record) if item.name not in NOT_SCALARS]
MIGRATIONS = (
    """
    CREATE TABLE runs (id TEXT PRIMARY KEY, finished TEXT NOT NULL, name TEXT NOT NULL, model TEXT NOT NULL,
        family TEXT NOT NULL, device TEXT NOT NULL, train_on TEXT NOT NULL, data TEXT NOT NULL,
        data_sha256 TEXT NOT NULL, samples INTEGER, eval_samples INTEGER NOT NULL, machine TEXT NOT NULL,
        seconds REAL NOT NULL, passed INTEGER NOT NULL, summary TEXT NOT NULL, policy TEXT NOT NULL,
        policy_version TEXT NOT NULL, policy_sha256 TEXT NOT NULL, recipe TEXT NOT NULL);
    CREATE TABLE facts (run TEXT REFERENCES runs, name TEXT, value TEXT NOT NULL, PRIMARY KEY (run, name));
    CREATE TABLE versions (run TEXT REFERENCES runs, package TEXT, version TEXT NOT NULL, PRIMARY KEY (run, package));
    CREATE TABLE steps (run TEXT REFERENCES runs, place INTEGER, name TEXT NOT NULL, words TEXT NOT NULL, level TEXT,
        int8 INTEGER NOT NULL, parameters INTEGER NOT NULL, predicted_parameters INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL, metric TEXT NOT NULL, score REAL NOT NULL, seconds REAL NOT NULL,
        PRIMARY KEY (run, place));
    CREATE TABLE quantities (run TEXT, step INTEGER, place INTEGER, name TEXT NOT NULL, value REAL,
        why_not TEXT NOT NULL, source TEXT NOT NULL, low REAL, high REAL, predicted_low REAL, predicted_high REAL,
        PRIMARY KEY (run, step, place), FOREIGN KEY (run, step) REFERENCES steps);
    CREATE TABLE gates (run TEXT REFERENCES runs, place INTEGER, name TEXT NOT NULL, demanded TEXT NOT NULL, value REAL,
        passed INTEGER NOT NULL, PRIMARY KEY (run, place));
    """,
)


class Filters(NamedTuple):
    """Which runs are wanted. data: part of the source's name. since: ISO 8601, from then on."""

    family: str | None = None
    data: str | None = None
    device: str | None = None
    since: str | None = None


def where() -> Path:
    """The ledger's file: ADVISE_LEDGER, else below XDG_DATA_HOME or ~/.local/share.

    Raises:
        AdviseError: the user has no home folder.
    """
    named = os.environ.get("ADVISE_LEDGER")
    try:
        return Path(named).expanduser() if named else Path(user_folders.data()) / "advise" / "ledger.sqlite3"
    except (OSError, RuntimeError) as error:  # the second: of `~name`
        reason = getattr(error, "strerror", None) or f"{named}: {error}"
        raise AdviseError(f"there is no place for the ledger: {reason}", hint=NAME) from None


def add(records: Sequence[Record], path: Path | None = None) -> int:
    """Record runs, at most `PART` in a transaction, so that other writers get their turn.

    Runs that are there already stay as they are. Adding the same runs again goes on where an earlier attempt stopped.

    Returns:
        How many were new.

    Raises:
        AdviseError: the file cannot be written, or is no ledger.
    """
    path = path or where()
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(_opened(path)) as ledger:
            return sum(_add(ledger, records[first : first + PART]) for first in range(0, len(records), PART))


def find(filters: Filters | None = None, path: Path | None = None) -> list[Record]:
    """The runs that pass the filters, the latest first; none where there is no ledger yet.

    Raises:
        AdviseError: the file cannot be read, or is no ledger.
    """
    wanted = filters or Filters()
    tests = {"family = ?": wanted.family, "device = ?": wanted.device, "finished >= ?": wanted.since}
    tests["instr(lower(data), lower(?))"] = wanted.data
    given = {test: value for test, value in tests.items() if value is not None}
    return _read(path or where(), " AND ".join(given) or "1", list(given.values()))


def get(prefix: str, path: Path | None = None) -> Record:
    """The run whose id starts so.

    Raises:
        AdviseError: there is none, or several.
    """
    found = _read(path or where(), "substr(id, 1, ?) = ?", [len(prefix), prefix.lower()])
    if len(found) != 1 or not prefix:
        several = f"{len(found)} runs have ids that start with {prefix!r}"
        raise AdviseError(several if found else f"no run {prefix!r} is recorded", hint="advise history")
    return found[0]


def _read(path: Path, test: str, values: Sequence[Any]) -> list[Record]:
    with _told(path):
        if not path.exists():
            return []
        with closing(_opened(path, at_rest=_at_rest(path))) as ledger:
            ledger.execute("BEGIN")  # one state of the file for all the queries below
            runs = ledger.execute(f"SELECT * FROM runs WHERE {test} ORDER BY finished DESC, id", values).fetchall()
            return [_record(ledger, run) for run in runs]


def _at_rest(path: Path) -> bool:
    """Whether a ledger lies whole on a disk that nobody can write to, so that readers need no locks."""
    log = path.with_name(f"{path.name}-wal")
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY) and not (log.exists() and log.stat().st_size)


def _opened(path: Path, at_rest: bool = False) -> sqlite3.Connection:
    """The open ledger, of the newest schema. Transactions are begun by hand."""
    place = f"{path.absolute().as_uri()}{'?immutable=1' if at_rest else ''}"
    ledger = sqlite3.connect(place, timeout=PATIENCE, isolation_level=None, uri=True)
    try:
        ledger.row_factory = sqlite3.Row
        if _version(ledger, path) < len(MIGRATIONS):
            _walled(ledger)
            with _writing(ledger):
                _migrate(ledger, _version(ledger, path))
    except BaseException:
        ledger.close()
        raise
    return ledger


def _version(ledger: sqlite3.Connection, path: Path) -> int:
    # One statement sees one state of the file: another process may be making the ledger at this moment.
    looks = "(SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version)"
    application, version, tables = ledger.execute(f"SELECT {looks}, (SELECT count(*) FROM sqlite_schema)").fetchone()
    if application != APPLICATION and tables:
        raise AdviseError(Fault("is a database of another program", str(path), hint=OTHER))
    if version > len(MIGRATIONS):
        message = f"its schema is version {version}, this advise knows {len(MIGRATIONS)}"
        raise AdviseError(Fault(message, str(path), hint="upgrade advise, or name another file in ADVISE_LEDGER"))
    return int(version)


def _walled(ledger: sqlite3.Connection) -> None:
    """Write ahead, so that readers never wait. SQLite's own patience does not cover this switch."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            ledger.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def _migrate(ledger: sqlite3.Connection, version: int) -> None:
    for script in MIGRATIONS[version:]:
        for statement in script.split(";"):
            ledger.execute(statement)
    ledger.execute(f"PRAGMA application_id = {APPLICATION}")
    ledger.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


@contextmanager
def _writing(ledger: sqlite3.Connection) -> Iterator[None]:
    """One transaction that has the right to write from its start, so that it never fails half way for want of it."""
    ledger.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        ledger.execute("ROLLBACK")
        raise
    ledger.execute("COMMIT")


NAME = "name a file in ADVISE_LEDGER"
OTHER = "name another file in ADVISE_LEDGER, or move this one away"


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors as the product's own."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise AdviseError(Fault(f"the ledger cannot be used: {error}", str(path), hint=OTHER)) from None
    except (sqlite3.DatabaseError, ValueError) as error:
        raise AdviseError(Fault(f"is no ledger, or a damaged one: {error}", str(path), hint=OTHER)) from None
    except OSError as error:
        raise AdviseError(Fault(f"the ledger cannot be written: {error.strerror}", str(path), hint=OTHER)) from None


def _add(ledger: sqlite3.Connection, part: Sequence[Record]) -> int:
    """Add some runs, all or none."""
    with _writing(ledger):
        return _insert(ledger, part)


def _insert(ledger: sqlite3.Connection, part: Sequence[Record]) -> int:
    records = {one.id: one for one in part}
    marks = ", ".join("?" * len(records))
    there = {row[0] for row in ledger.execute(f"SELECT id FROM runs WHERE id IN ({marks})", list(records))}
    tables: dict[str, list[dict[str, Any]]] = {}
    for id_ in records.keys() - there:
        for table, rows in _tables(id_, records[id_]).items():
            tables.setdefault(table, []).extend(rows)
    for table, rows in tables.items():
        _insert_rows(ledger, table, rows)
    return len(records) - len(there)


def _tables(id_: str, one: Record) -> dict[str, list[dict[str, Any]]]:
    """The rows of a run by their table."""
    run = {"run": id_}
    quantities = [
        {**run, "step": place, "place": nth, **_flat(quantity)}
        for place, step in enumerate(one.steps)
        for nth, quantity in enumerate(step.quantities)
    ]
    facts = [{**run, "name": name, "value": json.dumps(value, allow_nan=False)} for name, value in one.facts.items()]
    return {
        "runs": [{"id": id_, **{name: getattr(one, name) for name in SCALARS}}],
        "facts": facts,
        "versions": [{**run, "package": package, "version": version} for package, version in one.versions.items()],
        "steps": [{**run, "place": place, **_scalars(step)} for place, step in enumerate(one.steps)],
        "quantities": quantities,
        "gates": [{**run, "place": place, **_scalars(gate)} for place, gate in enumerate(one.gates)],
    }


def _scalars(one: StepRecord | GateRecord) -> dict[str, Any]:
    return {item.name: getattr(one, item.name) for item in fields(one) if item.name != "quantities"}


def _insert_rows(ledger: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        names = ", ".join(rows[0])
        marks = ", ".join("?" * len(rows[0]))
        ledger.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", [list(row.values()) for row in rows])


def _flat(one: Quantity) -> dict[str, Any]:
    low, high = one.interval or (None, None)
    predicted_low, predicted_high = one.predicted or (None, None)
    flat = {"name": one.name, "value": one.value, "why_not": one.why_not, "source": one.source}
    return {**flat, "low": low, "high": high, "predicted_low": predicted_low, "predicted_high": predicted_high}


def _record(ledger: sqlite3.Connection, run: sqlite3.Row) -> Record:
    def rows(table: str) -> list[dict[str, Any]]:
        found = ledger.execute(f"SELECT * FROM {table} WHERE run = ? ORDER BY rowid", (run["id"],))
        return [dict(row) for row in found]

    quantities = rows("quantities")
    content = {name: run[name] for name in SCALARS} | {"passed": bool(run["passed"])}
    content["facts"] = {row["name"]: json.loads(row["value"]) for row in rows("facts")}
    content["versions"] = {row["package"]: row["version"] for row in rows("versions")}
    content["steps"] = [_step(row, quantities) for row in rows("steps")]
    content["gates"] = [_own(row, GateRecord) | {"passed": bool(row["passed"])} for row in rows("gates")]
    return record.build(content)


def _own(row: Mapping[str, Any], type_: Any) -> dict[str, Any]:
    return {item.name: row[item.name] for item in fields(type_) if item.name in row}


def _step(row: Mapping[str, Any], quantities: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    mine = [_unflat(one) for one in quantities if one["step"] == row["place"]]
    return _own(row, StepRecord) | {"int8": bool(row["int8"]), "quantities": mine}


def _unflat(row: Mapping[str, Any]) -> dict[str, Any]:
    interval = None if row["low"] is None else (row["low"], row["high"])
    predicted = None if row["predicted_low"] is None else (row["predicted_low"], row["predicted_high"])
    return _own(row, Quantity) | {"interval": interval, "predicted": predicted}
