"""File checks: what would crash, hang or fill the memory, refused before a library reads the file.

pyarrow ends the process on JSON that is nested deeply, and a Parquet file of half a megabyte can unfold to gigabytes.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import DictionaryArray, types

from advisor.base.errors import AdviseError, Fault

MOST_ROWS, MOST_BYTES = 10_000_000, 4 * 2**30  # of one file or saved split, as it is in memory
MOST_COLUMNS, MOST_HEADER = 1_000, 2**17  # the second in characters: what a field of CSV may have
MOST_DEPTH = 100
JSON_LINES = (".jsonl", ".ndjson")
PIECE = 2**20  # bytes that are read or unpacked at a time
BATCH = 65_536  # rows of a Parquet file that are measured at a time
# First bytes of the archives that `datasets` would unpack: zip, gzip, bzip2, xz, zstd, 7z, lz4, rar.
COMPRESSED = (
    *(b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ"),
    *(b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"\x04\x22\x4d\x18", b"Rar!"),
)
SAMPLE = "give a part of it: a model needs no more to learn a task"
JSON_ROWS = re.compile(rb"(\xef\xbb\xbf)?\s*(\[?\s*[{\]]|\Z)")
# Possessive, and to the end where no quote closes it: a long text is looked at once, not again from each quote in it.
STRING = rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)(?:"|\Z)'
JSON_STRING = re.compile(STRING + rb"(\s*:)?", re.DOTALL)  # and the colon that makes it a key
NO_BRACKET = re.compile(STRING + rb'|[^"\[\]{}]+', re.DOTALL)  # a string, or what is between brackets
OBJECT = ord("{")


def refuse_too_large(path: Path) -> None:
    """Raise an AdviseError for a file of more bytes than are read, or a compressed one, whose size says nothing."""
    size = path.stat().st_size
    if not size:
        raise AdviseError(Fault("the file is empty", str(path), hint="write it again"))
    if size > MOST_BYTES:
        raise AdviseError(Fault(f"{size:,} bytes, more than the {MOST_BYTES:,} that are read", str(path), hint=SAMPLE))
    with path.open("rb") as file:
        if file.read(8).startswith(COMPRESSED) and path.suffix.lower() != ".gz":
            hint = "unpack it, or end its name with .gz if it is gzip"
            raise AdviseError(Fault(f"is compressed, not a plain {path.suffix} file", str(path), hint=hint))


def unpack(packed: Path, plain: Path) -> None:
    """Unpack a gzip file, as far as a file is read.

    Raises:
        AdviseError: it unfolds to more bytes than that.
        OSError, EOFError, zlib.error: it is no whole gzip file.
    """
    size = 0
    with gzip.open(packed) as source, plain.open("wb") as target:
        while piece := source.read(PIECE):
            size += len(piece)
            if size > MOST_BYTES:
                raise AdviseError(Fault(f"unfolds to more than {MOST_BYTES:,} bytes", str(packed), hint=SAMPLE))
            target.write(piece)


def refuse_wide_or_long(place: str, columns: int, rows: int) -> None:
    """Raise an AdviseError for more columns or rows than are read."""
    for count, most, what in ((columns, MOST_COLUMNS, "columns"), (rows, MOST_ROWS, "rows")):
        if count > most:
            hint = "keep the columns of the text and the label" if what == "columns" else SAMPLE
            raise AdviseError(Fault(f"{count:,} {what}, more than the {most:,} that are read", place, hint=hint))


def refuse_unfolding(path: Path, most: int | None = None) -> None:
    """Raise an AdviseError for a Parquet file of more bytes in memory; its metadata is read before its pages.

    Raises:
        pyarrow.ArrowException, OSError: it cannot be read.
    """
    most = most or MOST_BYTES
    file = pq.ParquetFile(path)
    refuse_wide_or_long(str(path), len(file.schema_arrow), file.metadata.num_rows)
    groups = (file.metadata.row_group(number) for number in range(file.metadata.num_row_groups))
    if sum(group.total_byte_size for group in groups) <= most:
        texts = [one.name for one in file.schema_arrow if types.is_string(one.type) or types.is_large_string(one.type)]
        # Texts stay in their dictionaries, in which a text that is repeated is kept once, and are only measured.
        measured = pq.ParquetFile(path, read_dictionary=texts).iter_batches(BATCH)
        found = 0
        for batch in measured:
            found += sum(map(_bytes, batch.columns))
            if found > most:
                break
        else:
            return
    raise AdviseError(Fault(f"unfolds to more than {most:,} bytes", str(path), hint=SAMPLE))


def _bytes(column: object) -> int:
    """Bytes of a column as plain values."""
    if isinstance(column, DictionaryArray):
        lengths = pc.binary_length(column.dictionary).take(column.indices)
        return int(pc.sum(lengths).as_py() or 0)
    return int(column.nbytes)  # type: ignore[attr-defined]


def refuse_odd_json(path: Path, place: str) -> None:
    """Stop at what pyarrow ends the process on, and at what would fill the memory.

    Raises:
        AdviseError: it is nested too deeply, or has too many columns or rows.
        ValueError: its rows are not JSON objects.
    """
    with path.open("rb") as lines:
        if not JSON_ROWS.match(lines.read(4096)):
            raise ValueError("rows have to be JSON objects, one a line or in a list")
        lines.seek(0)
        depth, rows, each = 0, 0, path.suffix.lower() in JSON_LINES  # there a line is a value of its own
        keys: set[bytes] | None = set() if each else None  # and what in a value looks like one
        for number, line in enumerate(lines, 1):
            if keys is not None:
                keys.update(text for text, colon in JSON_STRING.findall(line) if colon)
                if len(keys) > MOST_COLUMNS:
                    refuse_wide_or_long(place, _keys(path), 0)
                    keys = None
            if each and line.count(b"[") + line.count(b"{") <= MOST_DEPTH:
                deepest, found = 0, int(not line.isspace())
            else:
                depth, deepest, found = _depth(line, 0 if each else depth)
            rows += found
            if rows > MOST_ROWS:
                raise AdviseError(Fault(f"has more than the {MOST_ROWS:,} rows that are read", place, hint=SAMPLE))
            if deepest > MOST_DEPTH:
                message = f"nested deeper than {MOST_DEPTH} levels"
                raise AdviseError(Fault(message, place, number, 1, "give rows of a text and a label"))


def _keys(path: Path) -> int:
    """How many different keys the rows of a JSONL file have, counted until there are too many."""
    found: set[str] = set()
    with path.open("rb") as lines:
        for line in lines:
            with suppress(ValueError, RecursionError):
                row = json.loads(line)
                found |= row.keys() if isinstance(row, dict) else set()
            if len(found) > MOST_COLUMNS:
                break
    return len(found)


def _depth(line: bytes, depth: int) -> tuple[int, int, int]:
    """How deep brackets are nested at the end of a line and at most, from the depth at its beginning, and its rows."""
    deepest, rows = depth, 0
    for bracket in NO_BRACKET.sub(b"", line):
        rows += bracket == OBJECT and depth < 2  # alone, or in a list
        depth += 1 if bracket in b"[{" else -1 if bracket in b"]}" else 0
        deepest = max(deepest, depth)
    return depth, deepest, rows


def refuse_outside(folder: Path) -> None:
    """Raise an AdviseError where a folder of `save_to_disk` names files or splits that are not in it."""
    wrong = [name for name in _named(folder) if not isinstance(name, str) or Path(name).name != name]
    if wrong:
        message = f"cannot be read: expected files in the same folder, got {', '.join(map(str, wrong[:3]))}"
        raise AdviseError(Fault(message, str(folder), hint="save it again with Dataset.save_to_disk"))


def _named(folder: Path) -> Iterator[object]:
    """The files and splits that a saved data set says it consists of.

    Raises:
        ValueError, LookupError, TypeError, OSError: it does not say so.
    """
    splits = folder / "dataset_dict.json"
    if splits.is_file():
        names: Iterable[object] = json.loads(splits.read_bytes())["splits"]
        yield from names
        states = [folder / str(name) / "state.json" for name in names if Path(str(name)).name == name]
    else:
        states = [folder / "state.json"]
    for state in states:
        yield from (one["filename"] for one in json.loads(state.read_bytes())["_data_files"])
