"""The targets of compression quality: relative accuracy after the white paper's levels, with settings named below.

Command: python bench/targets.py [--seeds 3] [--only "a third"] [--task cola] (it goes on where it was killed; `--show`
prints what is measured so far). Expected for each seed on one core with bf16: about an hour and a half for SST-2, half
an hour to one for each of MRPC and CoLA. Two commands of one thread each (OMP_NUM_THREADS=1, another --task or --only)
get through a third more than one of two threads. Results: bench/results/targets.jsonl.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tasks import Task
from trials import HERE, Arm, Line, Trial, options, results, run, table

FILE = HERE / "results" / "targets.jsonl"
LARGE, SMALL = Task("sst2", 10_000), (Task("mrpc", epochs=4, rate=1e-4), Task("cola", epochs=4, rate=1e-4))
RATE = "learning_rate: 3.0e-4"


def distil(epochs: int) -> str:
    """Distillation as a line of YAML."""
    return f"distillation: {{epochs: {epochs}, {RATE}}}"


NARROW = f"matrix_pruning: {{hidden_size: 224, intermediate_size: 896, epochs: 4, hidden_weight: 10.0, {RATE}}}"
TWO_THIRDS = Arm("two thirds", ("layer_removal: {keep: 8}", distil(4)))
OF_SMALL = Arm("two thirds of small data", ("layer_removal: {keep: 8}", distil(5)))
A_THIRD = Arm("a third and narrow", ("layer_removal: {keep: 4}", distil(8), NARROW))


class Target(NamedTuple):
    """A bound on the relative accuracy after one step of an arm."""

    words: str
    arm: Arm
    task: Task
    step: str
    least: float


TARGETS = (
    Target("SST-2, 8 of 12 layers", TWO_THIRDS, LARGE, "distillation", 0.99),
    Target("SST-2, 4 of 12 layers", A_THIRD, LARGE, "distillation", 0.95),
    Target("SST-2, 4 of 12 layers, width 224 (23.7 %)", A_THIRD, LARGE, "matrix_pruning", 0.92),
    Target("MRPC, 8 of 12 layers", OF_SMALL, SMALL[0], "distillation", 0.95),
    Target("CoLA, 8 of 12 layers", OF_SMALL, SMALL[1], "distillation", 0.95),
)


def main() -> None:
    """Measure what is not measured yet, and print all."""
    given = options(__doc__)
    arms = dict.fromkeys((target.arm, target.task) for target in TARGETS)
    run([Trial(arm, task, seed) for seed in range(given.seeds) for arm, task in arms], FILE, given)
    table(_lines())


def _lines() -> Iterator[Line]:
    for target in TARGETS:
        mine = results(FILE, target.arm, target.task)
        yield target.words, [one["steps"][target.step]["relative"] for one in mine], f"target {target.least:.2f}"


if __name__ == "__main__":
    main()
