"""What a run must never do: read pickles, execute what comes with a model, write outside of its folder."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny
import torch

from advisor.cli import main

STEPS = "  - finetune: {epochs: 1, learning_rate: 2.0e-3}\n"
INT8 = "  - quantization: {}\n"
CODE = (
    "from pathlib import Path\nfrom transformers import PreTrainedTokenizerFast\n"
    "Path({trace!r}).write_text('executed')\n\n\nclass Own(PreTrainedTokenizerFast):\n    pass\n"
)


def run(model: Path, text: Path, folder: Path, *more: str, steps: str = STEPS) -> int:
    file = folder / "recipe.yaml"
    file.write_text(
        f"version: 1\nname: safe\nmodel: {{source: gone, family: bert}}\ndevice: edge\n"
        f"steps:\n{steps}training: {{batch_size: 64, max_tokens: 16}}\n"
    )
    arguments = [
        "run",
        str(file),
        "--model",
        str(model),
        "--data",
        str(text),
        "--no-ledger",
        "--measure-seconds",
        "0.5",
    ]
    return main([*arguments, "--out", str(folder / "out"), *more])


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors"])
def test_pickled_weights_are_refused_and_not_even_opened(
    name: str, checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unpickling these would leave a trace."""
    model, trace = tmp_path / "model", tmp_path / "trace"
    shutil.copytree(checkpoints["bert"], model)
    (model / "model.safetensors").unlink()

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(trace),)

    torch.save({"bert.embeddings.word_embeddings.weight": torch.zeros(2)}, model / name)
    (model / name).write_bytes(pickle.dumps(Evil()))
    assert run(model, text, tmp_path) == 2
    shown = capsys.readouterr().err
    assert str(model) in shown and "cannot be loaded: its weights are a pickle" in shown
    assert "no pickled weights" in shown and "Traceback" not in shown
    assert not trace.exists()
    assert not (tmp_path / "out").exists()


def test_code_that_comes_with_a_tokenizer_runs_only_when_it_is_trusted(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    model, trace = tmp_path / "model", tmp_path / "trace"
    shutil.copytree(checkpoints["bert"], model)
    (model / "own.py").write_text(CODE.format(trace=str(trace)))
    config = json.loads((model / "tokenizer_config.json").read_text())
    config |= {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": [None, "own.Own"]}}
    (model / "tokenizer_config.json").write_text(json.dumps(config))
    assert run(model, text, tmp_path, "--out", str(tmp_path / "untrusted")) == 0  # by transformers' own class
    assert not trace.exists()
    assert run(model, text, tmp_path, "--trust-remote-code") in (0, 4)
    assert trace.read_text() == "executed"
    (model / "tokenizer.json").rename(model / "tokens.json")  # now there is no way without the code
    assert run(model, text, tmp_path, "--out", str(tmp_path / "never")) == 2
    assert "Traceback" not in capsys.readouterr().err
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["provenance"]["trust_remote_code"] is True


def listing(folder: Path) -> set[Path]:
    """All that is below a folder, but for what tests that run beside this one and git may write."""
    others = {"__pycache__", ".git", ".hypothesis", ".pytest_cache"}
    return {path for path in folder.rglob("*") if not others & set(path.parts)}


def test_a_run_writes_below_its_folder_alone(checkpoints: dict[str, Path], text: Path, tmp_path: Path) -> None:
    """Home, temporary and working folder are watched; the cache of valid rule packs is the one that may grow."""
    places = {name: tmp_path / name for name in ("home", "temporary", "work", "cache")}
    for place in places.values():
        place.mkdir()
    file, out = tmp_path / "recipe.yaml", tmp_path / "out"
    file.write_text(
        f"version: 1\nname: safe\nmodel: {{source: {json.dumps(str(checkpoints['bert']))}}}\ndevice: edge\n"
        f"steps:\n{STEPS}{INT8}training: {{batch_size: 64, max_tokens: 16}}\n"
    )
    checkout = Path(__file__).parents[2]
    before = listing(checkout)
    command = [
        sys.executable,
        str(checkout / "cli.py"),
        "run",
        str(file),
        "--data",
        str(text),
        "--no-ledger",
        "--measure-seconds",
        "0.5",
    ]
    ended = subprocess.run(
        [*command, "--out", str(out)],
        cwd=places["work"],
        env={"PATH": os.environ["PATH"], "HOME": str(places["home"]), "TMPDIR": str(places["temporary"]),
             "XDG_CACHE_HOME": str(places["cache"]), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode in (0, 4), ended.stderr
    assert (out / "manifest.json").exists()
    for name in ("home", "temporary", "work"):
        assert list(places[name].rglob("*")) == [], name
    assert [path.name for path in places["cache"].iterdir()] == ["advise"]
    assert listing(checkout) == before


def test_a_run_that_is_terminated_leaves_nothing_but_its_folder(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path
) -> None:
    temporary, out = tmp_path / "temporary", tmp_path / "out"
    temporary.mkdir()
    (tmp_path / "recipe.yaml").write_text(
        f"version: 1\nname: safe\nmodel: {{source: {json.dumps(str(checkpoints['bert']))}}}\ndevice: edge\n"
        "steps:\n  - finetune: {epochs: 1000}\ntraining: {max_tokens: 16}\n"
    )
    command = [sys.executable, "-m", "advisor", "run", str(tmp_path / "recipe.yaml"), "--data", str(text)]
    command += ["--out", str(out), "--checkpoint-seconds", "0"]
    work = subprocess.Popen(command, env={**os.environ, "TMPDIR": str(temporary)}, stderr=subprocess.DEVNULL)
    while not list(out.glob(".state/*/training.json")):
        assert work.poll() is None, "it ended before it could be terminated"
        time.sleep(0.05)
    work.terminate()
    assert work.wait(60) == 128 + signal.SIGTERM
    assert not list(temporary.iterdir())
    assert not (out / ".lock").exists()


def test_tokens_beyond_the_model_are_refused_before_anything_is_written(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tiny.checkpoint("bert", tmp_path / "model", vocab_size=100), text, tmp_path) == 2
    assert "numbered up to 399" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
