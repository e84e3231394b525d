"""`advise run` before training starts: what is wrong in full, remarks as a count."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.cli import main

SCREEN = 24  # lines of a terminal that nobody has made larger
RECIPE = """version: 1
name: many-notes
model: {{source: {model}, family: bert}}
data: {{source: {text}, task: classification}}
device: cpu
goal: {{relative_accuracy: ">= 0.5"}}
steps:
  - finetune: {{epochs: 1}}
  - layer_removal: {{keep: 1}}
  - distillation: {{epochs: 1}}
  - quantization: {{bits: 8}}
"""


@pytest.fixture
def recipe(checkpoints: dict[str, Path], text: Path, tmp_path: Path) -> Path:
    """A recipe that the rules remark on many times."""
    file = tmp_path / "recipe.yaml"
    file.write_text(RECIPE.format(model=checkpoints["bert"], text=text))
    return file


def test_notes_are_counted_and_the_command_that_shows_them_is_named(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe.write_text(recipe.read_text().replace("  - layer_removal: {keep: 1}\n", ""))
    main(["run", str(recipe), "--dry-run"])
    told = capsys.readouterr().err
    assert "note[" not in told
    assert f"advise check {recipe} shows them" in told
    count = int(told.split(" notes on this recipe")[0].split()[-1])
    main(["check", str(recipe)])
    assert capsys.readouterr().out.count("note[") >= count >= 3
    assert told.count("\n") <= SCREEN


def test_errors_and_warnings_are_shown_in_full(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(recipe), "--dry-run"]) == 1
    told = capsys.readouterr().err
    assert "error[" in told
    assert " = why:" in told
    assert "note[" not in told
