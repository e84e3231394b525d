"""What is written to stdout and stderr: nothing steers a terminal, and a reader that leaves costs no exit code."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from advisor.cli import main
from advisor.cli.screen import Stream
from advisor.report.style import wrapped

ROOT = Path(__file__).parents[2]
ADVISE = f"{sys.executable} {ROOT}/cli.py"
HOSTILE = "\x1b[31mRED\x1b]0;pwn\x07\x9b2J"
RECIPE = """version: 1
name: "\\e[31mRED\\e]0;pwn\\a"
model: {source: google-bert/bert-base-uncased, family: bert}
data: {task: text-classification, samples: 3000, eval_samples: 1000}
device: cpu
steps:
  - finetune: {}
"""


def shell(command: str, folder: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash; the exit code of its first failing part counts."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    line = ["bash", "-o", "pipefail", "-c", command]
    return subprocess.run(
        line, cwd=folder, env=environment, text=True, errors="replace", capture_output=True, check=False
    )


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe with a name that would steer a terminal."""
    file = tmp_path / "hostile.yaml"
    file.write_text(RECIPE)
    return file


def test_no_command_passes_on_what_steers_a_terminal(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = [["explain", str(recipe)], ["diff", str(recipe), str(recipe)], ["check", str(recipe)]]
    calls += [["check", str(recipe), "--format", form] for form in ("concise", "markdown", "github", "junit")]
    calls += [[HOSTILE], ["check", HOSTILE], ["--model", HOSTILE, "--samples", "3", "--device", "cpu"]]
    calls += [["explain", HOSTILE], ["rules", HOSTILE], ["check", str(recipe), "--policy", HOSTILE]]
    for call in calls:
        main(call)
        said = capsys.readouterr()
        for text in (said.out, said.err):
            assert not [sign for sign in text if sign < " " and sign not in "\n\t"], call
            assert "\x7f" not in text and "\x9b" not in text, call


def test_a_terminal_gets_our_own_colours_and_nothing_of_others(recipe: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, str(ROOT / "cli.py"), "explain", str(recipe)]
    subprocess.run(command, stdout=theirs, stderr=theirs, stdin=theirs, check=False, timeout=60)
    os.close(theirs)
    seen = os.read(ours, 100_000).decode()
    assert "\x1b[" in seen
    assert "\x1b[31m" not in seen
    assert "\x1b]" not in seen and "\x07" not in seen


def test_text_turned_around_is_turned_for_nobody_and_stays_in_json() -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    shown, piped = Terminal(), io.StringIO()
    for stream in (shown, piped):
        Stream(stream).write("a\u202eb\u2066c\n")
    assert shown.getvalue() == "a?b?c\n"
    assert piped.getvalue() == r"a\u202eb\u2066c" + "\n"


@pytest.mark.parametrize("reader", ["true", "head -1 >/dev/null"])
def test_a_reader_that_leaves_ends_a_command_quietly(reader: str) -> None:
    done = shell(f"{ADVISE} schema recipe | {reader}")
    assert done.returncode in (0, 141)
    assert done.stderr == ""
    done = shell(f"{ADVISE} --help | {reader}")
    assert done.returncode in (0, 141)
    assert done.stderr == ""


def test_a_failing_command_keeps_its_exit_code_whoever_reads(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("steps: 3\n")
    for end in ("| true", ">&-", ">/dev/full", "2>&-", "2>/dev/full", "2>&1 | true"):
        assert shell(f"{ADVISE} check wrong.yaml {end}", tmp_path).returncode == 2, end


def test_a_closed_or_full_stdout_is_said_and_is_no_success() -> None:
    closed, full = shell(f"{ADVISE} families >&-"), shell(f"{ADVISE} families >/dev/full")
    assert (closed.returncode, closed.stderr) == (2, "advise: stdout cannot be written: Bad file descriptor\n")
    assert (full.returncode, full.stderr) == (2, "advise: stdout cannot be written: No space left on device\n")


def test_a_closed_or_full_stderr_costs_nothing() -> None:
    whole = shell(f"{ADVISE} families").stdout
    for end in ("2>&-", "2>/dev/full", "<&-"):
        done = shell(f"{ADVISE} families {end}")
        assert (done.returncode, done.stdout) == (0, whole), end


def test_a_closed_stdin_is_an_empty_one() -> None:
    done = shell(f"{ADVISE} check - <&-")
    assert done.returncode == 2 and "the file is empty" in done.stdout and "Traceback" not in done.stderr


def test_a_file_that_is_written_is_not_what_a_closed_stdout_was(tmp_path: Path) -> None:
    done = shell(f"{ADVISE} --model t5 --samples 3000 --device cpu -o recipe.yaml >&- 2>&-", tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "recipe.yaml").read_text().startswith("# written by advise")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_any_encoding_can_carry_the_output(encoding: str, recipe: Path) -> None:
    for call in ("--help", f"diff {recipe} {recipe}", f"check {recipe} --format markdown", "families"):
        done = shell(f"{ADVISE} {call}", PYTHONIOENCODING=encoding)
        assert done.returncode == 0, call
        assert "Traceback" not in done.stderr
    found = shell(f"{ADVISE} check {recipe} --format json", PYTHONIOENCODING=encoding).stdout
    assert json.loads(found)["files"]


def test_a_run_is_recorded_whoever_reads(checkpoints: dict[str, Path], text: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(
        f"version: 1\nname: read-by-nobody\nmodel: {{source: {checkpoints['bert']}, family: bert}}\n"
        f"data: {{source: {text}, task: text-classification}}\ndevice: edge\ngoal: {{relative_accuracy: '>= 0.01'}}\n"
        "steps:\n  - finetune: {epochs: 1}\n"
    )
    ledger = str(tmp_path / "ledger.sqlite3")
    done = shell(
        f"{ADVISE} run recipe.yaml --out run --measure-seconds 0.5 2>&1 | head -1", tmp_path, ADVISE_LEDGER=ledger
    )
    assert done.returncode in (0, 4, 141), done.stdout
    assert (tmp_path / "run/report.json").is_file()
    assert "read-by-nobody" in shell(f"{ADVISE} history", tmp_path, ADVISE_LEDGER=ledger).stdout


def on_terminal(columns: int, *arguments: str) -> list[str]:
    """The lines that a command prints on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, columns))
    command = [sys.executable, str(ROOT / "cli.py"), *arguments]
    environment = {**os.environ, "NO_COLOR": "1"}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=environment):
        os.close(theirs)
        shown = b"".join(_until_closed(ours))
    return shown.decode().replace("\r\n", "\n").splitlines()


def _until_closed(terminal: int) -> Iterator[bytes]:
    """What comes out of a terminal, which gives 4 kB at a time, until nobody writes to it any more."""
    with suppress(OSError):
        while piece := os.read(terminal, 4_096):
            yield piece


@pytest.mark.parametrize("arguments", [
    ["--model", "bert", "--samples", "25000", "--device", "cpu", "-o", "/dev/null"],
    ["--model", "t5", "--samples", "3000", "--device", "cpu", "-o", "/dev/null"],
    ["explain", "t5-small-data-no-prune"],
    ["--model", "nobody/knows-this", "--samples", "3000", "--device", "cpu"],
    ["--help"],
])  # fmt: skip
def test_lines_fit_the_terminal(arguments: list[str]) -> None:
    lines = on_terminal(80, *arguments)
    assert len(lines) > 1
    assert [line for line in lines if len(line) > 80] == []


def test_what_follows_stands_below_the_text() -> None:
    assert wrapped("facts   bert is here", 14) == "facts   bert\n        is\n        here"
    assert wrapped("note: all of it\n  try: that one", 10) == "note: all\n  of it\n  try:\n    that\n    one"
    assert wrapped("\x1b[1mfacts\x1b[0m   bert is", 12) == "\x1b[1mfacts\x1b[0m   bert\n        is"
    assert wrapped("a" * 30, 10) == "a" * 30
