"""Where products go: what a command reads, what a run has measured, and what people wrote stays as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import refused

from advisor.base.errors import AdviseError
from advisor.cli import main
from advisor.cli.targets import refuse_inputs

T5 = ["--model", "t5", "--samples", "3000", "--device", "cpu"]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A recipe that somebody wrote."""
    file = tmp_path / "desk.yaml"
    file.write_text(refused.RECIPE)
    return file


def test_findings_do_not_replace_what_is_checked(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = desk.parent / "link.yaml"
    link.symlink_to(desk)
    for target in (desk, link):
        assert main(["check", str(desk), "-o", str(target), "--format", "json"]) == 2
        assert f"{target.name}: is not written: this command reads it" in capsys.readouterr().err
    assert desk.read_text() == refused.RECIPE


def test_advice_does_not_replace_what_people_wrote(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*T5, "-o", str(desk)]) == 2
    assert "advise did not write what is there\n  try: give another name, or add --force" in capsys.readouterr().err
    assert desk.read_text() == refused.RECIPE
    assert main([*T5, "-o", str(desk), "--force"]) == 0
    assert desk.read_text().startswith("# written by advise")


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_advice_replaces_advice(form: str, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.touch()
    assert [main([*T5, "--format", form, "-o", str(target)]) for _ in range(2)] == [0, 0]


def test_a_run_keeps_its_files_and_takes_others(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "steps/0-finetune").mkdir(parents=True)
    names = ("report.json", "manifest.json", "steps/0-finetune/config.json", "page.html", "README.md")
    for name in names:
        (run / name).write_text("{}")
    files = dict.fromkeys(("report.json", "steps/0-finetune/config.json", "README.md"), "0" * 64)
    (run / "manifest.json").write_text(json.dumps({"version": 1, "files": files}))
    for name in names[:3]:
        with pytest.raises(AdviseError, match="it belongs to the finished run in run"):
            refuse_inputs(run / name)
    for name in (*names[3:], "new.html"):
        refuse_inputs(run / name)


def test_a_manifest_of_another_tool_protects_nothing(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "an app"}')
    (tmp_path / "x.html").touch()
    refuse_inputs(tmp_path / "x.html")


def test_a_report_does_not_replace_its_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("report.json", "manifest.json"):
        (tmp_path / name).write_text(json.dumps({"version": 1, "files": {"report.json": "0" * 64}}))
    for option in ("--html", "--chart", "--if"):
        assert main(["report", str(tmp_path), option, str(tmp_path / "report.json")]) == 2
        assert "report.json: is not written: it belongs to the finished run" in capsys.readouterr().err


def test_a_page_does_not_replace_the_record_of_a_search(tmp_path: Path) -> None:
    (tmp_path / "search.json").write_text("{}")
    assert main(["report", str(tmp_path), "--html", str(tmp_path / "search.json")]) == 2
    assert (tmp_path / "search.json").read_text() == "{}"


def test_a_description_does_not_replace_the_config_that_it_is_made_of(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"model_type": "bert"}')
    assert main(["families", "add", str(tmp_path), "--out", str(config)]) == 2
    assert config.read_text() == '{"model_type": "bert"}'
