"""What `advise check` is given and how it ends: files, patterns, stdin, rules, formats, and every exit code."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.cli import main
from advisor.review.findings import FORMATS

GOOD = """version: 1
name: x
model: {source: bert, family: bert}
data: {samples: 25000, task: text-classification}
device: cpu
steps:
  - finetune:
  - layer_removal: {keep: 8}
  - distillation: {epochs: 9}
"""
BROKEN = GOOD.replace("  - distillation: {epochs: 9}\n", "")
WORKFLOW = "name: CI\non: push\njobs:\n  test:\n    steps:\n      - run: make\n"
MANY = "\n".join(GOOD.splitlines()[:5]) + "\nsteps:\n  - quantization:\n  - layer_removal: {keep: 99}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    for name, text in {"good": GOOD, "broken": BROKEN, "many": MANY, "invalid": "version: 1\ndevice: tpu\n"}.items():
        Path(f"{name}.yaml").write_text(text)
    return tmp_path


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["good.yaml"], 0),
        (["broken.yaml"], 1),
        (["broken.yaml", "invalid.yaml"], 2),
        (["broken.yaml", "gone.yaml"], 2),
        (["gone.yaml", "none*.yaml"], 2),
        (["broken.yaml", "none*.yaml"], 1),
        (["good.yaml", "none*.yaml"], 5),
        (["none*.yaml"], 5),
        (["good.yaml", "--select", "repaired"], 2),
        (["good.yaml", "--select", "quantize-last", "--ignore", "quantize-last"], 5),
        (["broken.yaml", "--select", "quantize-last"], 0),
        (["broken.yaml", "--ignore", "distill-after-structure"], 0),
        (["broken.yaml", "--ignore", "R07"], 0),
        (["broken.yaml", "--select", "quantize-last,distill-after-structure"], 1),
        (["good.yaml", "--policy", "nowhere"], 3),
        (["good.yaml", "--format", "yaml"], 2),
        (["good.yaml", "--stdin-filename", "x.yaml"], 2),
        (["good.yaml", "-o", "no/such/folder.json"], 2),
    ],
)
def test_every_way_to_end_has_its_exit_code(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *arguments]) == code
    shown = capsys.readouterr()
    assert shown.err
    assert "Traceback" not in shown.err


def test_a_pack_that_does_not_load_ends_with_3_and_says_where(capsys: pytest.CaptureFixture[str]) -> None:
    Path("ours").mkdir()
    Path("ours/pack.yaml").write_text("name: ours\nversion: '1'\ndescription: x\n")
    Path("ours/rule.yaml").write_text("id: rule\nsevrity: error\n")
    assert main(["check", "good.yaml", "--policy", "ours"]) == 3
    assert "ours/rule.yaml:2:1" in capsys.readouterr().err


def test_an_unknown_rule_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "good.yaml", "--ignore", "quantise-last,R07,nonsense"]) == 2
    told = capsys.readouterr().err
    assert "did you mean 'quantize-last'?" in told
    assert "no rule 'nonsense' in core" in told


def test_what_cannot_be_judged_cannot_be_ignored(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "good.yaml", "--ignore", "invalid-recipe"]) == 2
    assert main(["check", "invalid.yaml", "--select", "quantize-last"]) == 2
    assert "cannot be selected or ignored" in capsys.readouterr().err


def test_a_folder_passes_over_what_is_no_recipe_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mixed/sub").mkdir(parents=True)
    Path("mixed/ci.yml").write_text(WORKFLOW)
    Path("mixed/sub/good.yaml").write_text(GOOD)
    assert main(["check", "mixed"]) == 0
    told = capsys.readouterr().err
    assert "passed over as no recipe (none of steps, model, device at the top): mixed/ci.yml\n" in told
    assert "1 file (1 more passed over as no recipe)" in told
    assert main(["check", "mixed/ci.yml"]) == 2  # a file that is named is always checked


def test_a_folder_without_any_recipe_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    Path("ci").mkdir()
    Path("ci/ci.yml").write_text(WORKFLOW)
    assert main(["check", "ci"]) == 5
    assert "no recipe among these files" in capsys.readouterr().err


def test_a_quoted_pattern_finds_files_at_any_depth(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a/b").mkdir(parents=True)
    Path("a/b/deep.yaml").write_text(BROKEN)
    assert main(["check", "a/**/*.yaml", "--format", "concise"]) == 1
    assert capsys.readouterr().out.startswith("a/b/deep.yaml:6:1: error distill-after-structure ")


def test_stdin_has_the_name_that_it_is_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("deep/model").mkdir(parents=True)
    config = {"model_type": "bert", "num_hidden_layers": 4, "hidden_size": 128, "num_attention_heads": 2}
    sizes = {"vocab_size": 100, "intermediate_size": 512, "max_position_embeddings": 64, "type_vocab_size": 2}
    Path("deep/model/config.json").write_text(json.dumps(config | sizes))
    stdin(monkeypatch, GOOD.replace("source: bert", "source: model"))
    assert main(["check", "-", "--stdin-filename", "deep/from-editor.yaml", "--format", "concise"]) == 1
    assert "deep/from-editor.yaml:8:27: error plain-checkpoint-only" in capsys.readouterr().out
    stdin(monkeypatch, BROKEN)
    assert main(["check", "-", "--format", "concise"]) == 1
    assert capsys.readouterr().out.startswith("stdin:6:1: ")


@pytest.mark.parametrize("form", FORMATS)
def test_a_product_in_a_file_is_whole_and_leaves_stdout_empty(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "many.yaml", "--format", form]) == 1
    shown = capsys.readouterr().out
    assert main(["check", "many.yaml", "--format", form, "-o", "out"]) == 1
    assert capsys.readouterr().out == ""
    written = Path("out").read_text()
    assert written.count("layer_removal") == shown.count("layer_removal") > 0
    assert [file.name for file in Path().iterdir() if "out" in file.name] == ["out"]


def test_colour_only_on_a_terminal_and_not_where_it_is_unwanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    main(["check", "broken.yaml"])
    assert "\033[" not in capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    main(["check", "broken.yaml"])
    assert "\033[" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    main(["check", "broken.yaml"])
    assert "\033[" not in capsys.readouterr().out


def test_json_says_how_it_ended_in_number_and_words(capsys: pytest.CaptureFixture[str]) -> None:
    for name, code, words in (("good", 0, "no finding that counts"), ("broken", 1, "findings")):
        assert main(["check", f"{name}.yaml", "--format", "json"]) == code
        assert json.loads(capsys.readouterr().out)["exit"] == {"code": code, "words": words}


def test_check_imports_nothing_that_can_load_a_weight() -> None:
    program = (
        "import sys\nfrom advisor.cli import main\n"
        f"codes = [main(['check', 'many.yaml', '--format', form]) for form in {FORMATS!r}]\n"
        "heavy = {'torch', 'transformers', 'datasets', 'codecarbon', 'numpy', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'{codes} {heavy}' if heavy or set(codes) != {1} else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_option_in_the_summary_can_be_copied(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "broken.yaml", "--select", "distill-after-structure"])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 1, "the summary has to be longer than a line here"
    assert any("--unsafe-fixes" in line for line in lines)


def test_one_known_finding_is_singular(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "broken.yaml", "--select", "distill-after-structure", "--write-baseline", "known.json"])
    assert "known.json: 1 known finding\n" in capsys.readouterr().err
