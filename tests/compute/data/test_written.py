"""Texts alone and texts with targets: which columns they are, and what is wrong with their rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from advisor.base.errors import AdviseError
from advisor.compute.data.dataset import TaskData, load
from advisor.compute.data.written import read_alone, read_with_targets

MANY = [{"document": f"a long text number {number}", "summary": f"short {number}"} for number in range(20)]


def alone(folder: Path, **columns: Any) -> TaskData:
    return load(str(folder), task="text-generation", read_rows=read_alone, **columns)


def with_targets(folder: Path, **columns: Any) -> TaskData:
    return load(str(folder), task="summarization", read_rows=read_with_targets, **columns)


def write(folder: Path, **parts: list[dict[str, Any]]) -> Path:
    for part, rows in parts.items():
        (folder / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_texts_without_labels_are_trained_on_and_blank_ones_are_counted(tmp_path: Path) -> None:
    rows = [{"text": f"text {number}", "label": 0} for number in range(20)]
    write(tmp_path, train=rows, unsupervised=[{"text": "more", "label": -1}, {"text": " ", "label": -1}])
    found = alone(tmp_path)
    assert "more" in {*found.train.texts, *found.report.texts, *found.selection.texts}
    assert found.task == "text-generation" and found.label_names == () and not found.unlabelled_samples
    assert "1 rows without text are left out" in found.notes[0]


def test_labels_of_a_language_model_are_refused(tmp_path: Path) -> None:
    write(tmp_path, train=[{"text": "a", "label": 1}])
    with pytest.raises(AdviseError, match="neither pairs nor labels"):
        alone(tmp_path, label="label")


@pytest.mark.parametrize(
    ("read", "written"), [("document", "summary"), ("article", "highlights"), ("text", "target"), ("source", "target")]
)
def test_usual_columns_are_found(tmp_path: Path, read: str, written: str) -> None:
    rows = [{"id": str(place), read: row["document"], written: row["summary"]} for place, row in enumerate(MANY)]
    found = with_targets(write(tmp_path, train=rows))
    assert (found.columns.text, found.columns.label) == (read, written)
    assert found.train.labels[0].startswith("short")


def test_a_column_of_translations_counts_as_one_for_each_language(tmp_path: Path) -> None:
    rows = [{"translation": {"en": f"one {number}", "de": f"eins {number}"}} for number in range(20)]
    write(tmp_path, train=rows, test=[{"translation": {"en": "two", "de": "zwei"}}])
    found = with_targets(tmp_path)
    assert (found.columns.text, found.columns.label, len(found.report)) == ("en", "de", 1)
    assert len(found.notes) == 1
    assert "'translation' has texts in en, de: en is read, de is written; --text and --label name" in found.notes[0]
    other = with_targets(tmp_path, text="de")
    assert (other.columns.text, other.columns.label) == ("de", "en") and other.train.texts[0].startswith("eins")


def test_unclear_and_missing_columns_are_told(tmp_path: Path) -> None:
    write(tmp_path, train=[{"document": "a", "article": "b", "summary": "c"}])
    with pytest.raises(AdviseError, match="2 columns could be the text that is read: document, article"):
        with_targets(tmp_path)
    with pytest.raises(AdviseError, match="no column 'sumary'"):
        with_targets(tmp_path, text="document", label="sumary")
    with pytest.raises(AdviseError, match="named twice"):
        with_targets(tmp_path, text="document", label="document")


def test_rows_without_a_text_are_told_with_their_number(tmp_path: Path) -> None:
    write(tmp_path, train=[*MANY, {"document": "a", "summary": None}, {"document": None, "summary": "b"}])
    with pytest.raises(AdviseError) as refused:
        with_targets(tmp_path)
    assert "'document': the first is row 22" in str(refused.value) and "'summary': the first is row 21" in str(
        refused.value
    )
    write(tmp_path, train=[*MANY, {"document": "a", "summary": " "}])
    with pytest.raises(AdviseError, match="1 of 21 rows are blank in column 'summary': the first is row 21"):
        with_targets(tmp_path)
