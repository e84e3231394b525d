"""Names, encodings and kinds of files that are hostile: a message and an exit code, no traceback, no waiting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
import refused

from advisor.cli import main
from advisor.families.registry import find
from advisor.report.card import base_license

FACTS = ["--samples", "3000", "--device", "cpu"]
CHECKOUT = Path(__file__).parents[2]
RECIPE = refused.RECIPE


def advise(*arguments: str | bytes, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """In a process of its own, which ends within a minute."""
    command = [sys.executable, str(CHECKOUT / "cli.py"), *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize("command", [["check"], ["explain"], ["run"], ["diff", "other.yaml"]], ids=lambda one: one[0])
def test_a_named_pipe_is_not_waited_for(command: list[str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.yaml")
    (tmp_path / "other.yaml").write_text(RECIPE)
    first, *others = command
    out = ["--out", str(tmp_path / "out"), "--data", "x"] if first == "run" else []
    ended = advise(first, *(str(tmp_path / other) for other in others), str(tmp_path / "x.yaml"), *out)
    assert ended.returncode == 2 and b"is a named pipe" in ended.stderr + ended.stdout


@pytest.mark.parametrize("option", ["--baseline", "--write-baseline"])
@pytest.mark.parametrize("endless", ["/dev/zero", "pipe"])
def test_a_baseline_that_never_ends_is_not_read(option: str, endless: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "x.yaml").write_text(RECIPE)
    ended = advise("check", str(tmp_path / "x.yaml"), option, str(tmp_path / endless))
    assert ended.returncode == 2 and b"is no regular file" in ended.stderr


FORMS = ("{}", "{}k", "{}%", '">= {}"', '">= {}%"', '">= 0.{}"', "{} epochs", '"{},5"', "{} MB", '"{}"', "1e{}", "{}_0")


@pytest.mark.parametrize("form", FORMS)
def test_a_number_of_too_many_digits_is_no_traceback(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number = form.format("9" * 5000)
    text = RECIPE.replace("samples: 3000", f"samples: {number}").replace(
        "finetune: {}", f"finetune: {{epochs: {number}}}"
    )
    targets = "".join(f"{part}: {{relative_accuracy: {number}, size_mb: {number}}}\n" for part in ("goal", "gates"))
    (tmp_path / "x.yaml").write_text(f"{text}{targets}meta: {{a: {number}}}\n")
    assert main(["check", str(tmp_path / "x.yaml"), "--fix", "--unsafe-fixes"]) == 2
    assert "invalid-recipe" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["runs.jsonl", "runs.parquet"])
def test_exported_runs_that_never_end_are_not_read(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    ended = advise("history", "import", str(tmp_path / name), ADVISE_LEDGER=str(tmp_path / "ledger"))
    assert ended.returncode == 2 and f"{name}: is no regular file".encode() in ended.stderr


def test_a_named_pipe_in_a_pack_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text("name: x\nversion: '1'\ndescription: x\nextends: [core]\n")
    os.mkfifo(tmp_path / "rule.yaml")
    ended = advise("rules", "list", str(tmp_path))
    assert ended.returncode == 3 and b"rule.yaml: not a plain file" in ended.stderr


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pack.yaml", 'name: x\nversion: "1"\ndescription: x\nextends: ["a\\0b"]\n'),
        ("recipe.yaml", RECIPE.replace("source: bert", 'source: "a\\0b"')),
        ("recipe.yaml", RECIPE.replace("samples: 3000", 'source: "a\\0b", samples: 3000')),
        ("recipe.yaml", RECIPE.replace("name: x", '"na\\0me": x')),
    ],
)
def test_a_nul_character_is_refused_where_it_is(
    file: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / file).write_text(text)
    code = main(["rules", "list", str(tmp_path)] if file == "pack.yaml" else ["check", str(tmp_path / file)])
    shown = capsys.readouterr()
    assert code == (3 if file == "pack.yaml" else 2)
    assert f"{file}:" in shown.err + shown.out and "a NUL character" in shown.err + shown.out


@pytest.mark.parametrize("name", ["rule.yaml", "pack.yaml"])
def test_a_link_in_a_pack_shows_nothing_of_what_it_leads_to(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, pack = tmp_path / "secret", tmp_path / "pack"
    secret.write_text("root:x:0:0 SECRET\n- [")
    pack.mkdir()
    (pack / "pack.yaml").write_text("name: x\nversion: '1'\ndescription: x\nextends: [core]\n")
    (pack / name).unlink(missing_ok=True)
    (pack / name).symlink_to(secret)
    assert main(["rules", "list", str(pack)]) == 3
    shown = capsys.readouterr().err
    assert "a link that leads out of the pack" in shown and "SECRET" not in shown and "0:0" not in shown


def test_a_pack_may_itself_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "pack").symlink_to(CHECKOUT / "rules" / "core")
    assert main(["rules", "list", str(tmp_path / "pack")]) == 0


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8", "utf-16", "shift_jis"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--model", "bert", *FACTS],
        ["check", "x.yaml"],
        ["check", "x.yaml", "--format", "markdown"],
        ["check", "x.yaml", "--format", "json"],
        ["diff", "x.yaml", "y.yaml"],
        ["explain", "x.yaml"],
        ["rules", "list"],
        ["families"],
    ],
    ids=lambda arguments: " ".join(arguments[:4:3]),
)
def test_every_encoding_of_the_terminal(encoding: str, arguments: list[str], tmp_path: Path) -> None:
    for name in ("x.yaml", "y.yaml"):
        (tmp_path / name).write_text(RECIPE.replace("name: x", f'name: "caf\u00e9 \u2192 \u4e2d\u6587 {name}"'))
    given = [str(tmp_path / one) if one.endswith(".yaml") else one for one in arguments]
    ended = advise(*given, PYTHONIOENCODING=encoding)
    assert ended.returncode in (0, 1) and b"Traceback" not in ended.stderr and ended.stdout


def test_a_name_of_a_file_that_is_no_text(tmp_path: Path) -> None:
    """Linux allows any bytes; a terminal and a text file do not."""
    file = os.fsencode(tmp_path) + b"/caf\xe9.yaml"
    Path(os.fsdecode(file)).write_text(RECIPE)
    out = os.fsencode(tmp_path) + b"/out\xff.json"
    for arguments, codes in (
        (["check", file], (1,)),
        *((["check", file, "--format", form], (1,)) for form in ("json", "sarif", "junit", "github", "markdown")),
        (["check", file, "--format", "json", "-o", out], (1,)),
        (["explain", file], (0, 1)),
        (["diff", file, file], (0, 1)),
        (["--model", os.fsencode(tmp_path) + b"/mod\xe9l", *FACTS], (2,)),
        (["run", file, "--data", b"da\xffta", "--out", out], (1, 2)),
        (["history", "export", out], (0, 1, 2)),
        (["gate", out], (2,)),
        (["check", b"\xff"], (2,)),
        ([b"ch\xffeck"], (2,)),
    ):
        ended = advise(*arguments)
        assert ended.returncode in codes and b"Traceback" not in ended.stderr, (arguments, ended.stderr)


def test_a_config_that_is_too_large(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"' + " " * 1_000_000 + "}")
    assert main(["--model", str(tmp_path), *FACTS]) == 2
    assert "config.json: larger than 1,000,000 bytes" in capsys.readouterr().err


def test_newer_formats_are_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new.yaml").write_text(RECIPE.replace("version: 1", "version: 2").replace("name: x", "title: x"))
    assert main(["check", str(tmp_path / "new.yaml")]) == 2
    assert "version 2 of the format: this advise reads version 1" in capsys.readouterr().out
    (tmp_path / "new.yaml").unlink()
    (tmp_path / "pack.yaml").write_text("format: 2\nname: x\nversion: '1'\ndescription: x\nextends: [core]\nnew: 3\n")
    assert main(["rules", "list", str(tmp_path)]) == 3
    assert "format 2 of packs: this advise reads format 1" in capsys.readouterr().err
    (tmp_path / "pack.yaml").write_text("format: 1\nname: x\nversion: '1'\ndescription: x\nextends: [core]\n")
    assert main(["rules", "list", str(tmp_path)]) == 0


def test_a_named_pipe_that_is_called_like_a_model_card(tmp_path: Path) -> None:
    bert = find("bert")
    assert bert
    (tmp_path / "config.json").write_text(json.dumps(dict(bert.config)))
    os.mkfifo(tmp_path / "README.md")
    assert advise("--model", str(tmp_path), *FACTS).returncode == 0
    assert base_license(tmp_path) == ""


def test_a_named_pipe_below_a_file_of_waivers(tmp_path: Path) -> None:
    """Whether a waiver is unused depends on all recipes below its file."""
    (tmp_path / "x.yaml").write_text(RECIPE)
    (tmp_path / "other").mkdir()
    os.mkfifo(tmp_path / "other" / "y.yaml")
    until = date.today() + timedelta(days=10)
    waiver = f'{{rule: int8-gate, reason: a test of it, owner: me, until: {until}, where: "**"}}'
    (tmp_path / "waivers.yaml").write_text(f"waivers:\n  - {waiver}\n")
    assert b"the waiver for int8-gate is unused" in advise("check", str(tmp_path / "x.yaml")).stdout


def test_a_description_goes_where_it_can(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["families", "add", "bert", "--out", str(tmp_path / "file" / "bert.json")]) == 2
    assert "file: cannot be made: " in capsys.readouterr().err
