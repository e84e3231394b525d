"""`advise check` under a project's configuration: found upwards, shown, taken alone in CI, overridden by options."""

from __future__ import annotations

import json
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from refused import RECIPE
from refused import RULE as BROKEN

from advisor.base.errors import AdviseError
from advisor.cli import main
from advisor.review.configuration import find, read

PACK = "name: {0}\nversion: '1'\ndescription: x\nextends: [core]\ndisable: {{{1}: measured here}}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a recipe that breaks a rule, and a folder to work in."""
    for folder in (".git", "recipes/old", "deep/er", "packs/lenient"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "recipes" / "a.yaml").write_text(RECIPE)
    (tmp_path / "recipes" / "old" / "b.yaml").write_text(RECIPE)
    (tmp_path / "packs" / "lenient" / "pack.yaml").write_text(PACK.format("lenient", BROKEN))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, list[tuple[str, str]]]:
    """The exit code, and file and rule of the errors that count."""
    code = main(["check", "--format", "json", *options])
    findings = json.loads(capsys.readouterr().out)["findings"]
    counting = [one for one in findings if one["severity"] == "error" and not one["waiver"]]
    return code, [(Path(one["place"]["file"]).name, one["rule"]) for one in counting]


def test_paths_exclusions_and_policies_by_path(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "advise.toml").write_text('paths = ["recipes"]\n')
    assert found(capsys) == (1, [("a.yaml", BROKEN), ("b.yaml", BROKEN)])
    (project / "advise.toml").write_text('paths = ["recipes"]\nexclude = ["recipes/old/"]\n')
    assert found(capsys) == (1, [("a.yaml", BROKEN)])
    assert found(capsys, "recipes/old/b.yaml") == (1, [("b.yaml", BROKEN)])  # what is named is checked
    (project / "advise.toml").write_text('paths = ["recipes"]\n[policies]\n"recipes/old/**" = "packs/lenient"\n')
    assert found(capsys) == (1, [("a.yaml", BROKEN)])
    assert found(capsys, "--policy", "core") == (1, [("a.yaml", BROKEN), ("b.yaml", BROKEN)])


def test_it_is_found_upwards_and_its_names_count_from_its_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pyproject.toml").write_text('[tool.advise]\npaths = ["recipes"]\npolicy = "packs/lenient"\n')
    monkeypatch.chdir("deep/er")
    assert find(Path()) == project / "pyproject.toml"
    assert found(capsys) == (0, [])
    (project / "deep" / "pyproject.toml").write_text("[tool.other]\n")  # says nothing of advise
    assert found(capsys) == (0, [])
    (project / "deep" / ".git").mkdir()
    assert find(Path()) is None


def test_a_change_cannot_loosen_its_own_check(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "advise.toml").write_text(f'paths = ["recipes"]\nignore = ["{BROKEN}"]\n')
    assert found(capsys) == (0, [])
    (project / "trusted.toml").write_text('paths = ["recipes"]\n')
    assert found(capsys, "--config", "trusted.toml")[0] == 1


def test_the_configuration_in_effect_is_shown_as_it_can_be_written(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'paths = ["recipes"]\nfail-on = "note"\nwaiver-fields = ["ticket"]\n[waiver-terms]\n"' + BROKEN + '" = 30\n'
    (project / "advise.toml").write_text(text)
    assert main(["check", "--show-config", "--waiver-days", "90"]) == 0
    shown = capsys.readouterr().out
    assert str(project / "advise.toml") in shown
    value = tomllib.loads(shown)
    assert (value["fail-on"], value["waiver-days"], value["waiver-terms"]) == ("note", 90, {BROKEN: 30})
    (project / "again.toml").write_text(shown)
    assert read(project / "again.toml").waiver_fields == ("ticket",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("paths = 'recipes'\n", "advise.toml:1:1: paths: "),
        ('\nfail-no = "error"\n', "advise.toml:2:1: unknown key fail-no\n  try: did you mean 'fail-on'?"),
        ('fail-on = "erorr"\n', "fail-on: input should be 'error', 'warning' or 'note', got 'erorr'"),
        ("[waiver-terms]\nx = 0\n", "advise.toml:1:2: waiver-terms.x: "),
        ("a = [\n", "advise.toml"),
        ("waiver-fields = ['boss']\n", "'approver' or 'ticket'"),
        (
            "waiver-days = 2026-12-31\n",
            "advise.toml:1:1: waiver-days: input should be a valid integer, got '2026-12-31'",
        ),
        (f"waiver-days = {'9' * 5000}\n", "advise.toml: not TOML: "),
    ],
)
def test_what_is_wrong_with_it_is_said_with_its_line(project: Path, text: str, told: str) -> None:
    file = project / "advise.toml"
    file.write_text(text)
    with pytest.raises(AdviseError) as caught:
        read(Path("advise.toml"))
    assert told in str(caught.value)


def test_without_paths_a_recipe_has_to_be_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 2
    assert "no recipe is named, and no paths are configured" in capsys.readouterr().err


def test_exit_zero_statistics_and_quiet(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "recipes", "--exit-zero"]) == 0
    Path("broken.yaml").write_text("steps: [\n")
    assert main(["check", "broken.yaml", "--exit-zero"]) == 2
    capsys.readouterr()
    assert main(["check", "recipes", "--statistics", "--quiet"]) == 1
    shown = capsys.readouterr()
    assert f"2  error    {BROKEN}\n" in shown.out
    assert shown.err == ""


def test_a_demanded_ticket_counts_in_check(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    comment = f'{{keep: 4}}  # advise: ignore[{BROKEN}] until=2099-01-01 owner=anna reason="x"'
    (project / "advise.toml").write_text('waiver-fields = ["ticket"]\nwaiver-days = 100_000\n')
    for more, rules in (("", {BROKEN, "waiver-malformed"}), (" ticket=ML-7", set())):
        (project / "recipes" / "a.yaml").write_text(RECIPE.replace("{keep: 4}", comment + more))
        assert {rule for _, rule in found(capsys, "recipes/a.yaml")[1]} == rules


def test_sarif_links_to_the_pages_of_rules_and_gitlab_reads_its_own_report(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "advise.toml").write_text('rule-pages = "https://example.org/rules/"\n')
    main(["check", "recipes", "--format", "sarif"])
    rules = json.loads(capsys.readouterr().out)["runs"][0]["tool"]["driver"]["rules"]
    assert {one["id"]: one["helpUri"] for one in rules}[BROKEN] == f"https://example.org/rules/{BROKEN}"
    main(["check", "recipes", "--format", "gitlab"])
    entries: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert {(one["check_name"], one["severity"], one["location"]["path"]) for one in entries} >= {
        (BROKEN, "major", "recipes/a.yaml")
    }
    assert len({one["fingerprint"] for one in entries}) == len(entries)


def waivers_file(until: str = "2099-01-01") -> str:
    return f"waivers:\n  - {{rule: {BROKEN}, reason: x, owner: anna, until: {until}}}\n"


def test_only_the_named_configuration_loosens_a_check(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    comment = f'{{keep: 4}}  # advise: ignore[{BROKEN}] until=2099-01-01 owner=anna reason="x"'
    own = "paths = ['recipes/a.yaml']\nwaiver-days = 100_000\n"
    waived, kept = (0, []), (1, [("a.yaml", BROKEN)])
    for file, text, allows in (
        ("recipes/waivers.yaml", waivers_file(), "waivers-beside = true\n"),
        ("recipes/waivers.yaml", waivers_file(), "waivers = 'recipes/waivers.yaml'\n"),
        ("recipes/a.yaml", RECIPE.replace("{keep: 4}", comment), "inline-waivers = true\n"),
    ):
        before = (project / file).read_text() if (project / file).exists() else None
        (project / file).write_text(text)
        (project / "trusted.toml").write_text(own)
        (project / "advise.toml").write_text(own)
        assert found(capsys) == waived
        assert found(capsys, "--config", "trusted.toml") == kept
        main(["check", "--config", "trusted.toml", "--format", "concise"])
        assert "is ignored (--no-inline, or the configuration)" in capsys.readouterr().out
        (project / "trusted.toml").write_text(own + allows)
        assert found(capsys, "--config", "trusted.toml") == waived
        (project / file).write_text(before) if before else (project / file).unlink()


def test_diff_follows_the_configuration_as_check_does(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = project / "recipes" / "good.yaml"
    good.write_text(RECIPE.replace("keep: 4", "keep: 11"))
    compared = ["diff", str(good), "recipes/a.yaml"]
    assert main(compared) == 1
    (project / "advise.toml").write_text(f'ignore = ["{BROKEN}"]\n')
    assert main(compared) == 0
    (project / "trusted.toml").write_text("")
    assert main([*compared, "--config", "trusted.toml"]) == 1
    (project / "advise.toml").write_text('[policies]\n"recipes/*.yaml" = "packs/lenient"\n')
    assert main(compared) == 0
    assert main([*compared, "--policy", "core"]) == 1
    (project / "advise.toml").write_text("waiver-days = 100_000\nwaiver-fields = ['ticket']\n")
    (project / "recipes" / "waivers.yaml").write_text(waivers_file())
    assert main(compared) == 1  # the demanded ticket is missing
    (project / "advise.toml").write_text("waiver-days = 100_000\n")
    assert main(compared) == 0


def test_a_rule_and_a_pack_name_the_longest_term_of_their_waivers(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def day(ahead: int) -> str:
        return (date.today() + timedelta(days=ahead)).isoformat()

    strict = project / "packs" / "strict"
    strict.mkdir()
    manifest = "name: strict\nversion: '1'\ndescription: x\nextends: [core]\n"
    override = f"override: {{{BROKEN}: {{reason: it hurts, waiver_days: 20}}}}\n"
    file = project / "recipes" / "waivers.yaml"
    for more, longest in (("waiver_days: 30\n", 30), (override, 20), (f"waiver_days: 30\n{override}", 20)):
        (strict / "pack.yaml").write_text(manifest + more)
        for ahead, code in ((longest, 0), (longest + 1, 1)):
            file.write_text(waivers_file(day(ahead)))
            assert main(["check", "recipes/a.yaml", "--policy", "packs/strict", "--format", "concise"]) == code
            assert (f"more than {longest} days ahead" in capsys.readouterr().out) == bool(code)
    (strict / "pack.yaml").write_text(manifest + "waiver_days: 0\n")
    assert main(["check", "recipes/a.yaml", "--policy", "packs/strict"]) == 3
    assert "waiver_days" in capsys.readouterr().err


def test_explain_takes_the_policy_of_the_project(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", BROKEN]) == 0
    assert main(["explain", "recipes/a.yaml"]) == 0
    assert f"error[{BROKEN}]" in capsys.readouterr().out
    (project / "advise.toml").write_text('policy = "packs/lenient"\n')
    assert main(["explain", BROKEN]) == 2
    assert "disabled by lenient: measured here" in capsys.readouterr().err
    assert main(["explain", "recipes/a.yaml"]) == 0
    assert f"error[{BROKEN}]" not in capsys.readouterr().out
    (project / "advise.toml").write_text('policies = {"recipes/**" = "packs/lenient"}\n')
    assert main(["explain", BROKEN]) == 0, "another pack of the project has it"
    assert main(["explain", BROKEN, "--policy", "packs/lenient"]) == 2
