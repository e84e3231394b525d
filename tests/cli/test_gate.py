"""`advise gate` as CI calls it: exit codes, formats, and what it says on which stream."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import gated
import jsonschema
import pytest

from advisor.cli import main
from advisor.deployment.rules import BECAUSE
from advisor.review.findings import FORMATS, GATE_RULES

SARIF = Path(__file__).parents[1] / "schemas" / "sarif-2.1.0-rtm.5.json"


@pytest.fixture
def broken(finished_run: Path, tmp_path: Path) -> Path:
    out = Path(shutil.copytree(finished_run, tmp_path / "run"))
    gated.rewrite(out / "report.json", lambda report: report["steps"][-1].update(accuracy=0.999))
    return out


def test_a_whole_run_ends_with_0_and_says_what_is_kept(finished_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", str(finished_run)]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "kept: relative accuracy" in shown.err and "95 % interval" in shown.err
    assert shown.err.rstrip().endswith("may be deployed")


def test_a_broken_run_ends_with_4(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", str(broken)]) == 4
    shown = capsys.readouterr()
    assert "error[gate-intact]: report.json was changed after it was measured" in shown.out
    assert "error[gate-recomputed]" in shown.out
    assert "ignore[" not in shown.out  # nobody can waive these
    assert shown.err.rstrip().endswith("may not be deployed")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_of_the_finding(form: str, broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", "--format", form, str(broken)]) == 4
    out = capsys.readouterr().out
    assert "gate-recomputed" in out and "0.999" in out
    if form == "sarif":
        log = json.loads(out)
        jsonschema.validate(log, json.loads(SARIF.read_text()))
        assert log["runs"][0]["invocations"][0]["exitCode"] == 4
    if form == "json":
        assert json.loads(out)["exit"]["code"] == 4
    if form == "junit":
        assert ET.fromstring(out).findall(".//failure")


def test_wrong_use_ends_with_2(finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", str(tmp_path / "gone")]) == 2
    assert main(["gate", str(finished_run), "--max-age", "soon"]) == 2
    assert main(["gate", str(finished_run), "--data", "x", "--without-data"]) == 2
    assert main(["gate", str(finished_run), "--recipe", str(tmp_path / "gone.yaml")]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_pack_that_does_not_load_ends_with_3(finished_run: Path, tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text("name: x\n")
    assert main(["gate", str(finished_run), "--policy", str(tmp_path)]) == 3


def test_a_folder_without_measurements_ends_with_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", str(tmp_path)]) == 4
    assert "predictions.json is missing" in capsys.readouterr().out


def test_each_rule_of_the_gate_has_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert BECAUSE.keys() == GATE_RULES.keys()
    for name, title in GATE_RULES.items():
        assert main(["explain", name]) == 0
        assert title in capsys.readouterr().out


def test_the_projects_configuration_counts(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "demanding"
    pack.mkdir()
    (pack / "pack.yaml").write_text(
        "name: demanding\nversion: '1'\ndescription: x\nextends: [core]\n"
        "meta: {owner: {about: who answers, required: true}}\n"
    )
    monkeypatch.chdir(tmp_path)
    (tmp_path / "advise.toml").write_text('policy = "demanding"\n')
    assert main(["gate", str(finished_run)]) == 4
    assert "error[meta-owner]" in capsys.readouterr().out
    assert main(["gate", str(finished_run), "--policy", "core"]) == 0
    (tmp_path / "advise.toml").write_text('policy = "demanding"\nignore = ["meta-owner"]\n')
    assert main(["gate", str(finished_run)]) == 0


def test_a_folder_that_is_no_run_is_said_once_for_each_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", str(tmp_path), "--format", "json"]) == 4
    found = json.loads(capsys.readouterr().out)["findings"]
    assert sorted(Path(one["place"]["file"]).name for one in found) == sorted(
        ["manifest.json", "recipe.yaml", "facts.json", "report.json", "predictions.json", "answers.json"]
    )
    assert {one["rule"] for one in found} == {"gate-complete"}
