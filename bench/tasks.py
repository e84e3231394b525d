"""Data sets as measurements use them: so many rows of the train split, and the rows that models are compared on."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

SELECTION = 1_000  # rows that loading sets apart, or a tenth where that is fewer


class Task(NamedTuple):
    """A data set and how much of its train split is used.

    rows: all where None. unlabelled: so many further rows, without their labels. epochs, rate: of fine-tuning.
    metric: what accuracy means. tokens: longer texts are cut. report: rows that models are compared on, all where None.
    """

    name: str
    rows: int | None = None
    unlabelled: int = 0
    epochs: int = 3
    rate: float = 5e-5
    metric: str = "accuracy"
    tokens: int = 64
    report: int | None = None

    @property
    def finetune(self) -> str:
        """The first step as a line of YAML."""
        return f"finetune: {{epochs: {self.epochs}, learning_rate: {self.rate}}}"

    @property
    def key(self) -> str:
        """Its name in results and folders."""
        parts = [self.name, str(self.rows or ""), f"u{self.unlabelled}" if self.unlabelled else ""]
        return "-".join(part for part in parts if part)


def prepared(task: Task, source: Path, work: Path, seed: int) -> Path:
    """A folder with as many rows of the train split as the task takes, and rows of the validation or the test split."""
    folder = work / f"data-{task.key}-{seed}"
    if (folder / "train.parquet").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    whole = pq.read_table(source / "train.parquet")
    order = list(range(whole.num_rows))
    random.Random(seed).shuffle(order)
    count = task.rows + min(SELECTION, task.rows // 9) if task.rows else whole.num_rows
    _write_report(task, source, folder / "validation.parquet")
    if task.unlabelled:
        texts = whole.take(order[count : count + task.unlabelled])
        place = texts.column_names.index("label")
        texts = texts.set_column(place, "label", pa.array([-1] * texts.num_rows))
        pq.write_table(texts, folder / "unlabelled.parquet")
    pq.write_table(whole.take(order[:count]), folder / "train.parquet")
    return folder


def _write_report(task: Task, source: Path, file: Path) -> None:
    """The same rows for every seed."""
    held = source / "validation.parquet"
    whole = pq.read_table(held if held.exists() else source / "test.parquet")
    order = list(range(whole.num_rows))
    random.Random(0).shuffle(order)
    pq.write_table(whole.take(sorted(order[: task.report])), file)
