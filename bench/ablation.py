"""Ablation: what each choice of the compression is worth, one change at a time, on real text.

Command: python bench/ablation.py [--small] [--seeds 3] [--only top], after bench/targets.py, one of whose runs it takes
further. It goes on where it was killed; `--show` prints what is measured so far. Data: 10,000 rows of SST-2; with
--small MRPC, 3,668 rows. Fewer epochs than the rules advise, and no joined texts but in the arms that are about them or
take a run further (MRPC's pairs are not joined, so these are left out there). Expected on one core with bf16: four to
ten minutes for each arm and seed of SST-2, five to twenty of MRPC, an hour for those after bench/targets.py, and eleven
for the teacher of each seed. Results: bench/results/ablation.jsonl.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import targets
from tasks import Task
from trials import HERE, Arm, Line, Trial, options, results, run, table

from advisor.compute.structure.proven import structure_of
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.training import gradual_pruning
from advisor.compute.training.context import Context

FILE = HERE / "results" / "ablation.jsonl"
EPOCHS = 3
RATE = "learning_rate: 3.0e-4"
NARROW = "hidden_size: 224, intermediate_size: 896"  # of 384 and 1,536
ONE_CUT = f"{NARROW}, increments: 1"  # instead of eight


def removal(choose: str = "alternate", keep: int = 4) -> str:
    """Layer removal as a line of YAML."""
    return f"layer_removal: {{keep: {keep}, choose: {choose}}}"


def distil(soft: float = 0.9, hidden: float = 10.0, epochs: int = EPOCHS) -> str:
    """Distillation as a line of YAML."""
    return f"distillation: {{epochs: {epochs}, soft_weight: {soft}, hidden_weight: {hidden}, {RATE}}}"


def narrow(hidden: float = 0.0, rate: str = RATE, epochs: int = EPOCHS, sizes: str = NARROW) -> str:
    """Matrix pruning as a line of YAML."""
    return f"matrix_pruning: {{{sizes}, epochs: {epochs}, hidden_weight: {hidden}, {rate}}}"


@contextmanager
def weight_size() -> Iterator[None]:
    """Units are chosen by the squares of their weights, which needs no data, instead of by their importance."""

    def squares(student: Scorer, context: Context) -> gradual_pruning.Scores:
        for weight in student.parameters():
            weight.grad = weight.detach().clone()
        found = gradual_pruning._changes(student, structure_of(student.model))
        student.zero_grad(set_to_none=True)
        return found

    with patch.object(gradual_pruning, "importance", squares):
        yield


class Row(NamedTuple):
    """A line of a table: an arm, after one of its steps. file: where its results are; made here where it is FILE."""

    words: str
    arm: Arm
    step: str = "distillation"
    file: Path = FILE


def arm(name: str, *steps: str) -> Arm:
    """Steps without joined texts, which would hide what they cost."""
    return Arm(name, steps, joined=0)


def row(name: str, *steps: str) -> Row:
    """An arm of its own name, after its distillation."""
    return Row(name, arm(name, *steps))


ALTERNATE = arm("4 alternate", removal(), distil(), narrow())
# All 12 layers at 3e-4 end by answering the same to every row.
REVERSE = arm("matrices before layers", narrow(rate="learning_rate: 1.0e-4"), removal(), distil())
BY_STATES = Arm("4 alternate by states", (removal(), distil(), narrow(10.0)), joined=0, goes_on=ALTERNATE.name)
IN_ONE_CUT = (removal(), distil(), narrow(10.0, sizes=ONE_CUT))
CUT_ONCE = Arm("4 alternate in one cut", IN_ONE_CUT, joined=0, goes_on=BY_STATES.name)
BY_SIZE = Arm("4 alternate in one cut by weight size", IN_ONE_CUT, 0, goes_on=BY_STATES.name, within=weight_size)
LONG = targets.A_THIRD
LONG_BY_SCORES = Arm(f"{LONG.name} by scores", (*LONG.steps[:2], narrow(epochs=4)), goes_on=LONG.name)
CHOICES = (
    ALTERNATE,
    arm("4 top", removal("top"), distil()),
    arm("4 importance", removal("importance"), distil()),
    arm("8 alternate", removal(keep=8), distil(epochs=2)),
    arm("8 importance", removal("importance", 8), distil(epochs=2)),
)
TABLES = {
    "losses, 4 layers": (
        row("labels alone", removal(), distil(0.0, 0.0)),
        row("scores", removal(), distil(0.9, 0.0)),
        Row("scores and hidden states", ALTERNATE),
        Row("joined texts as well", Arm("joined texts", (removal(), distil(epochs=2)), joined=5_000)),
    ),
    "layers": tuple(Row(one.name, one) for one in CHOICES),
    "layers, before distillation": tuple(Row(one.name, one, "layer_removal") for one in CHOICES),
    "order, 4 layers at width 224": (
        Row("layers before matrices", ALTERNATE, "matrix_pruning"),
        Row("matrices before layers", REVERSE),
    ),
    "losses while narrowing, 4 layers to width 224": (
        Row("scores", ALTERNATE, "matrix_pruning"),
        Row("scores and hidden states", BY_STATES, "matrix_pruning"),
        Row("the same, in one cut instead of eight", CUT_ONCE, "matrix_pruning"),
        Row("in one cut, by weight size", BY_SIZE, "matrix_pruning"),
        Row("bench/targets.py, scores", LONG_BY_SCORES, "matrix_pruning"),
        Row("bench/targets.py, scores and hidden states", LONG, "matrix_pruning", targets.FILE),
    ),
}


def main() -> None:
    """Measure what is not measured yet, and print all."""
    small = "--small" in sys.argv and not sys.argv.remove("--small")
    given, task = options(__doc__), Task("mrpc", epochs=4, rate=1e-4) if small else Task("sst2", 10_000)
    mine = [one.arm for rows in TABLES.values() for one in rows if one.file == FILE]
    arms = dict.fromkeys(one for one in mine if not (small and one.joined))
    run([Trial(one, task, seed) for seed in range(given.seeds) for one in arms], FILE, given)
    for what, rows in TABLES.items():
        print(f"\n{what}, {task.key}: relative accuracy")
        table(_lines(rows, task))


def _lines(rows: Sequence[Row], task: Task) -> Iterator[Line]:
    for one in rows:
        after = [each["steps"][one.step] for each in results(one.file, one.arm, task)]
        size = f"{after[0]['size']:.1%} of the size" if after else ""
        yield one.words, [each["relative"] for each in after], size


if __name__ == "__main__":
    main()
