"""A given student is part of what a run is made by: by its files where they are here, else by its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import small_runs
import tiny

from advisor.deployment.same_recipe import differences
from advisor.recipe.reader import loads
from advisor.recipe.recipe import Recipe
from advisor.recipe.steps.distillation import Distillation
from advisor.records.run_folder import model_sha256


def recipe(student: str | None) -> Recipe:
    values = {"name": "a", "model": "bert", "family": "bert", "data": "sst2", "samples": 9, "keep": 8, "seed": 0}
    found = loads(small_runs.RECIPE.format(**values))[0]
    return replace(found, steps=(found.steps[0], Distillation(student=student)))


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        ("models/tinybert", "/srv/tinybert", False),
        ("org/tinybert", "tinybert", False),
        ("tinybert", "minilm", True),
        ("tinybert", None, True),
        (None, "tinybert", True),
        (None, None, False),
    ],
)
def test_another_student_is_named(one: str | None, other: str | None, differs: bool) -> None:
    found = differences(recipe(one), recipe(other), small_runs.result(), {})
    assert any("distillation.student" in words for words in found) == differs


def test_a_student_of_the_same_name_with_other_files_is_named(tmp_path: Path) -> None:
    folder = tiny.checkpoint("distilbert", tmp_path / "tinybert", n_layers=1, dim=24, hidden_dim=48)
    run = small_runs.result()
    made = replace(run, provenance={**run.provenance, "student_sha256": model_sha256(folder)})
    ours, theirs = recipe("/elsewhere/minilm"), recipe(str(folder))
    assert not any("student" in words for words in differences(theirs, ours, made, {}))
    tiny.tamper(folder, lambda tensors: tensors["embeddings.word_embeddings.weight"].mul_(0.5))
    (words,) = [words for words in differences(theirs, ours, made, {}) if "student" in words]
    assert "are not those that the run began with" in words


@pytest.mark.parametrize(("task", "differs"), [("audio-classification", False), ("automatic-speech-recognition", True)])
def test_seconds_follow_the_data_only_of_sounds_that_are_classified(task: str, differs: bool) -> None:
    one = recipe(None)
    one = replace(one, data=replace(one.data, task=task))
    ours = replace(one, training=replace(one.training, max_seconds=5))
    found = differences(one, ours, small_runs.result(), {})
    assert any("training.max_seconds" in words for words in found) == differs
