"""`advise check` on 1,000 recipes: cold processes, in turn with only loading the same files with ruamel's C parser.

Command: python bench/check.py (about a minute). Bars: at most 1.0 s as text where nothing is kept from before ("cold"),
at most 0.3 s where nothing changed since ("again"). The recipes are made anew from a fixed seed: four
families, eight amounts of data, four devices, cuts of every depth; about half of them break rules.
"""

from __future__ import annotations

import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

RECIPES, ROUNDS = 1_000, 5
ADVISE = ["-c", "from advisor.cli import main; raise SystemExit(main())", "check"]
LOAD = """
import sys
from pathlib import Path
from ruamel.yaml import YAML
for file in sorted(Path(sys.argv[1]).iterdir()):
    YAML(typ="safe").load(file.read_bytes())
"""
MODELS = {"bert": "google-bert/bert-base-uncased", "gpt2": "openai-community/gpt2", "opt": "facebook/opt-125m"}


def recipe(number: int, dice: random.Random) -> str:
    """One recipe as YAML, as people write them."""
    family = dice.choice([*MODELS, "t5"])
    keep = dice.randint(2, 13)
    kept = f"encoder_keep: {keep}, decoder_keep: {dice.randint(2, 12)}" if family == "t5" else f"keep: {keep}"
    steps = ["finetune: {epochs: 3, learning_rate: 5.0e-5}"]
    steps += [f"layer_removal: {{{kept}}}"] * (dice.random() < 0.8)
    steps += ["distillation: {temperature: 2.0, soft_weight: 0.9, epochs: 9}"] * (dice.random() < 0.8)
    sizes = f"hidden_size: {dice.choice([384, 448, 450, 512])}, intermediate_size: {dice.choice([1536, 1792, 2048])}"
    steps += [f"matrix_pruning: {{{sizes}, increments: {dice.choice([2, 4, 8])}}}"] * (dice.random() < 0.3)
    steps += ["quantization: {bits: 8}"] * (dice.random() < 0.5)
    samples = dice.choice([500, 3_000, 3_700, 9_999, 10_000, 25_000, 67_000, 390_000])
    lines = [
        f"# recipe {number}, made for the bench",
        f"version: 1\nname: recipe-{number}",
        f"model: {{source: {MODELS.get(family, 'google-t5/t5-base')}, family: {family}}}",
        f"data: {{source: data/{number % 7}, task: text-classification, samples: {samples}, eval_samples: 2000}}",
        f"device: {dice.choice(['cpu', 'cpu', 'edge', 'cuda'])}",
        f'goal: {{relative_accuracy: ">= {dice.choice(["0.85", "0.90", "0.95"])}"}}',
        "steps:",
        *(f"  - {step}" for step in steps),
    ]
    return "\n".join(lines) + "\n"


class Cost(NamedTuple):
    """What one process took, in seconds: by the clock, and of a core."""

    wall: float
    cpu: float


def cost(arguments: list[str], environment: dict[str, str]) -> tuple[Cost, str]:
    """What one process took and the last line that it says. It must end with 0, or with 1 for findings."""
    before, begun = os.times(), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False)
    wall, after = time.perf_counter() - begun, os.times()
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    cpu = sum(after[2:4]) - sum(before[2:4])
    return Cost(wall, cpu), " ".join(done.stderr.splitlines()[-2:])


def main() -> None:
    """Measure and print."""
    dice = random.Random(0)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cache:
        for number in range(RECIPES):
            (Path(folder) / f"{number:04}.yaml").write_text(recipe(number, dice))
        environment = {**os.environ, "XDG_CACHE_HOME": cache, "PYTHONPATH": str(Path(__file__).parents[1])}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        cases = {"load only": ["-c", LOAD, folder]}
        for form in ("concise", "text", "json", "sarif"):
            cases[f"{form}, cold"] = cases[f"{form}, again"] = [*ADVISE, folder, "--format", form]
        cost(cases["text, cold"], environment)  # the pack is validated once and remembered
        taken: dict[str, list[Cost]] = {name: [] for name in cases}
        said = ""
        for _ in range(ROUNDS):
            for name, arguments in cases.items():
                if name.endswith("cold"):
                    shutil.rmtree(Path(cache) / "advise" / "findings")
                one, last = cost(arguments, environment)
                taken[name].append(one)
                said = last or said
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{machine}, Python {platform.python_version()}: {said}")
    for name, costs in taken.items():
        ratio = statistics.median(one.cpu / base.cpu for one, base in zip(costs, taken["load only"], strict=True))
        walls, cpus = ([one[place] for one in costs] for place in (0, 1))
        print(
            f"{name:<16} median {statistics.median(walls):.2f} s (quickest {min(walls):.2f} s), of a core "
            f"{statistics.median(cpus):.2f} s (least {min(cpus):.2f} s), {ratio:.2f} of load only"
        )


if __name__ == "__main__":
    main()
