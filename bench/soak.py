"""Soak: kills, runs at the same time, and ten thousand recipes in one process.

Command: python bench/soak.py kills|together|recipes [--count N] [--state FOLDER]
Expected: an hour or two for 1,000 kills, minutes for the other two. Every tenth batch of 50 kills is of a run in two
processes, where an attempt takes half a minute instead of a second. `kills` goes on where it stopped, from its state
folder (default: runs/soak). Bar: no run ends otherwise than an undisturbed one, no record is lost, and memory does not
grow.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

CHECKOUT = Path(__file__).parents[1]
sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "tests" / "support")]  # this checkout, whatever is installed

STEPS = (
    "  - finetune: {epochs: 2, learning_rate: 2.0e-3}\n  - layer_removal: {keep: 2}\n  - distillation: {epochs: 2}\n"
    "  - matrix_pruning: {hidden_size: 24, heads: 2, intermediate_size: 48}\n  - quantization: {}\n"
)
BATCH = 50  # kills of one run until it may end
TOGETHER = 10  # every so many batches one is of a run in two processes
GROWTH = 1.05  # memory after the last recipes, as a share of that after the first tenth
TWO = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


class State:
    """What was done, in a file of the state folder that is written after each piece of work."""

    def __init__(self, folder: Path, part: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / f"{part}.json"
        self.values: dict[str, Any] = json.loads(self.file.read_text()) if self.file.is_file() else {"done": 0}

    def add(self, count: int, **more: Any) -> None:
        self.values |= {"done": self.values["done"] + count, **more}
        draft = self.file.with_suffix(".draft")
        draft.write_text(json.dumps(self.values))
        draft.replace(self.file)
        print(self.values, flush=True)


def kills(count: int, folder: Path) -> None:
    """Kill a run of all step kinds again and again, and compare what it ends with to an undisturbed one's."""
    recipe, state = _recipe(folder), State(folder, "kills")
    for processes in (1, 2):
        _whole(recipe, folder / f"whole-{processes}", processes)
    while state.values["done"] < count:
        number = state.values.get("batches", 0)
        out, wanted = folder / f"killed-{number}", min(BATCH, count - state.values["done"])
        processes = 2 if number % TOGETHER == TOGETHER - 1 else 1
        done = _killed(recipe, out, wanted, number) if processes == 1 else _killed_together(recipe, out, wanted, number)
        _compare(out, folder / f"whole-{processes}")
        shutil.rmtree(out)
        state.add(done, batches=number + 1)


def _recipe(folder: Path) -> Path:
    import tiny

    file = folder / "recipe.yaml"
    if not file.is_file():
        model, text = tiny.checkpoint("bert", folder / "model"), tiny.write_rows(folder / "text")
        file.write_text(
            f"version: 1\nname: soak\nmodel: {{source: {json.dumps(str(model))}}}\n"
            f"data: {{source: {json.dumps(str(text))}}}\ndevice: edge\n"
            f"steps:\n{STEPS}training: {{batch_size: 16, max_tokens: 16}}\n"
        )
    return file


def _command(recipe: Path, out: Path, processes: int) -> list[str]:
    run = ["-m", "advisor", "run", str(recipe), "--out", str(out), "--no-ledger", "--train-on", "cpu"]
    run += ["--policy", str(CHECKOUT / "bench" / "measuring")]
    run += ["--checkpoint-seconds", "0", *(["--resume"] if out.is_dir() else [])]
    return [sys.executable, *(TWO if processes == 2 else ()), *run]


def _whole(recipe: Path, out: Path, processes: int) -> None:
    if not (out / "manifest.json").is_file():
        ended = subprocess.run(_command(recipe, out, processes), env=_environment(), check=False)
        assert ended.returncode in (0, 4), ended.returncode


def _killed(recipe: Path, out: Path, wanted: int, seed: int) -> int:
    """By forks of one process that has prepared the run, so that an attempt takes a second."""
    settings = {"recipe": str(recipe), "out": str(out), "kills": wanted, "seed": seed, "changes": 60, "seconds": 4.0}
    script = CHECKOUT / "tests" / "support" / "killed.py"
    command = [sys.executable, str(script), json.dumps(settings)]
    ended = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout.split()[-1])


def _killed_together(recipe: Path, out: Path, wanted: int, seed: int) -> int:
    """Launcher and both processes at once, after a random time."""
    random_, done = random.Random(seed), 0
    while True:
        work = subprocess.Popen(_command(recipe, out, 2), env=_environment(), stderr=subprocess.DEVNULL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = work.wait(random_.uniform(5, 40) if done < wanted else None)
            assert code in (0, 4), code
            return done
        _kill(work)
        done += 1


def _kill(work: subprocess.Popen[bytes]) -> None:
    """A launcher and its processes, which torch puts into sessions of their own: what is left would hold the lock."""
    launcher = psutil.Process(work.pid)
    all_ = [launcher, *launcher.children(recursive=True)]
    for one in all_:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    work.wait()
    psutil.wait_procs(all_)


def _compare(out: Path, whole: Path) -> None:
    for name in ("predictions.json", "answers.json"):
        assert (out / name).read_bytes() == (whole / name).read_bytes(), f"{out / name} is not as in {whole}"
    left = [path for path in out.rglob("*") if path.name.startswith(".") and path.name not in (".files.json", ".lock")]
    assert not left, left


def together(count: int, folder: Path) -> None:
    """Record as many runs at the same time in one ledger, each from a process of its own."""
    import small_runs

    from advisor.runs import ledger

    file = folder / f"together-{time.time_ns()}.sqlite"
    environment = {**_environment(), "ADVISE_LEDGER": str(file)}
    runs = [folder / f"run-{number}" for number in range(count)]
    for number, run in enumerate(runs):
        if not run.is_dir():
            small_runs.write(run, name=f"run-{number}", seed=number)
    begun = time.monotonic()
    work = [
        subprocess.Popen([sys.executable, "-m", "advisor", "history", "add", str(r)], env=environment) for r in runs
    ]
    codes = [one.wait() for one in work]
    assert not any(codes), codes
    os.environ["ADVISE_LEDGER"] = str(file)
    assert len(ledger.find()) == count, len(ledger.find())
    State(folder, "together").add(count, seconds=round(time.monotonic() - begun, 1))


def recipes(count: int, folder: Path) -> None:
    """Check and advise on different recipes in one process, and watch its memory."""
    from advisor.cli import main

    state, file = State(folder, "recipes"), folder / "one.yaml"
    texts = [path.read_text() for path in sorted((CHECKOUT / "recipes").glob("*.yaml"))]
    sizes: dict[int, int] = {}
    for number in range(1, count + 1):
        random_ = random.Random(number)
        file.write_text(
            f"{random_.choice(texts)}# {number}\n".replace("samples: ", f"samples: {random_.randint(1, 9)}")
        )
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            main(["check", str(file)])
            samples = str(random_.randint(100, 10**6))
            main(["--model", random_.choice(["bert", "gpt2", "t5"]), "--samples", samples, "--device", "cpu"])
        if number % max(1, count // 10) == 0:
            sizes[number] = _resident()
            state.add(count // 10, kilobytes=sizes)
    first, last = sizes[min(sizes)], sizes[max(sizes)]
    assert last <= first * GROWTH, f"memory grew from {first:,} to {last:,} kB"


def _resident() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def _environment() -> Mapping[str, str]:
    return {**os.environ, "PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1"}


PARTS = {"kills": (kills, 1_000), "together": (together, 100), "recipes": (recipes, 10_000)}


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("part", choices=PARTS)
    reader.add_argument("--count", type=int)
    reader.add_argument("--state", type=Path, default=CHECKOUT / "runs" / "soak")
    given = reader.parse_args()
    work, usual = PARTS[given.part]
    work(given.count or usual, given.state.absolute())


if __name__ == "__main__":
    main()
