"""`advise` as users and scripts call it: product on stdout, talk on stderr, nothing heavy imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.cli import main
from advisor.families.registry import find
from advisor.recipe.reader import loads

CHECKOUT = Path(__file__).parents[2]
T5 = ["--model", "t5", "--samples", "3000", "--device", "cpu"]
HEAVY = {"torch", "transformers", "datasets", "codecarbon", "onnx", "onnxruntime", "rich", "pydantic"}


def test_the_recipe_goes_to_stdout_and_the_talk_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(T5) == 0
    shown = capsys.readouterr()
    recipe, _ = loads(shown.out)
    assert recipe.step_names == ("finetune", "quantization")
    assert recipe.policy is not None
    assert "t5-small-data-no-prune" in shown.out
    assert shown.err.startswith("facts   t5 · encoder-decoder · 12+12 layers · 222.9 M parameters")
    assert "\033[" not in shown.err


def test_json_carries_facts_recipe_predictions_and_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*T5, "--format", "json"]) == 0
    advice = json.loads(capsys.readouterr().out)
    assert advice["facts"]["model"]["parameters"] == 222_903_552
    assert [next(iter(step)) for step in advice["recipe"]["steps"]] == ["finetune", "quantization"]
    assert {one["step"]: one["kept"] for one in advice["steps"]}["layer_removal"] is False
    assert len(advice["candidates"]) == 8
    assert advice["prediction"]["accuracy"] == {"low": 0.97, "high": 1.0}


def test_a_written_recipe_passes_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "recipe.yaml"
    assert main([*T5, "-o", str(file)]) == 0
    assert capsys.readouterr().out == ""
    assert main(["check", str(file)]) == 0


def test_the_next_command_can_be_copied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my recipe.yaml"
    assert main([*T5, "-o", str(file)]) == 0
    assert f"run it: advise run '{file}' --data SOURCE --out DIR\n" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["folder", "file", "cache"])
def test_models_by_folder_config_and_cached_hub_id(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    repository = tmp_path / "hub" / "models--some--bert"
    folder = repository / "snapshots" / "abc"
    folder.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    bert = find("bert")
    assert bert is not None
    (folder / "config.json").write_text(json.dumps({**bert.config, "num_hidden_layers": 6}))
    name = {"folder": str(folder), "file": str(folder / "config.json"), "cache": "some/bert"}[what]
    assert main(["--model", name, "--samples", "3000", "--device", "cuda"]) == 0
    recipe, _ = loads(capsys.readouterr().out)
    assert recipe.model.source == name
    assert "keep=4" in repr(recipe.step("layer_removal"))


def test_rows_are_counted_in_the_data(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--model", "bert", "--data", str(text), "--device", "cpu"]) == 0
    recipe, _ = loads(capsys.readouterr().out)
    assert recipe.data.samples == 180
    assert recipe.data.task == "text-classification"


def test_advice_imports_nothing_heavy(tmp_path: Path) -> None:
    """In a fresh interpreter; the second call finds the pack remembered, so that even pydantic stays out."""
    code = (
        "import sys, advisor.cli as cli; cli.main(sys.argv[1:]); code = cli.main(sys.argv[1:]);"
        "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    environment = {"XDG_CACHE_HOME": str(tmp_path), "PATH": "", "PYTHONPATH": str(CHECKOUT)}
    for allowed in ({"pydantic"}, set()):
        done = subprocess.run(
            [sys.executable, "-c", code, *T5], capture_output=True, text=True, env=environment, check=True
        )
        assert not set(done.stderr.splitlines()[-1].split()) & (HEAVY - allowed)


def test_it_runs_from_a_checkout_and_from_any_folder(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, CHECKOUT / "cli.py", *T5], cwd=tmp_path, capture_output=True, check=True)
    assert loads(done.stdout)[0].device == "cpu"


@pytest.mark.parametrize("model", ["bert", "gpt2", "opt", "t5"])
@pytest.mark.parametrize("goal", [["--max-emissions", "0.02"], ["--max-size-mb", "1"], ["--max-emissions", "0.1"]])
def test_what_must_give_is_enough_when_it_is_given(
    model: str, goal: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    facts = ["--model", model, "--samples", "30000", "--device", "cpu"]
    assert main([*facts, *goal]) == 1
    told = capsys.readouterr().err.split("what must give: ")[1].split(", or more data")[0]
    given = told.replace(" and ", " ").split()
    assert given[0] in ("--min-accuracy", "--max-emissions", "--max-size-mb")
    assert main([*facts, *goal, *given]) == 0  # the later of two equal options counts
    assert loads(capsys.readouterr().out)[0].steps


def test_a_size_goal_for_a_model_that_is_not_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "new-thing", "architectures": ["NewModel"]}')
    assert main(["--model", str(tmp_path), "--samples", "3000", "--device", "cpu", "--max-size-mb", "100"]) == 1
    assert "what must give: the size" in capsys.readouterr().err


def test_exact_shares_and_the_sources_of_ranges_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--model", "bert", "--samples", "25000", "--device", "cuda"]) == 0
    told = capsys.readouterr().err
    assert "exact  81,132,290 parameters (74.1%), 66.7% of the multiplications" in told
    assert "ranges S19, Table 1, L02; good · " in told
    assert "measured runs, after which each end of the accuracy holds on " in told


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    from advisor.cli.commands import COMMANDS

    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    assert {"gate", "diff", "check", "run"} <= set(COMMANDS)
    for command, (_, about) in COMMANDS.items():
        assert f"  advise {command}" in told
        assert about in told
    assert all(len(line) <= 110 for line in told.splitlines())
