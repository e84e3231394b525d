"""`advise run` before training starts: what is wrong in full, remarks as a count."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.cli import main

SCREEN = 24  # lines of a terminal that nobody has made larger
RECIPE = """version: 1
name: many-notes
model: {{source: {model}, family: bert}}
data: {{source: {text}, task: text-classification}}
device: cpu
goal: {{relative_accuracy: ">= 0.5"}}
steps:
  - finetune: {{epochs: 1}}
  - layer_removal: {{keep: 1}}
  - distillation: {{epochs: 1}}
  - quantization: {{bits: 8}}
"""

REMARK = """id: remark-{number}
title: Remark {number}
origin: X{number}
since: "0.1.0"
severity: note
when: {{model.family: bert}}
then: {{warn: remark {number}}}
because: It is only a remark.
evidence: [{{source: S5, at: p. 1, says: so, strength: paper}}]
confidence: low
examples:
  fires: [{{model.family: bert}}]
  quiet: [{{model.family: gpt2}}]
"""


@pytest.fixture
def recipe(checkpoints: dict[str, Path], text: Path, tmp_path: Path) -> Path:
    """A recipe that the rules remark on many times."""
    file = tmp_path / "recipe.yaml"
    file.write_text(RECIPE.format(model=checkpoints["bert"], text=text))
    return file


@pytest.fixture
def chatty(tmp_path: Path) -> Path:
    """A rule pack that remarks thirty times on every recipe."""
    folder = tmp_path / "chatty"
    folder.mkdir()
    (folder / "pack.yaml").write_text("name: chatty\nversion: 1.0.0\ndescription: many notes\nsources: {S5: theirs}\n")
    for number in range(30):
        (folder / f"remark-{number}.yaml").write_text(REMARK.format(number=number))
    return folder


def test_notes_are_counted_and_the_command_that_shows_them_is_named(
    recipe: Path, chatty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe.write_text(recipe.read_text().replace("  - layer_removal: {keep: 1}\n", ""))
    main(["run", str(recipe), "--dry-run", "--policy", str(chatty)])
    told = capsys.readouterr().err
    assert "note[" not in told
    count = int(told.split(" notes on this recipe")[0].split()[-1])
    assert count >= 30
    (command,) = (line for line in told.splitlines() if " notes on this recipe" in line)
    assert f"advise check {recipe} --policy {chatty}" in command
    assert told.count("\n") <= SCREEN
    main(["check", str(recipe), "--policy", str(chatty)])
    assert capsys.readouterr().out.count("note[") >= count


def test_errors_and_warnings_are_shown_in_full(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(recipe), "--dry-run"]) == 1
    told = capsys.readouterr().err
    assert "error[" in told
    assert " = why:" in told
    assert "note[" not in told


def test_the_projects_configuration_counts(
    recipe: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(recipe.parent)
    assert main(["run", "recipe.yaml", "--dry-run"]) == 1
    rules = {line.split("error[")[1].split("]")[0] for line in capsys.readouterr().err.splitlines() if "error[" in line}
    Path("advise.toml").write_text(f"ignore = {sorted(rules)}\n")
    assert main(["run", "recipe.yaml", "--dry-run"]) == 0
    Path("trusted.toml").write_text("")
    assert main(["run", "recipe.yaml", "--dry-run", "--config", "trusted.toml"]) == 1
    assert main(["run", "recipe.yaml", "--dry-run", "--config", "absent.toml"]) == 2
