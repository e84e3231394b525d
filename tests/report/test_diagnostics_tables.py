"""Diagnostics in `advise report`, as text and on the page: all of them, and nothing hostile gets out of its place."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import small_runs

from advisor.cli import main
from advisor.records.diagnostics import (
    Changed,
    ClassScore,
    Confused,
    Confusion,
    Curve,
    CurvePoint,
    Diagnostics,
    Example,
)
from advisor.records.results import RunResult

HOSTILE = "<script>alert(1)</script> \x1b[31mred"
CLASSES = (ClassScore("negative", 0.9, 0.8, 0.847, 400, 380), ClassScore("positive", 0.85, 0.92, 0.884, 472, 492))
FOUND = Diagnostics(
    CLASSES,
    Confusion(("negative", "positive"), ((320, 80), (38, 434)), (Confused("negative", "positive", 80),)),
    Changed(31, 12, 19, (Example(17, HOSTILE, "negative", "negative", "positive", 1.0, 0.0),)),
    Curve("accuracy", (CurvePoint(5, 0.5, 2e-5, 0.7), CurvePoint(10, 1.0, 1e-5, 0.4, 0.891))),
)


def diagnosed(found: Diagnostics = FOUND) -> RunResult:
    whole = small_runs.result()
    first, *others, last = whole.steps
    first = replace(first, diagnostics=Diagnostics(tuple(replace(one, f1=0.9) for one in CLASSES)))
    return replace(whole, steps=(first, *others, replace(last, diagnostics=found)))


def test_the_screen_shows_all_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(small_runs.write(tmp_path / "run", diagnosed()))]) == 0
    said = capsys.readouterr().out
    for words in (
        "By class: int8", "0.847", "0.900", "Rows by label (down) and answer (across): int8",
        "31 report rows have another answer, 12 better and 19 worse: int8", "accuracy 0.8910", "0.5500",
    ):  # fmt: skip
        assert words in said
    assert "\x1b" not in said


def test_images_stand_there_as_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = Example(17, "test/cat/3.jpg", "cat", "cat", "dog", 1.0, 0.0)
    found = diagnosed(replace(FOUND, changed=Changed(1, 0, 1, (example,))))
    folder, file = small_runs.write(tmp_path / "run", replace(found, task="image-classification")), tmp_path / "a.html"
    assert main(["report", str(folder), "--html", str(file), "--format", "text"]) == 0
    words = [re.sub(r"[│┃ ]+", " ", line).split() for line in capsys.readouterr().out.splitlines()]
    assert ["File", "Label", "Before", "After", "Row"] in words
    assert ["test/cat/3.jpg", "cat", "cat", "dog", "17"] in words
    page = file.read_text()
    assert "<th>File</th><th>Label</th>" in page and '<td class="why">test/cat/3.jpg</td><td>cat</td>' in page


def test_a_matrix_that_is_too_wide_for_the_screen_is_told_by_its_pairs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = replace(FOUND, confusion=Confusion(pairs=(Confused("negative", "positive", 80),)))
    assert main(["report", str(small_runs.write(tmp_path / "run", diagnosed(many)))]) == 0
    assert "Most frequent confusions: int8" in capsys.readouterr().out


def test_the_page_shows_them_and_escapes_texts(tmp_path: Path) -> None:
    folder, file = small_runs.write(tmp_path / "run", diagnosed()), tmp_path / "report.html"
    assert main(["report", str(folder), "--html", str(file)]) == 0
    page = file.read_text()
    for words in (
        "By class: int8", "Changed answers: int8", "How the steps learned", "--share: 0.8",
        "Training of int8", "training loss from 0.7 to 0.4; selection accuracy, epoch 1: 0.891",
    ):  # fmt: skip
        assert words in page
    assert "<script>" not in page and "&lt;script&gt;alert(1)" in page


def test_a_run_without_any_has_no_such_headings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, file = small_runs.write(tmp_path / "run"), tmp_path / "report.html"
    assert main(["report", str(folder), "--html", str(file), "--format", "text"]) == 0
    assert not any(words in capsys.readouterr().out + file.read_text() for words in ("By class", "How the steps"))
