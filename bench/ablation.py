"""Ablation: what each choice of the compression is worth, one change at a time, on real text.

Command: python bench/ablation.py [--small] [--seeds 3] [--only top]. It goes on where it was killed; `--show` prints
what is measured so far. Data: 10,000 rows of SST-2; with --small MRPC, 3,668 rows. Expected (reckoned from the pace of
single steps): with --small about five minutes for each arm and seed on two free cores with bf16, else about a quarter
of an hour, and as much again for the teacher of each seed. Results: bench/results/ablation.jsonl.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from trials import HERE, Arm, Line, Task, Trial, options, results, run, table

FILE = HERE / "results" / "ablation.jsonl"
EPOCHS = 5
NARROW = "matrix_pruning: {hidden_size: 224, intermediate_size: 896, epochs: 6}"


def removal(choose: str = "alternate", keep: int = 4) -> str:
    """Layer removal as a line of YAML."""
    return f"layer_removal: {{keep: {keep}, choose: {choose}}}"


def distil(soft: float = 0.9, hidden: float = 1.0) -> str:
    """Distillation as a line of YAML."""
    return f"distillation: {{epochs: {EPOCHS}, soft_weight: {soft}, hidden_weight: {hidden}}}"


ARMS = {
    "losses": (
        Arm("labels alone", (removal(), distil(0.0, 0.0))),
        Arm("scores", (removal(), distil(0.9, 0.0))),
        Arm("scores and hidden states", (removal(), distil())),
        Arm("hidden states ten times", (removal(), distil(hidden=10.0))),
    ),
    "layers": (
        Arm("top", (removal("top"), distil())),
        Arm("importance", (removal("importance"), distil())),
        Arm("8 alternate", (removal(keep=8), distil())),
        Arm("8 top", (removal("top", 8), distil())),
        Arm("8 importance", (removal("importance", 8), distil())),
    ),
    "order": (
        Arm("layers before matrices", (removal(), distil(), NARROW)),
        Arm("matrices before layers", (NARROW, removal(), distil())),
    ),
}


def main() -> None:
    """Measure what is not measured yet, and print all."""
    small = "--small" in sys.argv and not sys.argv.remove("--small")
    given, task = options(__doc__), Task("mrpc", epochs=4, rate=1e-4) if small else Task("sst2", 10_000)
    arms = [arm for group in ARMS.values() for arm in group]
    run([Trial(arm, task, seed) for arm in arms for seed in range(given.seeds)], FILE, given)
    for what, group in ARMS.items():
        print(f"\n{what}, {task.key}: relative accuracy")
        table(_lines(group, task, results(FILE)))


def _lines(group: Sequence[Arm], task: Task, found: Sequence[dict[str, Any]]) -> Iterator[Line]:
    for arm in group:
        mine = [one for one in found if (one["arm"], one["task"]) == (arm.name, task.key)]
        last = [list(one["steps"].values())[-1] for one in mine]
        size = f"{last[0]['size']:.1%} of the size" if last else ""
        yield arm.name, [one["relative"] for one in last], size


if __name__ == "__main__":
    main()
