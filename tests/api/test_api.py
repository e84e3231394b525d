"""The Python API: the same jobs as the command line, on plain values, imported only when they are used."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import advisor
from advisor.base.errors import AdviseError, NothingChecked, NotMet, PolicyError
from advisor.cli import main
from advisor.recipe.reader import load

ROOT = Path(__file__).parents[2]
T5 = {"model": "t5", "samples": 3000, "device": "cpu"}
FORBIDDEN = """
version: 1
name: pruned
model: {source: google-t5/t5-base, family: t5}
data: {task: text-classification, samples: 3000, eval_samples: 1000}
device: cpu
steps:
  - finetune: {}
  - matrix_pruning: {hidden_size: 384}
"""


@pytest.mark.parametrize(
    "what", ["advisor", "advisor.advise", "advisor.check", "advisor.run", "advisor.gate", "advisor.search"]
)
def test_importing_a_function_loads_no_heavy_library(what: str) -> None:
    code = f"import advisor, sys; {what}; print(*sorted(sys.modules))"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=True).stdout.split()
    heavy = ("torch", "transformers", "datasets", "codecarbon", "rich", "pydantic", "pydantic_core", "ruamel.yaml")
    assert [name for name in heavy if name in loaded] == []


def test_no_module_or_package_hides_a_function() -> None:
    functions = {name for name in advisor.__all__ if name.islower()}
    assert functions >= {"advise", "check", "run", "gate", "load"}
    assert functions.isdisjoint(module.name for module in pkgutil.iter_modules(advisor.__path__))
    for module in pkgutil.walk_packages(advisor.__path__, "advisor."):
        if module.name.count(".") == 2 and not module.name.startswith(("advisor.compute.", "advisor.rules")):
            import_module(module.name)
    assert all(callable(getattr(advisor, name)) for name in functions if name != "__version__")


def test_unknown_names_are_attribute_errors_and_known_ones_are_listed() -> None:
    with pytest.raises(AttributeError, match="no attribute 'serach'"):
        _ = advisor.serach  # type: ignore[attr-defined]
    assert set(advisor.__all__) <= set(dir(advisor))


def test_the_version_is_the_one_of_the_package() -> None:
    assert (
        advisor.__version__
        in subprocess.run(
            [sys.executable, "cli.py", "--version"], cwd=ROOT, text=True, capture_output=True, check=True
        ).stdout
    )


def test_advice_is_what_the_command_line_gives(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    advice = advisor.advise(**T5)  # type: ignore[arg-type]
    assert main(["--model", "t5", "--samples", "3000", "--device", "cpu"]) == 0
    shown = capsys.readouterr()
    assert advice.to_yaml() == shown.out
    assert str(advice) == f"{advice.explanation()}\n{advice.to_yaml()}"
    assert load(advice.save(tmp_path / "recipe.yaml"))[0] == advice.recipe
    assert advice.to_dict()["device"] == "cpu"
    assert "matrix_pruning" not in advice.recipe.step_names
    assert len(repr(advice)) < 200


def test_advice_names_every_faulty_argument_at_once() -> None:
    with pytest.raises(AdviseError) as error:
        advisor.advise(model="t5", device="gpu", samples=0, min_accuracy=95, max_size_mb="9", task="chat")  # type: ignore[arg-type]
    told = str(error.value)
    for words in (
        "samples: expected a whole number of at least 1, got 0",
        "min_accuracy: expected a number from 0.01 to 1, got 95",
        "max_size_mb: expected a number from 1e-09 to 1e+12, got '9'",
        "device: expected one of cpu, cuda, mps, edge, auto, got 'gpu'",
        "task: expected one of",
    ):
        assert f"advisor.advise: {words}" in told
    with pytest.raises(AdviseError, match="expected either samples or data"):
        advisor.advise(model="t5", device="cpu")


def test_advice_that_cannot_meet_the_goal_and_unknown_models_are_errors() -> None:
    with pytest.raises(NotMet, match="what must give"):
        advisor.advise(model="bert", samples=3000, device="cuda", max_emissions=0.01)
    with pytest.raises(AdviseError, match="unknown model 'brt'"):
        advisor.advise(model="brt", samples=3000, device="cpu")
    with pytest.raises(PolicyError, match="no rule pack 'cora'"):
        advisor.advise(**T5, policy="cora")  # type: ignore[arg-type]


def test_check_takes_files_folders_recipes_advice_and_several(tmp_path: Path) -> None:
    file = tmp_path / "pruned.yaml"
    file.write_text(FORBIDDEN)
    recipe = load(file)[0]
    advice = advisor.advise(**T5)  # type: ignore[arg-type]
    for one in (file, str(file), tmp_path, recipe, [file], (str(file),), iter([recipe])):
        findings = advisor.check(one)
        assert (findings.ok, findings.exit_code, len(findings.files)) == (False, 1, 1)
        assert "t5-small-data-no-prune" in {finding.rule for finding in findings}
    both = advisor.check([recipe, advice, recipe, file])
    assert len(both.files) == 4
    assert advisor.check(advice).ok


def test_findings_can_be_counted_written_and_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "pruned.yaml"
    file.write_text(FORBIDDEN)
    findings = advisor.check(file)
    assert main(["check", str(file)]) == findings.exit_code
    assert findings.to("text") == capsys.readouterr().out
    assert str(findings).startswith(findings.to("text"))
    assert len(findings) == len(findings.findings) == len(list(findings))
    assert {one.severity for one in findings.counting("error")} == {"error"}
    assert len(repr(findings)) < 250
    with pytest.raises(AdviseError, match="form: expected one of text"):
        findings.to("texts")


def test_check_says_what_is_wrong_with_its_arguments(tmp_path: Path) -> None:
    with pytest.raises(NothingChecked, match="no recipe in this folder"):
        advisor.check(tmp_path)
    with pytest.raises(AdviseError, match="fail_on: expected one of error, warning, note, got 'eror'\n  try: did you"):
        advisor.check(ROOT / "recipes", fail_on="eror")
    (tmp_path / "other.yaml").write_text("hello: world\n")
    with pytest.raises(NothingChecked, match="no recipe among these files"):
        advisor.check(tmp_path)
    missing = advisor.check(tmp_path / "no.yaml")
    assert (missing.exit_code, missing.ok) == (2, False)


def test_options_of_check_do_what_the_command_line_does(tmp_path: Path) -> None:
    file = tmp_path / "pruned.yaml"
    file.write_text(FORBIDDEN)
    rule = "t5-small-data-no-prune"
    assert {one.rule for one in advisor.check(file, select=[rule])} == {rule}
    assert rule not in {one.rule for one in advisor.check(file, ignore=[rule])}
    waiver = f'# advise: ignore[{rule}] until=2099-01-01 owner=me reason="a test"'
    file.write_text(FORBIDDEN.replace("steps:", f"{waiver}\nsteps:"))

    def counts(**options: int | bool) -> bool:
        return rule in {one.rule for one in advisor.check(file, **options).counting()}  # type: ignore[arg-type]

    assert not counts(waiver_days=40_000)
    assert counts(waiver_days=40_000, inline_waivers=False)
    assert counts(waiver_days=30)


def test_results_show_themselves_in_a_notebook_with_everything_escaped(tmp_path: Path) -> None:
    advice = advisor.advise(**T5, name="<b>&mine")  # type: ignore[arg-type]
    page = advice._repr_html_()
    assert "&lt;b&gt;&amp;mine" in page
    assert "<b>&mine" not in page
    assert page.count("<tr>") >= 2 + len(advice.verdicts) + len(advice.candidates)
    file = tmp_path / "<i>.yaml"
    file.write_text(FORBIDDEN)
    page = advisor.check(file)._repr_html_()
    assert "&lt;i&gt;.yaml" in page
    assert "<i>" not in page
    assert "t5-small-data-no-prune" in page


def test_a_file_of_a_user_is_typed(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "mine.py").write_text(
        "import advisor\n"
        "advice = advisor.advise(model='t5', samples=3000, device='cpu')\n"
        "reveal_type(advice.recipe)\n"
        "reveal_type(advisor.check(advice))\n"
        "reveal_type(advisor.run(advice, out='x'))\n"
        "reveal_type(advisor.gate('x').ok)\n"
        "reveal_type(advisor.load('x'))\n"
        "advisor.advise(model='t5', samples='3000', device='cpu')\n"
    )
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--cache-dir",
        str(tmp_path / "cache"),
        str(tmp_path / "mine.py"),
    ]
    command += ["--follow-imports", "silent", "--ignore-missing-imports", "--cache-dir", str(tmp_path / "cache")]
    told = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False).stdout
    for kind in ("recipe.Recipe", "review.Findings", "execution.RunResult", "bool", "predictor.Predictor"):
        assert f'{kind}"' in told, told
    assert 'incompatible type "str"; expected "int | None"' in told
    assert "Found 1 error" in told, told


@pytest.mark.parametrize(
    ("model", "task", "row"),
    [
        ("gpt2", "text-generation", {"text": "a text of some words {}"}),
        ("t5", "summarization", {"document": "a longer text of words {}", "summary": "words {}"}),
        ("t5", "translation", {"translation": {"en": "one {}", "de": "eins {}"}}),
    ],
)
def test_what_is_advised_for_data_without_classes_passes_check(
    model: str, task: str, row: dict[str, object], tmp_path: Path
) -> None:
    rows = [json.dumps(row).replace("{}", str(number)) for number in range(40)]
    (tmp_path / "train.jsonl").write_text("\n".join(rows))
    advice = advisor.advise(model, data=tmp_path, device="cpu", task=task, min_accuracy=0.5)
    recipe = load(advice.save(tmp_path / "recipe.yaml"))[0]
    assert recipe.data.samples and recipe.data.labels is None
    assert [one.message for one in advisor.check(tmp_path / "recipe.yaml") if one.severity == "error"] == []
