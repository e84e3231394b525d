"""Products go into files whole or not at all, and to devices and pipes as they come."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from advisor.base.errors import AdviseError
from advisor.base.files import MOST_BYTES, deliver, regular_bytes, write
from advisor.cli import main

ROOT = Path(__file__).parents[2]
ADVICE = ["--model", "t5", "--samples", "3000", "--device", "cpu"]


def test_a_device_stays_one() -> None:
    before = Path("/dev/null").stat()
    deliver(Path("/dev/null"), "text")
    assert Path("/dev/null").stat().st_rdev == before.st_rdev
    with pytest.raises(AdviseError, match="/dev/full: cannot be written: No space left on device"):
        deliver(Path("/dev/full"), "text")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_stdout_by_its_name_is_written_to_wherever_it_leads(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "cli.py"), *ADVICE, "-o", "/dev/stdout"]
    link = Path("/dev/stdout").readlink()
    piped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert piped.startswith("# written by advise")
    with (tmp_path / "log").open("w") as log:
        log.write("before\n")
        log.flush()
        subprocess.run(command, stdout=log, stderr=subprocess.DEVNULL, check=True)
    assert (tmp_path / "log").read_text() == "before\n" + piped
    assert Path("/dev/stdout").readlink() == link


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    deliver(pipe, "text")
    reader.join()
    assert found == ["text"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_to_a_file_stays_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    deliver(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


def test_who_may_read_a_file_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "secret.json"
    file.write_text("before")
    file.chmod(0o600)
    write(file, "after")
    assert file.read_text() == "after" and stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_of_too_many_bytes_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(MOST_BYTES + 1)  # a file of holes takes no room
    with pytest.raises(AdviseError, match="has 1,073,741,825 bytes, more than the 1,073,741,824 that are read"):
        regular_bytes(tmp_path / "a.json")


@pytest.mark.parametrize("name", [".", "..", "sub", "sub/..", ""])
def test_a_folder_is_no_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sub").mkdir()
    for function in (write, deliver):
        with pytest.raises(AdviseError, match="it is a folder\n  try: give the name of a file in it"):
            function(Path(name), "text")
    assert main([*ADVICE, "-o", name]) == 2
    assert "it is a folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["sub"]


def test_a_missing_or_closed_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(AdviseError, match="cannot be written: the folder does not exist"):
        deliver(tmp_path / "no/file", "text")
    with pytest.raises(AdviseError, match="/proc/file: cannot be written: "):
        deliver(Path("/proc/file"), "text")
