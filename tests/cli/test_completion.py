"""`advise completion`: tried in a real bash, as a user who presses Tab has it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from advisor.cli import main
from advisor.cli.commands import COMMANDS
from advisor.cli.completion import tree

PROGRAM = """
source "$1"
shift
COMP_WORDS=(advise "$@")
COMP_CWORD=$#
COMP_LINE="${COMP_WORDS[*]}"
COMP_POINT=${#COMP_LINE}
complete -p advise >&2
run=$(complete -p advise | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
"$run" advise "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.fixture
def bash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    (tmp_path / "script.bash").write_text(script("bash", capsys))
    (tmp_path / "work" / "runs").mkdir(parents=True)
    (tmp_path / "work" / "recipe.yaml").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["che"], {"check"}),
        (["rules", "ver"], {"verify"}),
        (["families", "a"], {"add"}),
        (["families", "add", "--o"], {"--out"}),
        (["check", "--fail"], {"--fail-on"}),
        (["check", "--fail-on", ""], {"error", "warning", "note"}),
        (["check", "rec"], {"recipe.yaml"}),
        (["--device", ""], {"cpu", "cuda", "mps", "edge", "auto"}),
        (["--model", "gpt"], {"gpt2", "gpt_neo"}),
        (["explain", "t5-"], {"t5-small-data-no-prune", "t5-classification-encoder-only"}),
        (["explain", "rec"], {"recipe.yaml"}),
        (["check", "--policy", "be"], {"beyond"}),
        (["check", "--select", "int8-g"], {"int8-gate", "int8-gpt2-conv1d"}),
        (["run", "--out", "r"], {"runs"}),
        (["schema", "rec"], {"recipe"}),
        (["completion", ""], {"bash", "zsh", "tcsh"}),
    ],
    ids=lambda words: " ".join(sorted(words)),  # sets have no order, and every process has to find the same names
)
def test_bash_offers_what_fits(words: list[str], offered: set[str], bash: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", PROGRAM, "bash", str(bash / "script.bash"), *words],
        cwd=bash / "work", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "complete -o" in done.stderr
    assert set(done.stdout.split()) == offered


def test_every_command_is_in_the_tree() -> None:
    (commands,) = (action for action in tree()._actions if isinstance(action.choices, dict))
    assert set(commands.choices or ()) == set(COMMANDS)


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_the_other_shells_accept_their_scripts(shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = script(shell, capsys)
    assert all(command in text for command in COMMANDS)
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    (tmp_path / "script").write_text(text)
    done = subprocess.run([shell, "-n", str(tmp_path / "script")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_shell_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "fish"]) == 2
    assert "'bash', 'zsh', 'tcsh'" in capsys.readouterr().err
