"""Records: what is kept of a run, the level that each of its models has, and the id."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import small_runs

from advisor.base.errors import AdviseError
from advisor.runs.finished import read
from advisor.runs.record import build, of


def test_a_record_keeps_predicted_beside_measured(tmp_path: Path) -> None:
    found = small_runs.record(tmp_path / "run")
    accuracy = found.last.quantity("relative_accuracy")
    assert accuracy and accuracy.value == 0.88 / 0.9 and accuracy.predicted == (0.97, 1.0)
    assert found.samples == 67_349 and found.family == "bert" and not found.passed
    assert [(one.level, one.int8) for one in found.steps] == [("", False), ("L1", False), ("L1", False), ("L1", True)]


@pytest.mark.parametrize(("keep", "level"), [(11, "L1"), (8, "L1"), (7, "L2"), (4, "L2"), (3, None)])
def test_levels_follow_the_share_of_layers_that_stay(keep: int, level: str | None, tmp_path: Path) -> None:
    assert small_runs.record(tmp_path / "run", keep=keep).last.level == level


def test_the_stack_that_loses_most_counts(tmp_path: Path) -> None:
    folder = small_runs.write(tmp_path / "run")
    facts = json.loads((folder / "facts.json").read_text())
    stacks = {"model.encoder_layers": 12, "model.decoder_layers": 12}
    (folder / "facts.json").write_text(json.dumps(facts | stacks))
    text = (folder / "recipe.yaml").read_text()
    (folder / "recipe.yaml").write_text(text.replace("{keep: 8}", "{encoder_keep: 10, decoder_keep: 6}"))
    assert of(read(folder)).last.level == "L2"


def test_a_given_student_has_no_level_of_cutting(tmp_path: Path) -> None:
    """Else its int8 would narrow what is expected of int8 alone."""
    folder = small_runs.write(tmp_path / "run")
    text = (folder / "recipe.yaml").read_text().replace("  - layer_removal: {keep: 8}\n", "")
    (folder / "recipe.yaml").write_text(text.replace("{epochs: 9}", "{epochs: 9, student: tinybert}"))
    levels = {one.name: (one.level, one.int8) for one in of(read(folder)).steps}
    assert levels["finetune"] == ("", False)
    assert levels["distillation"] == (None, False) and levels["quantization"] == (None, True)
    shares = {one.name: one.quantity("relative_compute").value for one in of(read(folder)).steps}  # type: ignore[union-attr]
    assert shares["finetune"] and shares["distillation"] is shares["quantization"] is None


def test_a_type_that_rules_know_by_its_kind_alone_is_recorded_by_its_name(tmp_path: Path) -> None:
    run = small_runs.result(family="gemma2")
    assert small_runs.record(tmp_path / "run", run, family="other-decoder").family == "gemma2"


def test_the_id_is_the_hash_of_the_content(tmp_path: Path) -> None:
    one, again = small_runs.record(tmp_path / "a"), small_runs.record(tmp_path / "b")
    assert one == again and one.id == again.id
    assert replace(one, seconds=one.seconds + 1).id != one.id
    assert build(json.loads(json.dumps(one.content()))) == one


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("report.json", "{", "report.json"),
        ("report.json", '{"name": 3}', "cannot be read as a report"),
        ("facts.json", "[]", "expected an object"),
        ("facts.json", "{", "is not JSON"),
        ("recipe.yaml", "version: 2", "version"),
        ("report.json", None, "report.json: is missing"),
        ("manifest.json", None, "no finished run"),
    ],
)
def test_a_damaged_folder_is_told_with_the_file(file: str, text: str | None, told: str, tmp_path: Path) -> None:
    folder = small_runs.write(tmp_path / "run")
    (folder / file).unlink() if text is None else (folder / file).write_text(text)
    with pytest.raises(AdviseError) as raised:
        read(folder)
    assert told in str(raised.value)


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(AdviseError, match="is no finished run"):
        read(tmp_path)
