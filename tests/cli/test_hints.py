"""Mistakes at the command line: the hint fits what was typed."""

from __future__ import annotations

from pathlib import Path

import pytest
import refused
from ruamel.yaml import YAML

from advisor.cli import main
from advisor.recipe.reader import loads

FACTS = ["--samples", "3000", "--device", "cpu"]
BERT = ["--model", "bert", *FACTS]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("desk.yaml").write_text(refused.RECIPE)
    Path("rows.csv").write_text("text,label\n")
    Path("run").mkdir()
    Path("run/manifest.json").write_text("{}")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["history", "import", "nope.jsonl"], "nope.jsonl: no such file"),
        (["--modle", "bert", *FACTS], "unknown option --modle\n  try: did you mean --model?"),
        (["explain", "--model", "bert"], "unknown option --model\n  try: advise explain --help"),
        (["bert", *FACTS], "unknown command 'bert'\n  try: advise --model bert"),
        (["desk.yaml"], "unknown command 'desk.yaml'\n  try: advise check desk.yaml"),
        (["rows.csv"], "unknown command 'rows.csv'\n  try: advise --data rows.csv"),
        (["--model", "desk.yaml", *FACTS], "this is YAML"),
        (["--model", "", *FACTS], "argument --model: it is empty"),
        (["rules"], "advise rules: a sub-command is missing\n  try: one of list, test, verify"),
        (["gate", "."], "there is no manifest.json\n  try: there is one in run"),
        ([*BERT, "--meta", "a: 1}\nwaivers: [x]\nmeta2: {b=3"], "a key begins with a letter from a to z"),
        ([*BERT, "--meta", "x y=1"], "a key begins with a letter from a to z"),
        ([*BERT, "--meta", "x=1e400"], "x: expected a number that is finite"),
        (["--model", "bert", "--samples", "9" * 26, "--device", "cpu"], "a whole number of at most 1,000,000,000,000"),
    ],
)
def test_the_hint_fits(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert told in shown.err and shown.out == ""
    assert "required" not in shown.err


def test_long_numbers_are_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BERT, "--meta", f"x={'9' * 400}"]) == 0
    assert f"x: {'9' * 400}" in capsys.readouterr().out


def test_all_that_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--model", "bert"]) == 2
    assert "required: --device; and --samples or --data" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = 1\npaths = [\n", "advise.toml:3:1: not TOML"),
        ('# rules\n\nrule-pages = "javascript:alert(1)"\n', "advise.toml:3:1: rule-pages: expected an address"),
    ],
)
def test_a_wrong_configuration_is_told_with_its_line(text: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("advise.toml").write_text(text)
    assert main(["check", "desk.yaml"]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("address", ["https://example.org/rules/", "docs/rules/", "../rules/"])
def test_pages_of_rules_have_an_address_or_a_folder(address: str) -> None:
    Path("advise.toml").write_text(f'rule-pages = "{address}"\n')
    assert main(["check", "desk.yaml"]) == 1


def test_help_is_a_command_too(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, usage in ((["help"], "usage: advise "), (["help", "gate"], "usage: advise gate ")):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(usage)


def test_keys_of_meta_are_written_in_quotes_where_yaml_needs_them(capsys: pytest.CaptureFixture[str]) -> None:
    import advisor

    hostile = "a: 1}\nwaivers: [b]\nmeta2: {b\x1b"
    written = advisor.advise(model="bert", samples=3000, device="cpu", meta={hostile: 3, "no": 1, "a.b": "c"}).to_yaml()
    assert "\x1b" not in written
    assert YAML(typ="safe").load(written)["meta"] == {hostile: 3, "no": 1, "a.b": "c"}
    assert loads(written)[0].waivers == ()


def test_a_rule_of_a_pack_that_is_extended_is_not_written_anew(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "new", "own-rule"]) == 0
    for pack in ("rules", "another"):
        assert main(["rules", "new", "finetune-first", "--pack", pack]) == 3
    assert "finetune-first is a rule of this pack already" in capsys.readouterr().err
    assert not Path("another").exists()
    assert main(["rules", "list", "rules"]) == 0


def test_pages_of_rules_go_to_a_folder_that_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "docs", "--out", "a/pages"]) == 0
    assert Path("a/pages/finetune-first.md").is_file()
