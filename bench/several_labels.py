"""A data set of several labels for a text, made of CLINC: one to three requests in a row, with all their intents."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Dataset

NAME = "clinc-several"
INTENTS, OUT_OF_SCOPE = 20, "oos"  # so many of the 150
TEXTS = {"train": 2_000, "validation": 600}  # made of the split of the same name
MOST = 3  # requests in a text


def made(source: Path, folder: Path) -> Path:
    """The folder of the data set: columns `text`, and `labels`, a list of names."""
    out = folder / NAME
    out.mkdir(parents=True, exist_ok=True)
    for split, count in TEXTS.items():
        if not (out / f"{split}.parquet").exists():
            rows = Dataset.from_parquet(str(source / "clinc" / f"{split}.parquet"), cache_dir=str(folder / "cache"))
            pq.write_table(_texts(rows, count), out / f"{split}.parquet")
    return out


def _texts(rows: Dataset, count: int) -> pa.Table:
    chosen = _requests(rows)
    drawn, texts = random.Random(0), []
    for _ in range(count):
        some = drawn.sample(chosen, drawn.randint(1, MOST))
        texts.append({"text": ". ".join(text for text, _ in some), "labels": sorted({intent for _, intent in some})})
    return pa.Table.from_pylist(texts)


def _requests(rows: Dataset) -> list[tuple[str, str]]:
    """Texts with the names of their intents, of the first intents by name."""
    names = rows.features["intent"].names
    wanted = sorted(set(names) - {OUT_OF_SCOPE})[:INTENTS]
    named = ((row["text"], names[row["intent"]]) for row in rows)
    return [(text, intent) for text, intent in named if intent in wanted]
