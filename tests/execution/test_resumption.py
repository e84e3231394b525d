"""Killed at any moment and resumed, a run ends as if it had never been interrupted; nothing is done twice or lost."""

from __future__ import annotations

import errno
import gc
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from transformers import PreTrainedModel

from advisor.base.errors import AdviseError
from advisor.cli import main
from advisor.execution import executor
from advisor.execution.job import Job, prepare
from advisor.execution.resumption import cost_of
from advisor.execution.run_inputs import changed_since
from advisor.execution.text_lengths import follow
from advisor.inspection import probe
from advisor.inspection.recipe_data import read_data
from advisor.policy.pack import core
from advisor.recipe.reader import load
from advisor.records.measuring import Measuring
from advisor.records.results import CONSTANT_GATES, Progress, Remark, RunResult, StepResult

TIMED = re.compile("a short trial|int8 is slower than fp32")  # notes on the int8 model's time
SHARED = Path(__file__).parents[3] / "shared"
TIMES = {"seconds", "finished", "cost", "payback"}
FIRST = "  - finetune: {epochs: 1}\n"
STEPS = (
    "  - finetune: {epochs: 2, learning_rate: 2.0e-3}\n  - layer_removal: {keep: 3}\n"
    "  - distillation: {epochs: 2, learning_rate: 1.0e-3}\n"
)
NARROW = (
    "  - finetune: {epochs: 1, learning_rate: 2.0e-3}\n  - layer_removal: {keep: 3}\n"
    "  - distillation: {epochs: 1, learning_rate: 1.0e-3}\n"
    "  - matrix_pruning: {hidden_size: 42, intermediate_size: 72, increments: 8, epochs: 2, learning_rate: 1.0e-3}\n"
)
INT8 = "  - quantization: {}\n"


def recipe(folder: Path, model: Path, text: Path, steps: str, batch: int = 32, max_samples: int = 1000) -> Path:
    file = folder / "recipe.yaml"
    file.write_text(
        f"version: 1\nname: killed\nmodel: {{source: {json.dumps(str(model))}}}\n"
        f"data: {{source: {json.dumps(str(text))}, max_samples: {max_samples}}}\ndevice: edge\n"
        f"steps:\n{steps}training: {{batch_size: {batch}, max_tokens: 16}}\n"
    )
    return file


def killed(file: Path, out: Path, kills: int, whole: Path, seed: int = 0, **more: float) -> int:
    """Run until it ends; returns how many times it was killed. whole: where it is run once without.

    more: changes, seconds, save_every.
    """
    settings = {"recipe": str(file), "out": str(out), "whole": str(whole), "kills": kills, "seed": seed}
    settings |= {"changes": 60, "seconds": 3.0, **more}
    command = [sys.executable, str(Path(__file__).parents[1] / "support" / "killed.py"), json.dumps(settings)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TRANSFORMERS_VERBOSITY": "error"}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return int(ended.stdout.splitlines()[-1])


def timeless(value: Any) -> Any:
    """A report without what depends on the clock."""
    if isinstance(value, dict):
        return {key: timeless(one) for key, one in value.items() if key not in TIMES}
    if isinstance(value, list):
        return [timeless(one) for one in value if not (isinstance(one, str) and TIMED.search(one))]
    return value


def assert_equal_runs(one: Path, other: Path) -> None:
    """The same files, weights bit by bit, and the same report but for times."""
    files = [sorted({path.relative_to(out) for path in out.rglob("*")} - {Path("README.md")}) for out in (one, other)]
    assert files[0] == files[1]
    for name in files[0]:
        if name.parts[0] == "steps" and len(name.parts) > 2 and (one / name).is_file():
            assert (one / name).read_bytes() == (other / name).read_bytes(), name
    for name in ("recipe.yaml", "facts.json", "predictions.json", "answers.json"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    reports = [timeless(json.loads((out / "report.json").read_text())) for out in (one, other)]
    assert reports[0] == reports[1]


def job(file: Path) -> Job:
    written, document = load(file)
    found, data = follow(written, document, probe.model(written.model.source), read_data(written), False)
    return replace(prepare(core(), found, document, data, Path(), "cpu"), measuring=Measuring(0.1))


def carried_out(file: Path, out: Path, resume: bool = True) -> list[str]:
    """Run to the end; returns the remarks."""
    events = list(executor.run(job(file), out, resume=resume, save_every=0))
    assert isinstance(events[-1], RunResult)
    return [event.text for event in events if isinstance(event, Remark)]


def stopped(file: Path, out: Path, label: str, done: int) -> None:
    """Run until so many batches of a step are done, and no further."""
    work = executor.run(job(file), out, resume=True, save_every=0)
    for event in work:
        if isinstance(event, Progress) and (event.label, event.done) == (label, done):
            return
    raise AssertionError(f"{label} {done} never came")


def flip(file: Path) -> None:
    """Turn one bit in the middle of a file."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


@pytest.fixture
def file(checkpoints: dict[str, Path], text: Path, tmp_path: Path) -> Path:
    return recipe(tmp_path, checkpoints["bert"], text, STEPS)


@pytest.fixture(scope="session")
def whole(checkpoints: dict[str, Path], text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run of the same recipe."""
    folder = tmp_path_factory.mktemp("whole")
    carried_out(recipe(folder, checkpoints["bert"], text, STEPS), folder / "out", resume=False)
    return folder / "out"


@pytest.fixture
def finished(whole: Path, tmp_path: Path) -> Path:
    """A copy of that run, to go on with."""
    return Path(shutil.copytree(whole, tmp_path / "out"))


@pytest.fixture(scope="session")
def stopped_run(checkpoints: dict[str, Path], text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run as it is when nine batches are distilled."""
    folder = tmp_path_factory.mktemp("stopped")
    stopped(recipe(folder, checkpoints["bert"], text, STEPS), folder / "out", "distil", 9)
    return folder / "out"


@pytest.fixture
def begun(stopped_run: Path, tmp_path: Path) -> Path:
    """A copy of the stopped run, to go on with."""
    return Path(shutil.copytree(stopped_run, tmp_path / "out"))


def cut(file: Path) -> None:
    """Leave the beginning of a file."""
    file.write_bytes(file.read_bytes()[:100])


# Killed -------------------------------------------------------------------------------------------


def test_a_run_killed_again_and_again_ends_as_if_it_had_not_been(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path
) -> None:
    file = recipe(tmp_path, checkpoints["bert"], text, STEPS + INT8)
    assert killed(file, tmp_path / "killed", kills=5, whole=tmp_path / "whole", changes=25, seconds=1.5) == 5
    assert_equal_runs(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.slow
def test_a_real_run_is_killed_and_resumed(tmp_path: Path) -> None:
    if not SHARED.is_dir():
        pytest.skip(f"no real model and data at {SHARED}")
    model, text = SHARED / "models" / "e5-small-en-12l", SHARED / "data" / "sst2"
    steps = (
        "  - finetune: {epochs: 1}\n  - layer_removal: {keep: 4, choose: importance}\n"
        "  - distillation: {epochs: 2, learning_rate: 3.0e-4}\n  - quantization: {min_relative_accuracy: 0.9}\n"
    )
    file = recipe(tmp_path, model, text, steps, max_samples=1500)
    whole = tmp_path / "whole"
    assert killed(file, tmp_path / "killed", kills=8, whole=whole, changes=40, seconds=60, save_every=5) == 8
    assert_equal_runs(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.slow
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_every_family_is_killed_at_many_moments_within_pruning_too(family: str, text: Path, tmp_path: Path) -> None:
    heads = {"num_heads": 8, "d_kv": 6} if family == "t5" else {"num_attention_heads": 8}
    model = tiny.checkpoint(family, tmp_path / "model", **heads if family != "gpt2" else {"n_head": 8})
    steps = NARROW.replace("keep: 3", "encoder_keep: 3, decoder_keep: 2") if family == "t5" else NARROW
    steps = steps.replace("hidden_size", "heads: 7, hidden_size") if family == "t5" else steps
    file = recipe(tmp_path, model, text, steps + INT8)
    for seed in range(3):
        out = tmp_path / f"killed-{seed}"
        assert killed(file, out, kills=40, whole=tmp_path / "whole", seed=seed, changes=25, seconds=2.0) >= 20
        assert_equal_runs(tmp_path / "whole", out)


# Taken over, or done again ------------------------------------------------------------------------


def test_training_goes_on_in_the_middle(file: Path, whole: Path, begun: Path) -> None:
    out = begun
    state = out / ".state" / "2-distillation"
    assert json.loads((state / "training.json").read_text())["position"]["done"] == 9
    assert {path.suffix for path in state.iterdir()} == {".json", ".safetensors"}
    assert carried_out(file, out) == [
        "fine-tuned: reused from the earlier run",
        "3 layers: reused from the earlier run",
        "distilled: training resumes where it stopped",
    ]
    assert_equal_runs(whole, out)
    assert not (out / ".state").exists() and not (out / ".lock").exists()


@pytest.mark.slow
def test_training_that_goes_on_with_other_threads_says_so(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    stopped(file, out, "fine-tune", 3)
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        remarks = carried_out(file, out)
    finally:
        torch.set_num_threads(threads)
    told = (
        f"resumes where it stopped, with {threads + 1} threads instead of {threads}: the weights will differ slightly"
    )
    assert told in remarks[0]


@pytest.mark.slow
def test_pruning_goes_on_with_the_channels_that_are_left(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path
) -> None:
    """The teacher's hidden states are compared on these: after the second cut they are neither all nor the first."""
    steps = NARROW.replace("hidden_size: 42", "hidden_size: 24").replace("increments: 8", "increments: 2")
    file = recipe(tmp_path, checkpoints["bert"], text, steps, batch=8)
    carried_out(file, tmp_path / "whole")
    stopped(file, tmp_path / "out", "prune and distil", 18)
    state = json.loads((tmp_path / "out" / ".state" / "3-matrix_pruning" / "training.json").read_text())
    assert state["position"]["stage"] == 1 and state["position"]["config"]["hidden_size"] == 24
    assert carried_out(file, tmp_path / "out")[-1] == "matrix pruning: training resumes where it stopped"
    assert_equal_runs(tmp_path / "whole", tmp_path / "out")


def test_the_choice_of_layers_goes_on_where_it_was(checkpoints: dict[str, Path], text: Path, tmp_path: Path) -> None:
    steps = STEPS.replace("keep: 3", "keep: 2, choose: importance")
    file = recipe(tmp_path, checkpoints["bert"], text, steps)
    carried_out(file, tmp_path / "whole")
    stopped(file, tmp_path / "out", "choose layers", 1)
    remarks = carried_out(file, tmp_path / "out")
    assert remarks[1] == "2 layers: the choice of layers resumes where it stopped"
    assert_equal_runs(tmp_path / "whole", tmp_path / "out")


def test_the_teacher_answers_within_the_step_that_learns_from_it(file: Path, tmp_path: Path) -> None:
    """Else its time is taken for that of the removal of layers, and what is left for hours."""
    labels = [event.label for event in executor.run(job(file), tmp_path / "out") if isinstance(event, Progress)]
    order = list(dict.fromkeys(labels))
    assert order.index("remove layers") < order.index("teacher") < order.index("distil")


def test_no_teacher_stays_in_memory_after_its_step(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor where its states fit in no file, so that it is asked with every batch."""
    file = recipe(tmp_path, checkpoints["bert"], text, STEPS, batch=64)
    monkeypatch.setattr("advisor.execution.memory.for_states", lambda plan: 0)
    before, there = frozen(), []
    for event in executor.run(job(file), tmp_path / "out"):
        if isinstance(event, Progress) and event.label == "distil":
            there.append(frozen())
        if isinstance(event, StepResult) and event.name == "distillation":
            there.append(frozen())
    assert there[-1] == before < min(there[:-1])  # other tests may hold models of their own


def frozen() -> int:
    """How many models in memory do not learn."""
    gc.collect()
    models = [one for one in gc.get_objects() if isinstance(one, PreTrainedModel)]
    return sum(not any(weight.requires_grad for weight in one.parameters()) for one in models)


@pytest.mark.slow
def test_other_texts_to_distil_on_leave_the_teacher_as_it_is(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    file.write_text(file.read_text().replace("max_tokens: 16", "max_tokens: 64"))  # joined texts have to fit
    carried_out(file, out)
    file.write_text(file.read_text().replace("training: {", "training: {joined_texts: 0, "))
    assert carried_out(file, out) == [
        "fine-tuned: reused from the earlier run",
        "3 layers: reused from the earlier run",
        "distilled: it is repeated because the further texts to distil on changed",
    ]


def test_a_changed_recipe_repeats_what_depends_on_the_change(file: Path, finished: Path, tmp_path: Path) -> None:
    out = finished
    kept = {name: (out / "steps" / name).stat().st_ino for name in ("0-finetune", "1-layer_removal")}
    first = cost_of(out / "steps" / "2-distillation")
    file.write_text(file.read_text().replace("distillation: {epochs: 2", "distillation: {epochs: 1"))
    assert carried_out(file, out) == [
        "fine-tuned: reused from the earlier run",
        "3 layers: reused from the earlier run",
        "distilled: it is repeated because its settings changed",
    ]
    assert kept == {name: (out / "steps" / name).stat().st_ino for name in kept}
    both = cost_of(out / "steps" / "2-distillation")  # what was thrown away was emitted all the same
    assert first and both and both.g_co2.value > first.g_co2.value and "discarded attempt" in both.g_co2.source
    file.write_text(file.read_text().replace("  - layer_removal: {keep: 3}\n", ""))
    assert carried_out(file, out) == [
        "fine-tuned: reused from the earlier run",
        "removed 1-layer_removal, which is no longer in the recipe",
        "removed 2-distillation, which is no longer in the recipe",
    ]
    carried_out(file, tmp_path / "fresh")
    assert_equal_runs(tmp_path / "fresh", out)


def test_other_gates_alone_only_make_another_report(file: Path, finished: Path) -> None:
    out = finished
    file.write_text(file.read_text() + 'gates: {relative_accuracy: ">= 0.5"}\n')
    *reused, why = carried_out(file, out)
    assert [remark.partition(": ")[2] for remark in reused] == ["reused from the earlier run"] * 3
    assert why == "the models are measured again because the recipe changed"
    names = [*CONSTANT_GATES, "relative_accuracy"]
    assert [gate["name"] for gate in json.loads((out / "report.json").read_text())["gates"]] == names


def test_a_finished_run_is_shown_again_and_left_alone(file: Path, finished: Path) -> None:
    out = finished
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert carried_out(file, out)[-1] == "nothing has changed since this run finished"
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_finished_run_whose_data_lie_elsewhere_now_is_left_alone(
    file: Path, text: Path, finished: Path, tmp_path: Path
) -> None:
    edit(file, str(text), str(shutil.copytree(text, tmp_path / "moved")))
    assert carried_out(file, finished)[-1] == "nothing has changed since this run finished"


def test_a_finished_run_whose_model_has_another_licence_now_is_reported_again(
    file: Path, checkpoints: dict[str, Path], finished: Path, tmp_path: Path
) -> None:
    model = Path(shutil.copytree(checkpoints["bert"], tmp_path / "model"))
    (model / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    edit(file, str(checkpoints["bert"]), str(model))
    assert carried_out(file, finished)[-1] == "the models are measured again because the facts changed"
    assert json.loads((finished / "facts.json").read_text())["model.licence"] == "cc-by-nc-4.0"


def test_texts_that_differ_where_the_model_does_not_read_them_are_other_data(
    file: Path, text: Path, finished: Path, tmp_path: Path
) -> None:
    moved = Path(shutil.copytree(text, tmp_path / "moved"))
    rows = [json.loads(line) for line in (moved / "train.jsonl").read_text().splitlines()]
    longest = max(rows, key=lambda row: len(row["text"].split()))
    longest["text"] += " and so on"
    (moved / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    edit(file, str(text), str(moved))
    assert carried_out(file, finished)[-1] == "the models are measured again because the data changed"


def test_a_recipe_of_a_run_that_is_none_today_is_another_one(file: Path, finished: Path) -> None:
    edit(finished / "recipe.yaml", "version: 1", "version: 1\nunheard_of: 1")
    (found,) = changed_since(job(file), finished)
    assert found == "the recipe"


def test_a_finished_run_that_is_measured_again_stays_one_until_it_is(file: Path, finished: Path) -> None:
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file() and path.name != ".lock"}
    edit(file, "device: edge", "device: cpu")
    events = executor.run(job(file), finished, resume=True)
    next(event for event in events if isinstance(event, Progress) and event.label == "measure")
    events.close()
    left = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file() and path.name != ".lock"}
    assert left == before


@pytest.mark.parametrize("damage", [flip, *(pytest.param(one, marks=pytest.mark.slow) for one in (cut, Path.unlink))])
def test_a_damaged_step_is_done_again_and_the_ones_after_it_are_not(
    file: Path, whole: Path, finished: Path, damage: Any
) -> None:
    """It comes out the same, so what was made of it still holds."""
    out = finished
    damage(out / "steps" / "1-layer_removal" / "model.safetensors")
    assert carried_out(file, out) == [
        "fine-tuned: reused from the earlier run",
        "3 layers: it is repeated because model.safetensors changed on disk",
        "distilled: reused from the earlier run",
    ]
    assert_equal_runs(whole, out)


@pytest.mark.parametrize("name", ["state", pytest.param("training.json", marks=pytest.mark.slow)])
def test_damaged_training_state_is_noticed_and_begun_anew(file: Path, whole: Path, begun: Path, name: str) -> None:
    out = begun
    (damaged,) = (out / ".state" / "2-distillation").glob(f"{name}*")
    flip(damaged) if name == "state" else damaged.write_text("{")
    told = carried_out(file, out)[-1]
    assert told == f"distilled: training starts over: its saved state is damaged ({damaged.name})"
    assert_equal_runs(whole, out)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_a_record_that_was_edited_is_not_believed(file: Path, whole: Path, finished: Path) -> None:
    out = finished
    edit(out / "steps" / "1-layer_removal.json", '"scores": [[', '"scores": [[0.5, 0.5], [')
    assert carried_out(file, out)[1] == "3 layers: it is repeated because its record 1-layer_removal.json is damaged"
    assert_equal_runs(whole, out)


@pytest.mark.parametrize("done", ["999", pytest.param('"x"', marks=pytest.mark.slow)])
def test_a_position_that_was_edited_is_not_believed(file: Path, whole: Path, begun: Path, done: str) -> None:
    out = begun
    edit(out / ".state" / "2-distillation" / "training.json", '"done": 9', f'"done": {done}')
    told = carried_out(file, out)[-1]
    assert told == "distilled: training starts over: its saved state is damaged (training.json)"
    assert_equal_runs(whole, out)


@pytest.mark.parametrize(
    ("name", "damage"),
    [("report.json", flip), ("report.json", cut), ("predictions.json", Path.unlink), ("manifest.json", cut)],
)
def test_a_finished_run_whose_files_were_changed_is_measured_again(
    file: Path, whole: Path, finished: Path, name: str, damage: Any
) -> None:
    out = finished
    damage(out / name)
    assert carried_out(file, out)[-1] == f"the models are measured again because {name} changed on disk"
    assert_equal_runs(whole, out)


def test_other_assumptions_about_emissions_make_another_report(file: Path, finished: Path) -> None:
    out = finished
    arguments = ["run", str(file), "--out", str(out), "--resume", "--no-ledger", "--country", "DEU", "--pue", "2"]
    assert main(arguments) in (0, 4)
    assumed = json.loads((out / "report.json").read_text())["provenance"]["assumed"]
    assert (assumed["country"], assumed["pue"]) == ("DEU", 2)


def test_another_measurement_makes_another_report(file: Path, finished: Path) -> None:
    out = finished
    arguments = ["run", str(file), "--out", str(out), "--resume", "--no-ledger", "--requests", "5000"]
    assert main([*arguments, "--measure-seconds", "0.2"]) == 0
    report = json.loads((out / "report.json").read_text())
    measuring = report["provenance"]["measuring"]
    assert measuring == {"seconds": 0.2, "power_log": "", "protocol": "", "requests": 5000}
    net = report["net_saving"]
    assert net["source"].startswith("5,000 requests emit") or net["why_not"]


def test_another_config_of_the_same_weights_is_another_model(text: Path, tmp_path: Path, checkpoints: Any) -> None:
    out, model = tmp_path / "out", tmp_path / "model"
    shutil.copytree(checkpoints["bert"], model)
    file = recipe(tmp_path, model, text, FIRST)
    carried_out(file, out)
    edit(model / "config.json", '"hidden_act": "gelu"', '"hidden_act": "relu"')
    assert carried_out(file, out)[0] == "fine-tuned: it is repeated because the model before it changed"
    assert json.loads((out / "steps" / "0-finetune" / "config.json").read_text())["hidden_act"] == "relu"


# In the way ---------------------------------------------------------------------------------------


def test_two_runs_do_not_share_a_folder(checkpoints: dict[str, Path], text: Path, tmp_path: Path) -> None:
    file, out = recipe(tmp_path, checkpoints["bert"], text, FIRST), tmp_path / "out"
    first = executor.run(job(file), out, save_every=0)
    next(first)
    with pytest.raises(AdviseError, match=rf"another run is using this folder \(process {os.getpid()}\)"):
        next(executor.run(job(file), out, resume=True))
    first.close()  # type: ignore[attr-defined]
    (out / ".lock").write_text("1")  # left by a process that was killed; process 1 still lives, and does not hold it
    carried_out(file, out)


def test_a_folder_that_is_taken_is_not_touched(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    stopped(file, out, "fine-tune", 3)
    with pytest.raises(AdviseError, match=r"is not empty\n  try: .*to go on with the run there, add --resume"):
        next(executor.run(job(file), out))
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    with pytest.raises(AdviseError, match="there is no run to resume here"):
        next(executor.run(job(file), other, resume=True))
    assert [path.name for path in other.iterdir()] == ["thesis.txt"]


def test_data_that_has_vanished_loses_nothing(
    file: Path, whole: Path, text: Path, begun: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = begun
    before = sorted(out.rglob("*"))
    text.rename(text.with_name("elsewhere"))
    try:
        assert main(["run", str(file), "--out", str(out), "--resume"]) == 2
    finally:
        text.with_name("elsewhere").rename(text)
    shown = capsys.readouterr().err
    assert f"{text}: no such file or folder" in shown and "Traceback" not in shown
    assert sorted(out.rglob("*")) == before
    assert main(["run", str(file), "--out", str(out), "--resume"]) in (0, 4)
    assert_equal_runs(whole, out)


def test_a_folder_that_has_become_read_only_is_told(
    file: Path, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert main(["run", str(file), "--out", str(small_disk), "--resume"]) == 2
    assert f"{small_disk}: cannot be written to" in " ".join(capsys.readouterr().err.split())


def test_a_full_disk_is_told_and_loses_nothing(
    file: Path, whole: Path, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = small_disk / "out"
    arguments = ["run", str(file), "--out", str(out), "--resume", "--checkpoint-seconds", "0"]
    assert main(arguments) == 2
    shown = capsys.readouterr().err
    assert "the disk is full" in shown and "run the same command with --resume" in shown and "Traceback" not in shown
    assert not (out / "manifest.json").exists()
    subprocess.run(["mount", "-o", "remount,size=50m", small_disk], check=True)
    assert main(arguments) in (0, 4)
    assert_equal_runs(whole, out)


def full(disk: Path) -> Path:
    """Leave no room on a disk; returns what takes it."""
    filler = disk / "filler"
    with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler


def test_a_full_disk_with_seeds_is_told_as_for_one_run(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recipe(tmp_path, checkpoints["bert"], text, FIRST)
    out = small_disk / "out"
    arguments = ["run", str(file), "--out", str(out), "--resume", "--no-ledger", "--seeds", "1"]
    filler = full(small_disk)
    for _ in range(2):  # the folder is let go of
        assert main(arguments) == 2
        assert capsys.readouterr().err.count("the disk is full") == 1
        assert not out.exists() or not list(out.rglob("*"))
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=50m", small_disk], check=True)
    assert main(arguments) in (0, 4)
    (out / "report.json").unlink()
    filler = full(small_disk)
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert "the disk is full" in told and "run the same command with --resume" in told
    filler.unlink()
    assert main(arguments) in (0, 4) and (out / "report.json").exists()


@pytest.mark.parametrize("more", [(), ("--seeds", "2")])
def test_a_lock_that_a_full_disk_cannot_hold_is_let_go_of(
    file: Path, tmp_path: Path, more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def write(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("advisor.execution.resumption.os.write", write)
    for _ in range(2):
        assert main(["run", str(file), "--out", str(tmp_path / "out"), *more]) == 2
        assert capsys.readouterr().err.count("the disk is full: [Errno 28] No space left on device") == 1
        assert not (tmp_path / "out").exists()
