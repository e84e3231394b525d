"""Several processes carry one run out: one writes, all train (`torchrun`, which `accelerate launch` uses on GPUs)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tiny

STEPS = """\
  - finetune: {epochs: 2, learning_rate: 2.0e-3}
  - layer_removal: {keep: 3}
  - distillation: {epochs: 2, learning_rate: 1.0e-3}
  - matrix_pruning: {hidden_size: 42, intermediate_size: 72, increments: 8, epochs: 2, learning_rate: 1.0e-3}
  - quantization: {}
"""
POLICY = """\
name: loose
version: "1"
description: The core pack without what forbids so much on so little data.
extends: [core]
disable: {mid-large-data-levels: a test, small-data-few-layers: a test}
"""
OF_T5 = STEPS.replace("keep: 3", "encoder_keep: 3, decoder_keep: 2").replace("hidden_size", "heads: 7, hidden_size")


def launched(folder: Path, family: str, text: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """A recipe of all kinds of steps by two processes on the CPU."""
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
    run = ["-m", "advisor", "run", str(folder / "recipe.yaml"), "--out", str(folder / "out"), "--no-ledger",
           "--policy", str(folder / "policy")]  # fmt: skip
    places = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1]), "NO_COLOR": "1", "COLUMNS": "160"}
    command = [*launcher, *run, "--train-on", "cpu", *more]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **places}, check=False, timeout=300
    )


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
    assert not list((folder / "out").rglob(".*")), "neither the lock nor the state of training stays"


def test_what_is_done_is_taken_over_by_both(
    ran: tuple[Path, subprocess.CompletedProcess[str]], text: Path, tmp_path: Path
) -> None:
    shutil.copytree(ran[0] / "out", tmp_path / "out")
    (tmp_path / "out" / "steps" / "3-matrix_pruning.json").unlink()
    ended = launched(tmp_path, "bert", text, "--resume")
    # What comes out the same, as it does in two processes too, changes nothing after it.
    assert ended.stderr.count("taken over from the run before") == 4, ended.stderr[-3000:]


def test_an_expected_error_is_said_once(text: Path, tmp_path: Path) -> None:
    ended = launched(tmp_path, "bert", tmp_path / "missing")
    assert ended.returncode != 0
    assert sum(line.startswith("advise: ") for line in ended.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_every_family_is_trained_by_two_processes(family: str, text: Path, tmp_path: Path) -> None:
    ended = launched(tmp_path, family, text)
    assert (tmp_path / "out" / "manifest.json").exists(), ended.stderr[-3000:]
