"""The picture of a README: accuracy against time of finished runs, as one SVG file."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from small_runs import result, write

from advisor.base.errors import AdviseError
from advisor.cli import main
from advisor.records.results import Measured, Served
from advisor.report.figure import accuracy_against_time
from advisor.runs.finished import read


def test_it_stands_alone_and_names_every_model(tmp_path: Path) -> None:
    svg = accuracy_against_time([read(write(tmp_path / "run"))])
    ET.fromstring(svg)
    assert "var(--" not in svg and "relative time of serving (faster to the right)" in svg
    assert ">int8</text>" in svg and "accuracy 99.0% at time 80.0%" in svg


def test_what_was_not_measured_is_left_out(tmp_path: Path) -> None:
    one = read(write(tmp_path / "run"))
    steps = (*one.result.steps[:-1], replace(one.result.steps[-1], served=Served(time=Measured(why_not="no machine"))))
    svg = accuracy_against_time([one._replace(result=result(steps=steps))])
    assert ">int8</text>" not in svg
    nothing = tuple(replace(step, served=Served()) for step in steps)
    with pytest.raises(AdviseError, match="no run has a measured accuracy and time"):
        accuracy_against_time([one._replace(result=result(steps=nothing))])


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write(tmp_path / "run")
    assert main(["report", str(run), "--chart", str(tmp_path / "chart.svg")]) == 0
    assert (tmp_path / "chart.svg").read_text().startswith("<svg")
    assert capsys.readouterr().out == ""
