"""`advise rules …` and `advise explain …` as a user calls them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from advisor.cli import main
from advisor.policy.pack import core
from advisor.policy.shipped import shipped
from advisor.proofs.coverage import cover
from advisor.report.rule_page import pages

POLICY = core()


def text(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(list(arguments)) == code
    return capsys.readouterr().out


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped("rules") / "core", tmp_path / "pack"))


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    shown = text(capsys, "rules", "list")
    assert all(rule.id in shown and rule.title in shown for rule in POLICY.rules)
    assert "white paper only" in next(line for line in shown.splitlines() if line.startswith("t5-small-data-no-prune"))
    listed = json.loads(text(capsys, "rules", "list", "--format", "json"))["rules"]
    assert [one["id"] for one in listed] == [rule.id for rule in POLICY.rules]


def test_verify(capsys: pytest.CaptureFixture[str], pack: Path) -> None:
    shown = text(capsys, "rules", "verify")
    assert shown.count("proven") == 8 and "refuted" not in shown
    file = pack / "architecture" / "gpt2-layers-only.yaml"
    file.write_text(file.read_text().replace("forbid: [matrix_pruning]", "require: [matrix_pruning]"))
    shown = text(capsys, "rules", "verify", str(pack), code=3)
    assert "refuted     no two rules contradict each other" in shown
    assert "gpt2-layers-only, mid-large-data-levels: matrix_pruning is required and forbidden" in shown
    assert "for example: model.family gpt2" in shown


@pytest.mark.parametrize("rule", POLICY.rules, ids=lambda rule: rule.id)
def test_the_examples_of_the_core_pack_decide_every_part_of_it(rule) -> None:  # type: ignore[no-untyped-def]
    assert (cover(rule).wrong, cover(rule).missing) == ((), ())


def test_examples_that_decide_nothing_are_told(capsys: pytest.CaptureFixture[str], pack: Path) -> None:
    file = pack / "data" / "t5-small-data-no-prune.yaml"
    whole = file.read_text()
    head = whole[: whole.index("examples:")]
    file.write_text(head + "examples:\n  fires: [{model: t5, samples: 5}]\n  quiet: [{model: bert, samples: 5}]\n")
    assert "t5-small-data-no-prune: 2 examples, 100% covered" in text(capsys, "rules", "test", str(pack))
    file.write_text(head + "examples:\n  fires: [{model: bert, samples: 5}]\n")
    shown = text(capsys, "rules", "test", str(pack), code=1)
    assert "should fire on {'model': 'bert', 'samples': 5} and does not" in shown
    assert "no example decides data.samples on both sides of 10,000" in shown
    assert "no example decides model.kind encoder-decoder" in shown


def test_diff(capsys: pytest.CaptureFixture[str], pack: Path) -> None:
    assert "alike everywhere" in text(capsys, "rules", "diff", "core", str(pack))
    file = pack / "data" / "t5-small-data-no-prune.yaml"
    file.write_text(file.read_text().replace('"< 10000"', '"< 8000"'))
    shown = text(capsys, "rules", "diff", "core", str(pack), code=1)
    assert "looser: forbid layer_removal: forbidden (error, t5-small-data-no-prune) before, nothing now" in shown
    assert "for example: model.kind encoder-decoder, data.samples 8,0" in shown


def test_explain_a_rule_by_id_and_by_origin(capsys: pytest.CaptureFixture[str]) -> None:
    shown = text(capsys, "explain", "t5-small-data-no-prune")
    assert shown == text(capsys, "explain", "R01")
    assert "When model.kind is encoder-decoder and data.samples < 10,000:\n\n- Forbids `layer_removal`." in shown
    assert "recipe.yaml:9:5: error t5-small-data-no-prune layer_removal is forbidden" in shown
    assert "It rests on the white paper alone" in shown and "(S25); the only source" in shown
    assert "[mid-large-data-levels](mid-large-data-levels.md) on matrix_pruning" in shown
    assert main(["explain", "t5-small-data"]) == 2
    assert "did you mean 't5-small-data-no-prune'?" in capsys.readouterr().err
    assert main(["explain", "nothing"]) == 2
    known = capsys.readouterr().err.partition("known: ")[2].partition(" and ")[0].split(", ")
    assert len(known) == len(set(known)) == 20


def test_explain_a_recipe(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    recipe = shipped("recipes") / "bert-two-thirds.yaml"
    shown = text(capsys, "explain", str(recipe))
    assert "becomes allowed" in shown and "quantize-cpu-only" in shown
    changed = tmp_path / "mine.yaml"
    changed.write_text(recipe.read_text().replace("keep: 8", "keep: 9"))
    shown = text(capsys, "explain", str(changed))
    assert "advice for these facts differs" in shown and "  layer_removal.keep: 9 here, 8 advised\n" in shown
    assert "None" not in shown and "(keep" not in shown


def test_the_pages_of_the_rules_are_not_stale() -> None:
    folder = Path(__file__).parents[2] / "docs" / "rules"
    fresh = pages(POLICY)
    stale = [
        name for name, page in fresh.items() if not (folder / name).is_file() or (folder / name).read_text() != page
    ]
    gone = [file.name for file in folder.iterdir() if file.name not in fresh]
    assert (stale, gone) == ([], []), "run: advise rules docs --out docs/rules"


def test_a_policy_of_ones_own_decides(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text(
        'name: ours\nversion: "1"\ndescription: x\nextends: [core]\ndisable: {t5-small-data-no-prune: measured here}\n'
    )
    arguments = ["--model", "t5", "--samples", "3000", "--device", "cuda"]
    assert main([*arguments, "--policy", str(tmp_path), "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    rules = {one["rule"] for candidate in shown["candidates"] for one in candidate["violations"]}
    assert "t5-small-data-no-prune" not in rules and shown["policy"]["name"] == "ours"
    assert main(["rules", "list", str(tmp_path)]) == 0
    assert "disabled: t5-small-data-no-prune: measured here" in capsys.readouterr().out
    assert main([*arguments, "--policy", "nothing"]) == 3
    assert "give a folder with pack.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["lst"], ["list", "a", "b"]])
def test_wrong_use_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", *arguments]) == 2
    assert "try:" in capsys.readouterr().err


def test_a_file_stands_for_its_pack_and_a_pack_counts_once(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(pack / "pack.yaml"), str(pack / "device" / "quantize-cpu-only.yaml"), str(pack)]
    assert text(capsys, "rules", "test", *files) == text(capsys, "rules", "test", "core")
    assert main(["rules", "verify", *files]) == 0
    assert f"{len(POLICY.rules)} rules of core in" in capsys.readouterr().err
    stray = pack.parent / "stray.yaml"
    stray.touch()
    assert main(["rules", "test", str(stray)]) == 2
    assert "belongs to no rule pack" in capsys.readouterr().err
