"""Kept findings are served only for the same recipe, model, rules and code; all else is reviewed anew."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import advisor
from advisor.api.review import Findings, checker
from advisor.base import user_cache
from advisor.cli import main
from advisor.policy.shipped import shipped
from advisor.review import cache as findings_cache
from advisor.review.recipe_files import sources

RECIPE = """version: 1
name: mine
model: {source: ./model}
data: {task: text-classification, samples: 3000, eval_samples: 1000}
device: cpu
steps:
  - finetune: {}
  - layer_removal: {keep: 4}
"""
CONFIG = {
    "model_type": "bert",
    "num_hidden_layers": 6,
    "hidden_size": 384,
    "num_attention_heads": 6,
    "intermediate_size": 1536,
    "vocab_size": 30522,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a recipe, the model that it names, and a rule pack; with a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/mine.yaml").write_text(RECIPE)
    (tmp_path / "recipes/model").mkdir()
    (tmp_path / "recipes/model/config.json").write_text(json.dumps(CONFIG))
    shutil.copytree(shipped("rules") / "core", tmp_path / "pack")
    return tmp_path


@pytest.fixture
def reviews(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The files that were really reviewed."""
    from advisor.review import batch

    seen: list[str] = []
    real = batch.review_document

    def counted(policy: Any, recipe: Any, document: Any, *rest: Any) -> Any:
        seen.append(document.name)
        return real(policy, recipe, document, *rest)

    monkeypatch.setattr(batch, "review_document", counted)
    yield seen


def judged(**options: Any) -> Findings:
    """A check with the cache, which must be what one without it says."""
    found = checker(policy="pack", **options)(sources(["recipes"])[0])
    fresh = checker(policy="pack", cache=False, **options)(sources(["recipes"])[0])
    assert found.findings == fresh.findings
    assert (found.exit_code, found.files, found.texts) == (fresh.exit_code, fresh.files, fresh.texts)
    assert dict(found.reviewed) == dict(fresh.reviewed)
    assert found.made_under == fresh.made_under
    return found


def test_what_did_not_change_is_not_reviewed_again(place: Path, reviews: list[str]) -> None:
    advisor.check("recipes", policy="pack")
    assert reviews == ["recipes/mine.yaml"]
    again = advisor.check("recipes", policy="pack")
    assert reviews == ["recipes/mine.yaml"]
    assert again.findings
    assert advisor.check("recipes", policy="pack", cache=False).findings == again.findings
    assert reviews == ["recipes/mine.yaml"] * 2


CHANGES = {
    "a byte of the recipe": lambda: rewrite("recipes/mine.yaml", "keep: 4", "keep: 3"),
    "a byte of the model's config": lambda: rewrite("recipes/model/config.json", "1536", "1540"),
    "a byte of a rule": lambda: rewrite("pack/data/t5-small-data-no-prune.yaml", "< 10000", "< 20000"),
    "a new rule pack manifest": lambda: rewrite("pack/pack.yaml", "version: ", "version: 9."),
    "the model goes": lambda: shutil.rmtree("recipes/model"),
    "a model of that name beside the working folder": lambda: shutil.copytree("recipes/model", "model"),
}


def rewrite(name: str, old: str, new: str) -> None:
    """Another text, with the size and times of the old one where it has the same length."""
    file = Path(name)
    before, text = file.stat(), file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_is_reviewed_anew(change: str, place: Path, reviews: list[str]) -> None:
    judged()
    judged()
    CHANGES[change]()
    before = len(reviews)
    advisor.check("recipes", policy="pack")
    if change != "a model of that name beside the working folder":  # the same config gives the same model but its place
        assert len(reviews) == before + 1
    judged()


def test_a_config_that_was_absent_is_found_once_it_is_there(place: Path) -> None:
    shutil.move("recipes/model", "elsewhere")
    missing = judged()
    assert missing.exit_code == 2
    shutil.move("elsewhere", "recipes/model")
    assert judged().exit_code != 2


def test_a_checkpoint_that_is_downloaded_meanwhile_counts(place: Path) -> None:
    rewrite("recipes/mine.yaml", "{source: ./model}", "{source: someone/theirs, family: bert}")
    assert "model-not-at-hand" in {one.rule for one in judged()}
    repository = place / "hub/hub/models--someone--theirs"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs/main").write_text("1")
    (repository / "snapshots/1").mkdir(parents=True)
    shutil.copy("recipes/model/config.json", repository / "snapshots/1")
    assert "model-not-at-hand" not in {one.rule for one in judged()}


def test_other_options_other_policies_and_other_folders_are_other_reviews(place: Path, reviews: list[str]) -> None:
    whole = judged()
    rule = whole.findings[0].rule
    assert {one.rule for one in judged(select=[rule])} == {rule}
    assert rule not in {one.rule for one in judged(ignore=[rule])}
    assert judged(fail_on="note").exit_code == 1
    rewrite("pack/pack.yaml", "name: core", "name: mine")
    judged()


def test_waivers_baselines_and_dates_are_applied_afresh(place: Path) -> None:
    found = judged()
    rule = next(one.rule for one in found if one.severity != "note")
    line = f'# advise: ignore[{rule}] until={{}} owner=me reason="a trial"\nsteps:'
    for until, waived in (("2099-01-01", True), ("2020-01-01", False)):
        Path("recipes/mine.yaml").write_text(RECIPE.replace("steps:", line.format(until)))
        for _ in range(2):
            one = judged(waiver_days=40_000)
            assert any(each.waiver for each in one) is waived
    Path("recipes/mine.yaml").write_text(RECIPE)
    judged()
    waiver = f"{{rule: {rule}, reason: a trial, owner: me, until: 2099-01-01}}"
    Path("recipes/waivers.yaml").write_text(f"waivers: [{waiver}]\n")
    assert any(one.waiver for one in judged(waiver_days=40_000))
    Path("recipes/waivers.yaml").unlink()
    assert not any(one.waiver for one in judged(waiver_days=40_000))
    assert main(["check", "recipes", "--policy", "pack", "--write-baseline", "known.json"]) == 0
    assert any(one.known for one in judged(baseline="known.json"))
    assert not any(one.known for one in judged())


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"": 3}', '{"recipes/mine.yaml": 7}', "NaN", "\x00"])
def test_a_damaged_cache_is_not_believed(damage: str, place: Path) -> None:
    judged()
    (file,) = (place / "cache/advise/findings").iterdir()
    file.write_text(damage)
    judged()


def test_no_entry_is_taken_from_a_damaged_one(place: Path) -> None:
    judged()
    (file,) = (place / "cache/advise/findings").iterdir()
    whole = json.loads(file.read_text())
    for key in whole["recipes/mine.yaml"]:
        less = json.loads(file.read_text())
        del less["recipes/mine.yaml"][key]
        file.write_text(json.dumps(less))
        judged()
        file.write_text(json.dumps(whole))


def test_other_code_is_another_review(place: Path, reviews: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    judged()
    before = len(reviews)
    monkeypatch.setattr(findings_cache, "_code", lambda: "other")
    advisor.check("recipes", policy="pack")
    assert len(reviews) == before + 1


def test_no_cache_reads_and_writes_none(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "recipes", "--no-cache"])
    assert not (place / "cache/advise/findings").exists()
    main(["check", "recipes"])
    assert (place / "cache/advise/findings").exists()


def test_where_nothing_can_be_kept_checks_go_on(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "file"))
    judged()
    judged()


def test_old_files_go_first(place: Path) -> None:
    for number in range(user_cache.MOST_FILES + 3):
        user_cache.write("findings", str(number), "{}")
        os.utime(user_cache.path("findings", str(number)), (number, number))
    user_cache.write("findings", "last", "{}")
    names = {file.stem for file in (place / "cache/advise/findings").iterdir()}
    assert len(names) == user_cache.MOST_FILES
    assert "last" in names
    assert "0" not in names


LINES = st.sampled_from(
    [
        "  - distillation: {temperature: 2.0}",
        "  - quantization: {bits: 8}",
        "  - matrix_pruning: {hidden_size: 192}",
        "  - layer_removal: {keep: 99}",
        "waivers: [{rule: x}]",
        "gates: {relative_accuracy: '>= 0.9'}",
        "goal: {size_mb: '< 9'}",
        "policy: {name: core, version: '1', sha256: '0'}",
        "model: [",
        "# advise: ignore[early-stopping] until=2099-01-01 owner=me reason=none",
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.sampled_from(["recipe", "config", "undo"]), LINES, st.integers(0, 400)), max_size=4)
)
def test_whatever_changes_the_cache_never_shows(changes: list[tuple[str, str, int]], place: Path) -> None:
    recipe, config = Path("recipes/mine.yaml"), Path("recipes/model/config.json")
    recipe.write_text(RECIPE)
    config.write_text(json.dumps(CONFIG))
    judged()
    for what, line, at in changes:
        if what == "recipe":
            recipe.write_text(recipe.read_text() + line + "\n")
        elif what == "config":
            data = bytearray(config.read_bytes())
            data[at % len(data)] ^= 1 + at % 7
            config.write_bytes(bytes(data))
        else:
            recipe.write_text(RECIPE)
        judged()
