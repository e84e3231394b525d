"""Scratch folders: gone with their process; those of killed processes are removed by the next run, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from advisor.execution import scratch

HOLD = "from advisor.execution.scratch import scratch\nwith scratch() as f:\n    print(f, flush=True)\n    input()\n"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(scratch, "YOUNG", -1.0)
    return tmp_path


def holder() -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def test_a_folder_of_a_killed_process_is_removed_by_the_next_run(temporary: Path) -> None:
    process, folder = holder()
    (folder / "left.txt").write_text("behind")
    with scratch.scratch() as own:
        assert folder.is_dir() and own.parent == temporary and tempfile.gettempdir() == str(own)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert folder.is_dir()
    with scratch.scratch():
        assert not folder.exists()
    assert list(temporary.iterdir()) == [] and os.environ["TMPDIR"] == str(temporary)


def test_nothing_else_is_removed(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (temporary / "advise-notes").mkdir()  # somebody's own: it has no lock
    (temporary / "elsewhere" / "x").mkdir(parents=True)
    (temporary / "elsewhere" / ".lock").touch()
    (temporary / "advise-link").symlink_to(temporary / "elsewhere")
    (temporary / "advise-file").touch()
    scratch.clear_abandoned(temporary)
    assert len(list(temporary.iterdir())) == 4 and (temporary / "elsewhere" / "x").is_dir()
    monkeypatch.setattr(scratch, "YOUNG", 60.0)
    (temporary / "advise-new").mkdir()
    (temporary / "advise-new" / ".lock").touch()
    scratch.clear_abandoned(temporary)
    assert (temporary / "advise-new").is_dir()  # its process may be about to take the lock
