"""Baselines: what was known does not count, what is new does, and what is gone is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refused import RECIPE
from refused import RULE as LAYERS

from advisor.cli import main
from advisor.review.baseline import GONE, Baseline, Entry, mark, save
from advisor.review.findings import INVALID, Finding, Place, Waiver
from advisor.review.waivers.rules import EXPIRED


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Check `recipes` with options in a fresh folder: the exit code, the known rules and the new ones."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").mkdir()

    def run(*options: str, files: tuple[str, ...] = ("recipes",)) -> tuple[int, list[str], list[str]]:
        code = main(["check", "--format", "json", *files, *options])
        found = json.loads(capsys.readouterr().out)["findings"]
        rules = [(one["rule"], one["known"]) for one in found]
        return code, [rule for rule, known in rules if known], [rule for rule, known in rules if not known]

    return run


def test_what_was_there_does_not_fail_and_what_is_new_does(check: Any) -> None:
    file = Path("recipes/a.yaml")
    file.write_text(RECIPE)
    assert check()[0] == 1
    code, known, new = check("--write-baseline", "known.json")
    assert (code, new) == (0, [])
    assert LAYERS in known
    assert check("--baseline", "known.json") == (0, known, [])
    file.write_text(RECIPE + "  - matrix_pruning: {hidden_size: 448, intermediate_size: 1792}\n")
    code, still, new = check("--baseline", "known.json")
    assert code == 1
    assert set(still) >= {LAYERS}
    assert "mid-large-data-levels" in new


def test_known_findings_stay_known_when_lines_and_steps_move(check: Any) -> None:
    file = Path("recipes/a.yaml")
    file.write_text(RECIPE.replace("  - finetune: {}\n", ""))
    _, known, _ = check("--write-baseline", "known.json")
    assert set(known) >= {LAYERS, "finetune-first"}
    file.write_text("# more\n\n" + RECIPE.replace("  - finetune: {}\n", "").replace(" {keep: 4}", "\n      keep: 4"))
    assert check("--baseline", "known.json") == (0, known, [])
    file.write_text(RECIPE)
    assert set(check("--baseline", "known.json")[2]) == {GONE}  # finetune-first; the step's new number changes nothing


def test_another_value_is_another_finding(check: Any) -> None:
    gate = RECIPE.replace("keep: 4", "keep: 8") + "  - quantization: {min_relative_accuracy: 0.9}\n"
    Path("recipes/a.yaml").write_text(gate)
    check("--write-baseline", "known.json")
    Path("recipes/a.yaml").write_text(gate.replace("0.9", "0.8"))
    code, _, new = check("--baseline", "known.json")
    assert (code, sorted(new)) == (1, [GONE, "int8-gate"])


def test_what_is_gone_is_a_note_at_its_line_and_writing_again_takes_it_out(check: Any, capsys: Any) -> None:
    Path("recipes/a.yaml").write_text(RECIPE)
    check("--write-baseline", "known.json")
    Path("recipes/a.yaml").write_text(RECIPE.replace("keep: 4", "keep: 8"))
    code, _, new = check("--baseline", "known.json")
    assert (code, set(new)) == (0, {GONE})
    main(["check", "recipes", "--baseline", "known.json", "--format", "concise"])
    line = next(n for n, text in enumerate(Path("known.json").read_text().splitlines(), 1) if LAYERS in text)
    assert f"known.json:{line}:1: note {GONE} " in capsys.readouterr().out
    assert check("--baseline", "known.json", "--write-baseline", "known.json")[2] == []
    assert LAYERS not in Path("known.json").read_text()


def test_recipes_that_were_not_checked_keep_their_entries(check: Any) -> None:
    for name in "ab":
        Path(f"recipes/{name}.yaml").write_text(RECIPE)
    check("--write-baseline", "known.json")
    both = Path("known.json").read_text()
    assert check("--baseline", "known.json", files=("recipes/a.yaml",))[2] == []
    check("--write-baseline", "known.json", files=("recipes/a.yaml",))
    assert Path("known.json").read_text() == both
    Path("recipes/b.yaml").unlink()
    assert GONE in check("--baseline", "known.json", files=("recipes/a.yaml",))[2]
    check("--write-baseline", "known.json", files=("recipes/a.yaml",))
    assert "b.yaml" not in Path("known.json").read_text()


def test_files_count_from_the_baseline_wherever_it_is_called_from(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("recipes/a.yaml").write_text(RECIPE)
    check("--write-baseline", "known.json")
    monkeypatch.chdir("recipes")
    assert check("--baseline", "../known.json", files=("a.yaml",))[::2] == (0, [])


def test_what_cannot_be_judged_keeps_a_baseline_from_being_written(check: Any) -> None:
    Path("recipes/a.yaml").write_text("steps: 3\n")
    assert check("--write-baseline", "known.json")[0] == 2
    assert not Path("known.json").exists()


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "[" * 100_000, '{"version": 2, "findings": []}', '{"version": 1}'),
        *('{"version": 1, "findings": [{"file": 3}]}', '{"version": 1, "findings": [[]]}', None),
    ],
)
def test_a_baseline_that_cannot_be_read_is_wrong_use(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(RECIPE)
    file = tmp_path / "known.json"
    if text is not None:
        file.write_text(text)
    for option in ("--baseline", "--write-baseline") if text is not None else ("--baseline",):
        assert main(["check", str(tmp_path / "a.yaml"), option, str(file)]) == 2
        assert str(file) in capsys.readouterr().err


def finding(rule: str = LAYERS, value: str = "4") -> Finding:
    return Finding(rule, "error", "keep is 4", "", Place("a.yaml", 8), ("steps", 1, "layer_removal", "keep"), value)


@pytest.mark.parametrize("rule", [INVALID, EXPIRED])
def test_what_has_to_be_mended_is_never_known(rule: str) -> None:
    one = finding(rule)
    marked, _ = mark([one], Baseline(Path("b.json"), (Entry("a.yaml", rule, one.fingerprint, ""),)), ["a.yaml"])
    assert not marked.known


def test_a_waived_finding_keeps_its_entry_but_is_not_known() -> None:
    waiver = Waiver(LAYERS, "", "x", "anna", "2026-12-31")
    one = Finding(LAYERS, "error", "keep is 4", "", Place("a.yaml", 8), waiver=waiver)
    assert mark([one], Baseline(Path("b.json"), (Entry("a.yaml", LAYERS, one.fingerprint, ""),)), ["a.yaml"]) == [one]


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_equal_findings_are_counted_one_by_one(old: list[str], new: list[str]) -> None:
    entries = tuple(Entry("a.yaml", LAYERS, finding(value=value).fingerprint, "") for value in old)
    marked = mark([finding(value=value) for value in new], Baseline(Path("b.json"), entries), ["a.yaml"])
    known = sum(one.known for one in marked)
    assert known == sum(min(old.count(value), new.count(value)) for value in "abc")
    assert sum(one.rule == GONE for one in marked) == len(old) - known


def test_a_baseline_is_written_in_one_order_one_entry_in_a_line(tmp_path: Path) -> None:
    found = [finding(value=value) for value in "4321"]
    texts = []
    for order in (found, found[::-1]):
        save(order, Baseline(tmp_path / "b.json"), ["a.yaml"])
        texts.append((tmp_path / "b.json").read_text())
    assert texts[0] == texts[1]
    assert len(json.loads(texts[0])["findings"]) == 4
    assert len(texts[0].splitlines()) == 9


def test_a_baseline_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "known.json")
    save([finding()], Baseline(tmp_path / "link.json"), [])
    assert (tmp_path / "link.json").is_symlink() and LAYERS in (tmp_path / "known.json").read_text()
