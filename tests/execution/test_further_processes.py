"""Several processes carry one run out: one writes, all train (`torchrun`, which `accelerate launch` uses on GPUs)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny
from limited import long_texts

STEPS = """\
  - finetune: {epochs: 1, learning_rate: 2.0e-3}
  - layer_removal: {keep: 3}
  - distillation: {epochs: 1, learning_rate: 1.0e-3}
  - matrix_pruning: {hidden_size: 42, intermediate_size: 72, increments: 2, epochs: 1, learning_rate: 1.0e-3}
  - quantization: {}
"""
POLICY = """\
name: loose
version: "1"
description: The core pack without what forbids so much on so little data.
extends: [core]
disable:
  mid-large-data-levels: a test
  small-data-few-layers: a test
  gpt2-layers-only: a test
  gradual-width: a test
  t5-small-data-no-prune: a test
"""
OF_T5 = STEPS.replace("keep: 3", "encoder_keep: 3, decoder_keep: 2").replace("hidden_size", "heads: 7, hidden_size")


SECOND_LIMITED = """\
import os, sys
from contextlib import nullcontext
from advisor.cli import main
from limited import limited
with limited(200_000_000) if os.environ["RANK"] == "1" else nullcontext():
    sys.exit(main(sys.argv[1:]))
"""


def command(folder: Path, family: str, text: Path, *more: str) -> list[str]:
    """Two processes on the CPU for a recipe of all kinds of steps."""
    heads = {"num_heads": 8, "d_kv": 6} if family == "t5" else {"num_attention_heads": 8}
    model = tiny.checkpoint(family, folder / "model", **heads if family != "gpt2" else {"n_head": 8})
    (folder / "recipe.yaml").write_text(
        f"version: 1\nname: two\nmodel: {{source: {json.dumps(str(model))}}}\n"
        f"data: {{source: {json.dumps(str(text))}}}\ndevice: edge\n"
        f"steps:\n{OF_T5 if family == 't5' else STEPS}training: {{batch_size: 16, max_tokens: 48}}\n"
    )
    (folder / "policy").mkdir(exist_ok=True)
    (folder / "policy" / "pack.yaml").write_text(POLICY)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    run = [
        "-m",
        "advisor",
        "run",
        str(folder / "recipe.yaml"),
        "--out",
        str(folder / "out"),
        "--no-ledger",
        "--measure-seconds",
        "0.5",
    ]
    return [*launcher, *run, "--policy", str(folder / "policy"), "--train-on", "cpu", *more]


def environment() -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": root, "NO_COLOR": "1", "COLUMNS": "160"}


def launched(folder: Path, family: str, text: Path, *more: str) -> subprocess.CompletedProcess[str]:
    given = command(folder, family, text, *more)
    return subprocess.run(given, capture_output=True, text=True, env=environment(), check=False, timeout=300)


@pytest.fixture(scope="module")
def ran(text: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder with a run of BERT, and what its processes said."""
    folder = tmp_path_factory.mktemp("ran")
    return folder, launched(folder, "bert", text)


def test_two_processes_train_and_one_reports(ran: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, ended = ran
    report = json.loads((folder / "out" / "report.json").read_text())
    assert [step["name"] for step in report["steps"]] == [
        "finetune", "layer_removal", "distillation", "matrix_pruning", "quantization",
    ]  # fmt: skip
    assert ended.stdout.count("% Accuracy") == 1, "one report"
    left = {path.name for path in (folder / "out").rglob(".*")}
    assert left == {".files.json"}, "neither the lock nor the state of training stays"


@pytest.mark.slow
def test_what_is_done_is_taken_over_by_both(
    ran: tuple[Path, subprocess.CompletedProcess[str]], text: Path, tmp_path: Path
) -> None:
    shutil.copytree(ran[0] / "out", tmp_path / "out")
    (tmp_path / "out" / "steps" / "3-matrix_pruning.json").unlink()
    ended = launched(tmp_path, "bert", text, "--resume")
    # What comes out the same, as it does in two processes too, changes nothing after it.
    assert ended.stderr.count("reused from the earlier run") == 4, ended.stderr[-3000:]


def test_an_expected_error_is_said_once(text: Path, tmp_path: Path) -> None:
    ended = launched(tmp_path, "bert", tmp_path / "missing")
    assert ended.returncode != 0
    assert sum(line.startswith("advise: ") for line in ended.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_every_family_is_trained_by_two_processes(family: str, text: Path, tmp_path: Path) -> None:
    ended = launched(tmp_path, family, text)
    assert (tmp_path / "out" / "manifest.json").exists(), ended.stderr[-3000:]


@pytest.mark.slow
def test_a_given_student_with_tokens_of_its_own_is_trained_by_two_processes(text: Path, tmp_path: Path) -> None:
    given = command(tmp_path, "bert", text)
    student = students_folder(tmp_path / "student")
    recipe = tmp_path / "recipe.yaml"
    training = "training: {batch_size: 16, max_tokens: 48, joined_texts: 20}\n"
    recipe.write_text(
        f"{recipe.read_text().partition('steps:')[0]}steps:\n  - finetune: {{epochs: 2, learning_rate: 2.0e-3}}\n"
        f"  - distillation: {{student: {json.dumps(str(student))}, epochs: 2, learning_rate: 2.0e-3}}\n"
        f"  - quantization: {{}}\n{training}"
    )
    ended = subprocess.run(given, capture_output=True, text=True, env=environment(), check=False, timeout=300)
    assert (tmp_path / "out" / "manifest.json").exists(), ended.stderr[-3000:]
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [one["words"] for one in report["steps"]] == ["fine-tuned", "distilled into student", "int8"]
    assert any("other tokens" in note for note in report["steps"][1]["notes"])
    assert report["steps"][1]["parameters"] == report["steps"][1]["predicted_parameters"]
    record = tmp_path / "out" / "steps" / "1-distillation.json"
    made = json.loads(record.read_text())["files"]
    record.unlink()
    ended = subprocess.run([*given, "--resume"], capture_output=True, text=True, env=environment(), check=False)
    # The same student comes out where both begin with the same head and take the same steps.
    assert json.loads(record.read_text())["files"] == made and "int8: reused" in ended.stderr, ended.stderr[-3000:]


def students_folder(folder: Path) -> Path:
    """A narrow DistilBERT whose tokens are single bytes, which those of `tiny` never are."""
    tiny.checkpoint("distilbert", folder, n_layers=2, dim=24, hidden_dim=48)
    file = folder / "tokenizer.json"
    found = json.loads(file.read_text())
    found["model"]["merges"] = []
    file.write_text(json.dumps(found))
    return folder


@pytest.mark.slow
def test_several_seeds_by_two_processes(text: Path, tmp_path: Path) -> None:
    ended = launched(tmp_path, "bert", text, "--seeds", "2")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["seeds"] == [0, 1], ended.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of one process")
def test_memory_that_a_further_process_lacks_is_told_and_the_first_does_not_wait(text: Path, tmp_path: Path) -> None:
    given = command(tmp_path, "opt", long_texts(text, tmp_path / "long.jsonl"))
    (tmp_path / "second.py").write_text(SECOND_LIMITED)
    at = given.index("-m", 3)
    given[at : at + 2] = [str(tmp_path / "second.py")]
    recipe = tmp_path / "recipe.yaml"
    whole = recipe.read_text()
    recipe.write_text(whole.replace("batch_size: 16, max_tokens: 48", "batch_size: 1000, max_tokens: 1024"))
    support = str(Path(__file__).parents[1] / "support")
    tests = {**environment(), "PYTHONPATH": os.pathsep.join([environment()["PYTHONPATH"], support])}
    ended = subprocess.run(given, capture_output=True, text=True, env=tests, check=False, timeout=300)
    assert "advise: " in ended.stderr and "not enough memory for batches of 1,000 rows" in ended.stderr
    assert "internal error" not in ended.stderr
    recipe.write_text(whole)
    assert "% Accuracy" in launched(tmp_path, "opt", tmp_path / "long.jsonl", "--resume").stdout


@pytest.mark.slow
def test_two_processes_killed_while_they_train_go_on_where_they_were(text: Path, tmp_path: Path) -> None:
    given = command(tmp_path, "bert", text, "--checkpoint-seconds", "0")
    work = subprocess.Popen(given, stderr=subprocess.DEVNULL, env=environment(), start_new_session=True)
    state = tmp_path / "out" / ".state" / "3-matrix_pruning" / "training.json"
    while not state.exists():
        assert work.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    os.killpg(work.pid, signal.SIGKILL)
    subprocess.run(["pkill", "-KILL", "-f", str(tmp_path / "recipe.yaml")], check=False)  # in sessions of their own
    work.wait()
    ended = launched(tmp_path, "bert", text, "--resume")
    assert "training resumes where it stopped" in ended.stderr, ended.stderr[-3000:]
    assert (tmp_path / "out" / "manifest.json").exists()
