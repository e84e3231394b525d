"""Import and export: runs of a ledger as a file to share, JSONL with a run a line, or Parquet with a run a row.

A run comes with its id, the hash of its content: a damaged one is refused, and one that is there already is known.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from advisor.base.errors import MOST_FAULTS, AdviseError, Fault
from advisor.base.files import MOST_BYTES, deliver, regular_bytes
from advisor.base.install import pip_command
from advisor.runs import record
from advisor.runs.record import Record, canonical

PARTS = "export fewer runs: advise history export --since DATE"
AGAIN = "export it again where it comes from"
SHARE = (0.0, 1000.0)  # of what the baseline takes
POSSIBLE = {  # between these ends, without them
    "relative_accuracy": (-10.0, 10.0),
    **dict.fromkeys(("relative_size", "relative_time", "relative_emissions", "relative_compute"), SHARE),
}
FORM = 1  # of the content of a run; another one is refused
SUFFIXES = {".jsonl": "JSONL", ".parquet": "Parquet"}


def export(records: Sequence[Record], path: Path) -> None:
    """Write runs to a file, whole or not at all; its name's ending says in which form.

    Raises:
        AdviseError: the ending is neither .jsonl nor .parquet, pyarrow is missing, or the file cannot be written.
    """
    if _suffix(path) == ".jsonl":
        deliver(path, "".join(f"{canonical(_entry(one))}\n" for one in records))
    else:
        _write_parquet(records, path)


def read(path: Path) -> list[Record]:
    """Read the runs of an exported file.

    Raises:
        AdviseError: it cannot be read, or what is wrong with each of its runs, up to `MOST_FAULTS`.
    """
    found, faults = [], []
    if not path.exists():
        raise AdviseError(Fault("no such file", str(path), hint="give a file that advise history export wrote"))
    entries = _lines(path) if _suffix(path) == ".jsonl" else _rows(path)
    for place, entry in entries:
        try:
            found.append(_record(entry))
        except (ValueError, TypeError, RecursionError) as error:
            faults.append(Fault(_words(error), str(path), place, 1, AGAIN))
        if len(faults) == MOST_FAULTS:
            break
    if faults:
        raise AdviseError(*faults)
    return found


def _suffix(path: Path) -> str:
    if path.suffix not in SUFFIXES:
        raise AdviseError(Fault("the name has to end in .jsonl or .parquet", str(path)))
    return path.suffix


def _entry(one: Record) -> dict[str, Any]:
    return {"version": FORM, "id": one.id, "run": one.content()}


def _record(text: object) -> Record:
    if not isinstance(text, str):
        raise TypeError(f"entry: expected text, got {type(text).__name__}")
    entry = json.loads(text)
    if not isinstance(entry, dict) or entry.keys() != {"version", "id", "run"}:
        raise ValueError("expected an object with version, id and run")
    if entry["version"] != FORM:
        raise ValueError(f"a run of version {entry['version']!r:.40}, this advise reads {FORM}")
    found = record.build(entry["run"])
    if found.id != entry["id"]:
        raise ValueError("its content is not what its id, the hash of the content, says")
    if wrong := next(_impossible(found), ""):
        raise ValueError(wrong)
    return found


def _impossible(found: Record) -> Iterator[str]:
    """What no run can have measured. A correlation may turn round, so what is kept of one may be below 0."""
    if found.samples is not None and found.samples < 0:
        yield f"run.samples: expected at least 0, got {found.samples}"
    try:
        datetime.fromisoformat(found.finished or "2026-01-01")
    except ValueError:
        yield f"run.finished: expected a date and time of ISO 8601, got {found.finished!r:.40}"
    for step in found.steps:
        for one in step.quantities:
            low, high = POSSIBLE.get(one.name, (-math.inf, math.inf))
            if one.value is not None and not low < one.value < high:
                wanted = f"expected more than {low:g} and less than {high:g}"
                yield f"run.steps, {step.name}, {one.name}: {wanted}, got {one.value:g}"


def _words(error: Exception) -> str:
    """The first thing that is wrong, in a line; pydantic's errors have several."""
    details = getattr(error, "errors", None)
    if details is None:
        return str(error)
    first = details(include_url=False)[0]
    return f"run.{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise AdviseError(
            "Parquet needs pyarrow, not installed", hint=f"{pip_command('run')}, or take a .jsonl file"
        ) from None
    return pyarrow


def _write_parquet(records: Iterable[Record], path: Path) -> None:
    """The columns beside `entry` are for whoever looks into the file; `entry` alone is read back."""
    pyarrow = _pyarrow()
    rows = [_row(one) for one in records]
    types = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_()}
    table = pyarrow.Table.from_pylist(rows, schema=pyarrow.schema([(name, types[t]) for name, t in COLUMNS.items()]))
    made = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, made)
    deliver(path, made.getvalue().to_pybytes())


COLUMNS = {
    "id": str, "finished": str, "name": str, "model": str, "family": str, "device": str, "data": str, "samples": int,
    "eval_samples": int, "passed": bool, "recipe": str, "relative_accuracy": float, "relative_size": float,
    "relative_time": float, "relative_emissions": float, "entry": str,
}  # fmt: skip


def _row(one: Record) -> dict[str, Any]:
    shares = {quantity.name: quantity.value for quantity in one.last.quantities}
    plain = {name: getattr(one, name, shares.get(name)) for name in COLUMNS if name != "entry"}
    return {**plain, "entry": canonical(_entry(one))}


def _lines(path: Path) -> Iterator[tuple[int, object]]:
    """The lines that hold a run, with their numbers."""
    for number, line in enumerate(io.BytesIO(regular_bytes(path, PARTS)), start=1):
        try:
            if line.strip():
                yield number, line.decode()
        except UnicodeDecodeError:
            raise AdviseError(Fault("is not UTF-8 text", str(path), number, 1, AGAIN)) from None


def _rows(path: Path) -> Iterator[tuple[int, object]]:
    """The rows of a Parquet file, with their numbers. One of half a megabyte may unfold to gigabytes."""
    pyarrow, content = _pyarrow(), regular_bytes(path, PARTS)
    from advisor.compute.data.file_checks import refuse_unfolding

    try:
        refuse_unfolding(path, MOST_BYTES)
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(content), columns=["entry"])
        yield from enumerate(table["entry"].to_pylist(), start=1)
    except (OSError, KeyError, pyarrow.ArrowException) as error:
        message = str(error).splitlines()[0]
        raise AdviseError(Fault(f"is no Parquet file of exported runs: {message}", str(path))) from None
