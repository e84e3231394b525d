"""`advise history` and `advise --history`: what is recorded, shown, shared, and what it does to advice."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import small_runs

from advisor.cli import main
from advisor.recipe.reader import loads
from advisor.records.results import Measured
from advisor.runs import ledger

BERT = ["--model", "bert", "--samples", "67349", "--device", "cpu", "--min-accuracy", "0.9"]


@pytest.fixture(autouse=True)
def own_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ADVISE_LEDGER", str(tmp_path / "ledger.sqlite3"))
    return tmp_path / "ledger.sqlite3"


def recorded(folder: Path, count: int = 3, accuracy: float = 0.98) -> None:
    """Runs with different seeds, whose distilled model keeps this share of the accuracy."""
    for seed in range(count):
        steps = list(small_runs.result().steps)
        steps[2] = replace(steps[2], relative_accuracy=Measured(accuracy))
        ledger.add([small_runs.record(folder / f"run-{seed}", small_runs.result(steps=tuple(steps)), seed=seed)])


def test_a_table_a_page_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(tmp_path, 1)
    assert main(["history"]) == 0
    head, row, legend = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["id", "finished", "name"]
    assert "8 layers, distilled, int8" in row and "31.0%!" in row and "33.0% " in row and "missed" in row
    assert legend == "3 of 4 measured numbers of last models lie inside their predicted range (! outside)"
    assert main(["history", "show", row.split()[0]]) == 0
    page = capsys.readouterr().out
    assert "OUTSIDE" in page and "energy counters (RAPL" in page and "layer_removal: {keep: 8}" in page
    assert main(["history", "--format", "json", "--family", "bert", "--since", "2026-11-24"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["id"].startswith(row.split()[0]) and told["steps"][-1]["int8"]


def test_nothing_recorded_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history"]) == 0
    assert "no run is recorded yet" in capsys.readouterr().err
    assert main(["history", "export", "x.jsonl"]) == 2
    assert not Path("x.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--family", "brt"], "recorded: --family bert"),
        (["--data", "imdb"], "recorded: --data sst2"),
        (["--since", "2027-01-01"], "no run of 1 passes --since"),
        (["--since", "yesterday"], "expected a date"),
        (["shw"], "did you mean 'show'?"),
        (["show", "ffff"], "no run 'ffff'"),
        (["add", "nowhere"], "no such folder"),
        (["import", "nowhere.jsonl"], "no such file"),
    ],
)
def test_what_matches_nothing_is_an_error(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(tmp_path, 1)
    assert main(["history", *arguments]) == 2
    shown = capsys.readouterr()
    assert told in shown.err and not shown.out


def test_sharing_runs_twice_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(tmp_path)
    mine = ledger.find()
    files = [str(tmp_path / "runs.jsonl"), str(tmp_path / "runs.parquet")]
    assert [main(["history", "export", file]) for file in files] == [0, 0]
    monkeypatch.setenv("ADVISE_LEDGER", str(tmp_path / "colleague.sqlite3"))
    assert main(["history", "import", *files]) == 0
    assert re.search(r"\n3 runs added to \S+, 3 already there\n$", capsys.readouterr().err)
    assert ledger.find() == mine
    assert main(["history", "add", str(tmp_path / "run-0")]) == 0
    assert re.search(r"^0 runs added to \S+, 1 already there\n$", capsys.readouterr().err)
    assert ledger.find() == mine


def test_history_narrows_the_ranges_and_the_recipe_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(tmp_path)
    file = str(tmp_path / "recipe.yaml")
    assert main([*BERT, "--history", "-o", file]) == 0
    told = capsys.readouterr().err
    assert "8 layers, distilled: relative accuracy 0.97-0.99 from 3 own runs, was 0.97-1.01;" in " ".join(told.split())
    recipe, _ = loads(Path(file).read_text())
    assert recipe.history and recipe.history.runs == 3 and len(recipe.history.sha256) == 64
    assert main(["check", file]) == 0
    Path(file).write_text(
        Path(file).read_text().replace("history: {runs: 3", 'history: {relative_time: "much", runs: 3')
    )
    assert main(["check", file]) == 2
    assert "history.relative_time" in capsys.readouterr().out


def test_without_the_flag_the_past_does_not_matter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(BERT) == 0
    before = capsys.readouterr()
    recorded(tmp_path, accuracy=0.5)
    assert main(BERT) == 0
    assert capsys.readouterr() == before
    assert main([*BERT, "--history"]) == 0
    assert capsys.readouterr() != before


def test_own_runs_change_the_choice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    goal = [*BERT[:-1], "0.97"]
    assert main(goal) == 0
    assert "layer_removal: {" in capsys.readouterr().out
    steps = list(small_runs.result().steps)
    for place in (2, 3):
        steps[place] = replace(steps[place], relative_accuracy=Measured(0.5))
    for seed in range(3):
        ledger.add([small_runs.record(tmp_path / str(seed), small_runs.result(steps=tuple(steps)), seed=seed)])
    assert main([*goal, "--history"]) == 0
    shown = capsys.readouterr()
    assert "layer_removal: {" not in shown.out
    assert "which lie outside the" in " ".join(shown.err.split())


def test_too_few_runs_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(tmp_path, 2)
    assert main([*BERT, "--history"]) == 0
    shown = capsys.readouterr()
    assert "history: 2 own runs" in shown.err and "no range is narrowed" in " ".join(shown.err.split())
    assert loads(shown.out)[0].history is None


def test_neither_history_nor_advice_by_it_imports_torch(tmp_path: Path) -> None:
    recorded(tmp_path)
    script = "from advisor.cli import main; import sys; main(sys.argv[1:]); print(sorted(sys.modules))"
    for arguments in (["history"], ["history", "export", str(tmp_path / "x.jsonl")], [*BERT, "--history"]):
        done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
        loaded = done.stdout.splitlines()[-1]
        assert "'sqlite3'" in loaded
        assert not any(f"'{name}'" in loaded for name in ("torch", "transformers", "datasets", "codecarbon", "pyarrow"))


def test_advice_alone_opens_no_database() -> None:
    script = "from advisor.cli import main; import sys; main(sys.argv[1:]); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script, *BERT], capture_output=True, text=True, check=True)
    assert "'sqlite3'" not in done.stdout and "'advisor.advice.history'" not in done.stdout


RECIPE = """version: 1
name: recorded
model: {source: gone, family: bert}
device: edge
goal: {relative_accuracy: ">= 0.3"}
steps:
  - finetune: {epochs: 1, learning_rate: 2.0e-3}
training: {batch_size: 64, max_tokens: 16}
"""


def test_every_run_is_recorded_and_none_is_lost_with_the_ledger(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, own_ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    command = [
        "run",
        str(recipe),
        "--model",
        str(checkpoints["bert"]),
        "--data",
        str(text),
        "--measure-seconds",
        "0.5",
        "--out",
    ]
    assert main([*command, str(tmp_path / "first")]) in (0, 4)
    (one,) = ledger.find()
    assert (one.name, one.family, one.device, one.samples) == ("recorded", "bert", "edge", 180)
    assert one.versions["torch"] and one.last.quantity("relative_time").why_not  # type: ignore[union-attr]
    assert main([*command, str(tmp_path / "second"), "--no-ledger"]) in (0, 4)
    assert ledger.find() == [one]
    for file in own_ledger.parent.glob(f"{own_ledger.name}*"):
        file.unlink()
    own_ledger.write_text("no ledger " * 100)
    assert main([*command, str(tmp_path / "third")]) in (0, 4)
    told = capsys.readouterr().err
    assert "warning: the run is not recorded" in told and f"advise history add {tmp_path / 'third'}" in told
    assert (tmp_path / "third" / "report.json").exists()


def test_every_run_writes_a_model_card_whose_code_works(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path
) -> None:
    from huggingface_hub import ModelCard

    recipe, out = tmp_path / "recipe.yaml", tmp_path / "out"
    recipe.write_text(RECIPE)
    assert main(
        [
            "run",
            str(recipe),
            "--model",
            str(checkpoints["bert"]),
            "--data",
            str(text),
            "--out",
            str(out),
            "--measure-seconds",
            "0.5",
        ]
    ) in (0, 4)
    card = ModelCard.load(out / "README.md")
    assert card.data.library_name == "transformers" and card.data.pipeline_tag == "text-classification"
    assert "README.md" in json.loads((out / "manifest.json").read_text())["files"]
    blocks = re.findall(r"```python\n(.*?)```", card.text, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block.replace("FOLDER", str(out)), {})
