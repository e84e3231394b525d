"""How advise search begins and ends: asked first; its end passes check and gate; a full disk loses nothing."""

from __future__ import annotations

import io
import json
import subprocess
from argparse import Namespace
from pathlib import Path

import perceived
import pytest
import tiny
import torch
from transformers import AutoConfig, AutoModelForCausalLM

import advisor
from advisor.api.search_orders import _space, question, settings
from advisor.api.stated import Stated
from advisor.cli import main
from advisor.cli.search import _confirmed
from advisor.facts.facts import Goal
from advisor.policy.pack import core
from advisor.recipe.reader import load
from advisor.recipe.recipe import DataSource
from advisor.records.search import Forecast
from advisor.tuning import folder


def command(model: Path, data: Path, out: Path, seconds: str = "0.05") -> list[str]:
    return [
        *("search", "--model", str(model), "--data", str(data), "--device", "cpu", "--out", str(out), "--yes"),
        *("--measure-seconds", seconds, "--budget"),
    ]


@pytest.mark.parametrize(
    ("seconds", "terminal", "yes", "answer", "starts"),
    [
        (7200, True, False, "y\n", True),
        (7200, True, False, "\n", False),
        (7200, True, True, "", True),
        (7200, False, False, "", True),
        (1800, True, False, "", True),
    ],
    ids=["said yes", "said nothing", "--yes", "no terminal", "half an hour"],
)
def test_above_an_hour_somebody_at_a_terminal_is_asked(
    seconds: float, terminal: bool, yes: bool, answer: str, starts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    shown = Stream()
    monkeypatch.setattr("sys.stdin", Stream(answer))
    monkeypatch.setattr("sys.stderr", shown)
    assert _confirmed(Forecast(seconds, 20.0, 1.1, "a guess"), Namespace(yes=yes)) == starts
    assert "expected: about" in shown.getvalue() and "20 Wh" in shown.getvalue()
    assert ("start? [y/N]" in shown.getvalue()) == (seconds > 3600 and terminal and not yes)


def test_a_search_that_nobody_confirms_leaves_nothing(checkpoints: dict[str, Path], text: Path, tmp_path: Path) -> None:
    forecasts: list[Forecast] = []

    def no(found: Forecast) -> bool:
        forecasts.append(found)
        return False

    with pytest.raises(advisor.AdviseError, match="the search was not started"):
        advisor.search(
            checkpoints["bert"], data=text, device="cpu", budget="3trials", out=tmp_path / "out", min_accuracy=0.5,
            progress=False, record=False, confirm=no,
        )  # fmt: skip
    assert forecasts[0].seconds > 0 and not (tmp_path / "out").exists()


def test_settings_that_no_recipe_takes_are_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["search", "--model", "gone", "--data", "gone", "--device", "cpu", "--budget", "1h"]
    asked += ["--out", str(tmp_path / "out"), "--prefix", "summarize: "]
    given = ["--training", "image_size=big", "--training", "beam=2", "--task", "summarization"]
    assert main([*asked, *given]) == 2
    said = capsys.readouterr().err
    assert "training.image_size: input should be a valid integer, got 'big'" in said and "did you mean 'beams'?" in said
    assert main([*asked, "--training", "beams=2", "--training", "beams=4", "--task", "summarization"]) == 2
    assert "--training beams: given 2 times" in capsys.readouterr().err
    assert main([*asked, "--training", "image_size=56", "--task", "text-classification"]) == 2
    said = capsys.readouterr().err
    assert "training.image_size" in said and "data.prefix" in said and not (tmp_path / "out").exists()


def test_a_setting_of_training_and_a_prefix_reach_every_recipe() -> None:
    rows = DataSource(task="summarization", prefix="summarize: ")
    asked = question(core(), Stated(rows, 30_000, 2_000, None), Goal(0.5), "cpu", "t5")
    found = _space(asked, settings({"beams": 2}, rows))
    assert {(one.recipe.training.beams, one.recipe.data.prefix) for one in found.every} == {(2, "summarize: ")}


def test_the_space_is_that_of_the_model_as_the_task_uses_it(tmp_path: Path) -> None:
    """Sounds are classified by Whisper's encoder alone, which rules judge as an encoder."""
    data = perceived.sounds(tmp_path / "data", each=12)
    rows = DataSource(str(data), task="audio-classification")
    asked = question(core(), Stated(rows, None, None, None), Goal(0.5), "cpu", "whisper")
    assert (asked.facts.model.kind, asked.facts.model.decoder_layers) == ("encoder", 0)
    assert asked.facts.data.labels == 3
    assert {one.choices["layers"] for one in _space(asked, {}).places} == {None, 3}, "a quarter of its layers may go"
    towers = question(core(), Stated(rows, None, None, None), Goal(0.5), "cpu", "clip")
    assert {one.choices["layers"] for one in _space(towers, {}).every} == {None}, "steps cannot name them"


def learned(folder: Path) -> tuple[Path, Path]:
    """A tiny model that knows its task, so that few rows suffice, and 300 rows to train on, 450 to report on."""
    many, recipe = tiny.write_rows(folder / "many", tiny.lines(4_500), shares=(8, 9)), folder / "learn.yaml"
    recipe.write_text(
        "version: 1\nname: learn\nmodel: {source: gone, family: bert}\ndevice: edge\nsteps:\n"
        "  - finetune: {epochs: 2, learning_rate: 2.0e-3}\ntraining: {batch_size: 64, max_tokens: 24}\n"
    )
    out, data = folder / "learned", folder / "few"
    given = ["--model", str(tiny.checkpoint("bert", folder / "bert")), "--data", str(many), "--out", str(out)]
    assert main(["run", str(recipe), *given, "--no-ledger"]) == 0
    data.mkdir()
    for name, count in (("train", 300), ("validation", 200), ("test", 450)):
        lines = (many / f"{name}.jsonl").read_text().splitlines(keepends=True)
        (data / f"{name}.jsonl").write_text("".join(lines[:count]))
    return out / "steps" / "0-finetune", data


@pytest.mark.slow
def test_what_a_search_leaves_passes_check_and_gate_also_with_other_goals_and_the_ledger_learns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """450 report rows are enough for a gate."""
    monkeypatch.setenv("ADVISE_LEDGER", str(tmp_path / "ledger.sqlite"))
    model, data = learned(tmp_path)
    out = tmp_path / "out"
    asked = [*command(model, data, out, "0.5"), "1trials"]
    code = main([*asked, "--min-accuracy", "0.5"])
    why = folder.read(out).trials[0].why
    if "disturbed" in why:
        pytest.skip(f"this machine is too busy: {why}")
    assert code == 0, capsys.readouterr()
    assert main([*asked, "--min-accuracy", "0.6", "--resume"]) == 0, capsys.readouterr()
    (point,) = folder.read(out).front
    assert point.met and load(out / point.recipe)[0].goal.relative_accuracy == ">= 0.6"
    assert main(["check", str(out / point.recipe)]) == 0
    runs = [out / seed.folder for seed in point.seeds]
    for run in (*runs, runs[0].parent):
        assert main(["gate", str(run)]) == 0, capsys.readouterr()
    assert advisor.load(runs[0])(["import os"])[0].label
    capsys.readouterr()
    assert main(["history", "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(runs) == 3


@pytest.mark.slow
def test_a_full_disk_ends_a_search_in_words_and_resume_goes_on(
    checkpoints: dict[str, Path], text: Path, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = small_disk / "out"
    asked = [*command(checkpoints["bert"], text, out), "2trials", "--min-accuracy", "0.5", "--max-samples", "60"]
    assert main([*asked, "--no-ledger"]) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert "the disk is full" in shown and "--resume" in shown and "Traceback" not in shown
    there = {file.name for file in (out / "store").glob("*.json")}
    subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)
    assert main([*asked, "--no-ledger", "--resume"]) in (0, 1)
    found = folder.read(out)
    assert len(found.trials) == 2 and all(one.rungs[-1].share == "1" for one in found.trials)
    assert there <= {file.name for file in (out / "store").glob("*.json")}, "finished steps are kept"


@pytest.mark.slow
def test_a_language_model_is_searched(tmp_path: Path) -> None:
    """Its rows have no classes, and nobody knows beforehand what it keeps."""
    torch.manual_seed(0)
    sizes = {"vocab_size": tiny.VOCABULARY, "pad_token_id": 0, **tiny.SIZES["gpt2"]}
    model, out = tmp_path / "model", tmp_path / "out"
    AutoModelForCausalLM.from_config(AutoConfig.for_model("gpt2", **sizes)).save_pretrained(model)
    tiny.tokenizer("gpt2").save_pretrained(model)
    data = tiny.write_rows(tmp_path / "data", [{"text": row["text"]} for row in tiny.docstrings()])
    asked = [*command(model, data, out), "1trials", "--task", "text-generation", "--min-accuracy", "0.5", "--no-ledger"]
    assert main([*asked, "--max-samples", "60"]) in (0, 1)
    found = folder.read(out)
    assert [one.share for one in found.trials[0].rungs][-1] == "1"
    assert all(main(["check", str(out / point.recipe)]) == 0 for point in found.front)
