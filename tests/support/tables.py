"""Labelled tables written on the spot in every format, and what loading them says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pytest

from advisor.base.errors import AdviseError
from advisor.compute.data.dataset import Rows, load

NAMES = datasets.ClassLabel(names=["neg", "pos"])
Table = dict[str, list[Any]]
WORDS = [f"words {i}" for i in range(20)]


def reviews(count: int, start: int = 0) -> Table:
    """`count` different texts, sorted by label as in IMDb."""
    texts = [
        f"review {i}: the film was {'dull' if i < start + count / 2 else 'fine'}" for i in range(start, start + count)
    ]
    return {"text": texts, "label": [int("fine" in text) for text in texts]}


def write(path: Path, table: Table, names: datasets.ClassLabel | None = None) -> str:
    """Write `table` in the format that the suffix of `path` says; without a suffix as `save_to_disk` does."""
    dataset = datasets.Dataset.from_dict(table)
    dataset = dataset.cast_column("label", names) if names else dataset
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".json", ".jsonl", ".ndjson"):
        rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
        path.write_text(json.dumps(rows) if path.suffix == ".json" else "\n".join(map(json.dumps, rows)))
    else:
        {".csv": dataset.to_csv, ".parquet": dataset.to_parquet, "": dataset.save_to_disk}[path.suffix](str(path))
    return str(path)


def texts(rows: Rows) -> set[str]:
    return set(rows.texts)


def faults(source: object, **options: Any) -> str:
    with pytest.raises(AdviseError) as caught:
        load(str(source), **options)
    return str(caught.value)
