"""Where the user's folders are, also for a user whom the system does not know, as in many containers."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from advisor.base import user_folders
from advisor.base.errors import AdviseError
from advisor.base.held_output import without_panics
from advisor.cli import main
from advisor.execution.scratch import scratch

ADVICE = ["--model", "bert", "--samples", "3000", "--device", "cpu"]


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No HOME, no entry in the list of users. Returns the working folder, which is empty."""
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "ADVISE_LEDGER", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.mark.parametrize(
    "arguments", [ADVICE, ["families"], ["rules", "list"], ["explain", "x.yaml"]], ids=lambda a: a[0]
)
def test_without_a_home_all_but_the_ledger_works(arguments: list[str], homeless: Path) -> None:
    (homeless / "x.yaml").write_text(
        "version: 1\nname: x\nmodel: {source: bert}\ndata: {samples: 3000}\ndevice: cpu\nsteps: [finetune]\n"
    )
    assert main(arguments) in (0, 1)
    assert [path.name for path in homeless.iterdir()] == ["x.yaml"]  # no folder called ~


@pytest.mark.parametrize("arguments", [["history"], [*ADVICE, "--history"]], ids=["history", "advice"])
def test_without_a_home_the_ledger_says_what_to_set(
    arguments: list[str], homeless: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr().err
    assert "no home folder: set HOME or XDG_DATA_HOME" in shown and "ADVISE_LEDGER" in shown
    assert not list(homeless.iterdir())


def test_a_ledger_of_nobody(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ADVISE_LEDGER", "~nobody-of-this-name/ledger")
    assert main(["history"]) == 2
    assert "~nobody-of-this-name/ledger" in capsys.readouterr().err


def test_a_relative_folder_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The XDG Base Directory Specification says so: else it would be another one in each working folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    assert user_folders.cache() == f"{tmp_path}/.cache"


def opened() -> int:
    """How many files this process has open, where the system tells."""
    return len(list(Path("/proc/self/fd").glob("*")))


def test_without_a_place_for_temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "none")])
    before = opened()
    for place in (scratch, without_panics):
        with pytest.raises(AdviseError, match="no folder for temporary files that can be written to"), place():
            pytest.fail("there is no such folder")
    assert opened() == before
