"""`advise check` on 1,000 recipes: cold processes, in turn with only loading the same files with ruamel's C parser.

Command: python bench/check.py (about a minute). Bar: at most 1.5 s. The recipes are made anew from a fixed seed: four
families, eight amounts of data, four devices, cuts of every depth; about half of them break rules.
"""

from __future__ import annotations

import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RECIPES, ROUNDS = 1_000, 10
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
        f"data: {{source: data/{number % 7}, task: classification, samples: {samples}, eval_samples: 2000}}",
        f"device: {dice.choice(['cpu', 'cpu', 'edge', 'cuda'])}",
        f'goal: {{relative_accuracy: ">= {dice.choice(["0.85", "0.90", "0.95"])}"}}',
        "steps:",
        *(f"  - {step}" for step in steps),
    ]
    return "\n".join(lines) + "\n"


def seconds(arguments: list[str], environment: dict[str, str]) -> tuple[float, str]:
    """Wall time of one process and the last line that it says."""
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False)
    taken = time.perf_counter() - begun
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return taken, (done.stderr.splitlines() or [""])[-1]


def main() -> None:
    """Measure and print."""
    dice = random.Random(0)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cache:
        for number in range(RECIPES):
            (Path(folder) / f"{number:04}.yaml").write_text(recipe(number, dice))
        environment = {**os.environ, "XDG_CACHE_HOME": cache, "PYTHONPATH": str(Path(__file__).parents[1])}
        cases = {"load only": ["-c", LOAD, folder]}
        for form in ("concise", "text", "json", "sarif"):
            cases[f"check, {form}"] = [*ADVISE, folder, "--format", form]
        seconds(cases["check, concise"], environment)  # the pack is validated once and remembered
        taken: dict[str, list[float]] = {name: [] for name in cases}
        said = ""
        for _ in range(ROUNDS):
            for name, arguments in cases.items():
                time_, last = seconds(arguments, environment)
                taken[name].append(time_)
                said = last or said
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{machine}, Python {platform.python_version()}: {said}")
    for name, values in taken.items():
        paired = [ours / theirs for ours, theirs in zip(values, taken["load only"], strict=True)]
        ratio = f"{statistics.median(paired):.2f} of load only"
        print(f"{name:<16} median {statistics.median(values):.2f} s, quickest {min(values):.2f} s, {ratio}")


if __name__ == "__main__":
    main()
