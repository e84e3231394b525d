"""`advise rules verify`: whole cold processes on the core pack, and the proofs of a large generated pack.

Command: python bench/verify.py [RULES] (about a minute). Bars: core at most 0.5 s; 200 rules on 20 facts at most 5 s.
"""

from __future__ import annotations

import os
import platform
import random
import statistics
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

from advisor.policy.pack import Policy
from advisor.policy.rule import Rule, from_value
from advisor.proofs.advice_passes_check import prove
from advisor.recipe.recipe import PolicyStamp

ROUNDS = 10
ADVISE = ["-c", "from advisor.cli import main; raise SystemExit(main())", "rules", "verify"]
SEEDS = (1, 2, 3)
NUMBERS = {
    "data.samples": (100, 100_000),
    "data.unlabelled_samples": (100, 200_000),
    "data.distillation_texts": (200, 300_000),
    "data.eval_samples": (50, 5_000),
    "data.labels": (2, 500),
    "data.mean_tokens": (10, 400),
    "model.layers": (2, 48),
    "model.hidden_size": (128, 4_096),
    "model.heads": (2, 32),
    "model.vocabulary": (5_000, 250_000),
    "model.embedding_share": (0.05, 0.6),
    "device.memory_gb": (1, 64),
    "device.compute_capability": (6, 9),
    "goal.relative_accuracy": (0.7, 1.0),
    "goal.relative_emissions": (0.1, 0.9),
    "goal.size_mb": (10, 2_000),
}
WORDS = {
    "device.kind": ("cpu", "cuda", "mps", "edge"),
    "data.task": ("text-classification", "token-classification", "summarization"),
    "model.family": ("bert", "gpt2", "t5", "opt", "roberta", "distilbert"),
    "model.source": ("google-bert/*", "facebook/*", "openai-community/*", "*-large"),
}
STEPS = ("layer_removal", "distillation", "matrix_pruning", "quantization")
SETTINGS = ("distillation.epochs", "matrix_pruning.increments", "layer_removal.removed_share")


def generated(count: int, seed: int, calm: bool = False) -> Policy:
    """A pack of so many rules on 20 facts, each with one to three tests, of every kind of effect.

    calm: rules that never contradict each other, as in a pack that people keep: nothing required, refused or preferred.
    """
    chance = random.Random(seed)
    rules = tuple(_rule(chance, number, calm) for number in range(count))
    return Policy(PolicyStamp(f"generated-{seed}", "1", "0" * 64), rules, {})


def _rule(chance: random.Random, number: int, calm: bool) -> Rule:
    tests = [_test(chance) for _ in range(chance.randint(1, 3))]
    when = {"any" if chance.random() < 0.2 else "all": tests}
    value = {"id": f"r{number:03}", "title": "generated", "origin": "R99", "confidence": "low", "because": "why"}
    then = _effect(chance, number, calm)
    severity = chance.choice(["warning", "note"] if calm and "warn" in then else ["error", "warning", "note"])
    value |= {"severity": severity, "when": when, "then": then}
    evidence = {"source": "s", "at": "p. 1", "says": "so", "strength": "paper"}
    return from_value(value | {"evidence": [evidence], "examples": {"fires": [{"device": "cpu"}]}}, f"r{number}.yaml")


def _test(chance: random.Random) -> dict[str, Any]:
    name = chance.choice([*NUMBERS, *WORDS])
    if name in WORDS:
        test: dict[str, Any] = {name: chance.sample(WORDS[name], chance.randint(1, 2))}
        return {"not": test} if chance.random() < 0.3 else test
    low, high = NUMBERS[name]
    cut = round(chance.uniform(low, high), 2) if isinstance(high, float) else chance.randint(low, int(high))
    return {name: f"{chance.choice(['<', '<=', '>', '>='])} {cut}"}


def _effect(chance: random.Random, number: int, calm: bool) -> dict[str, Any]:
    others = [] if calm else ["require", "deny" if number % 7 == 0 else "prefer"]
    kind = chance.choice(["forbid", "forbid", "limit", "warn", *others])
    step, setting = chance.choice(STEPS), chance.choice(SETTINGS)
    return {
        "forbid": {"forbid": [step]},
        "require": {"require": [step]},
        "limit": {"limit": {setting: "<= 0.5" if setting.endswith("share") else f">= {chance.randint(1, 9)}"}},
        "warn": {"warn": f"warning {number}"},
        "deny": {"deny": f"refused {number}"},
        "prefer": {"prefer": {"distillation.epochs": chance.randint(1, 12)}},
    }[kind]


def main() -> None:
    """Measure and print."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    whole, proofs = [], []
    for _ in range(ROUNDS + 1):
        begun = time.perf_counter()
        done = subprocess.run([sys.executable, *ADVISE], check=True, capture_output=True, text=True, env=environment)
        whole.append(time.perf_counter() - begun)
        proofs.append(float(done.stderr.split(" in ")[1].split()[0]))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{machine}, Python {platform.python_version()}: {done.stderr.split(' in ')[0]}")
    for name, seconds in {"whole process": whole[1:], "the proofs": proofs[1:]}.items():
        print(f"{name:<14} median {statistics.median(seconds):.2f} s, quickest {min(seconds):.2f} s")
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    for seed, calm in product(SEEDS, (True, False)):
        made, begun = generated(count, seed, calm), time.process_time()
        verdicts = [(proof.verdict, len(proof.refutations), len(proof.undecided)) for proof in prove(made)]
        took = time.process_time() - begun
        print(f"{count} {'calm' if calm else 'wild'} rules, seed {seed}: {took:.2f} s of processor time; {verdicts}")


if __name__ == "__main__":
    main()
