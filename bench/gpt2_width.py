"""GPT-2's matrices cut as one and by query, key and value (the white paper's S26): what each keeps beside layers alone.

Command: python bench/gpt2_width.py FOLDER [--task imdb] [--seeds 1], FOLDER being a GPT-2, such as bench/pretrain.py
makes. A third of the layers, distilled; then 7/12 of the width, with the fused matrix of query, key and value cut
by each of them, or as if it were one matrix. Cuts of GPT-2's width are outside the policy: measured, never advised. It
goes on where it was killed; `--show` prints what is there. Results: bench/results/gpt2-width.jsonl.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from figures import IMDB
from real_models import cut
from targets import LARGE
from trials import HERE, Arm, Line, Trial, parser, results, run, table

from advisor.compute.structure import proven, surgery
from advisor.compute.structure.inference.proof import relabelled
from advisor.compute.training import gradual_pruning
from advisor.families.described.structure import Structure

FILE = HERE / "results" / "gpt2-width.jsonl"
FUSED, AS_ONE = "c_attn.", "heads:3*head"  # right is "heads:head" three times: a third each of query, key and value
TASKS = (*IMDB, LARGE)


@contextmanager
def as_one_matrix() -> Iterator[None]:
    """Within, a head of GPT-2 is a run of columns of the fused matrix, whatever they hold."""

    def mistaken(model: Any) -> Structure:
        found = proven.structure_of(model)
        rows = {
            name: relabelled(row, len(row.axes) - 1, AS_ONE) if FUSED in name else row
            for name, row in found.rows.items()
        }
        return replace(found, rows=rows)

    with patch.object(surgery, "structure_of", mistaken), patch.object(gradual_pruning, "structure_of", mistaken):
        yield


def arms(steps: tuple[str, ...]) -> tuple[Arm, ...]:
    """Layers alone, and the two ways to narrow what they leave."""
    layers = Arm("a third of the layers", steps[:2])
    return (
        layers,
        Arm("then by query, key and value", steps, goes_on=layers.name),
        Arm("then as one matrix", steps, goes_on=layers.name, within=as_one_matrix),
    )


def main() -> None:
    """Measure what is missing, and print what there is."""
    reader = parser(__doc__ or "")
    reader.add_argument("folder", type=Path, metavar="FOLDER", help="a GPT-2")
    reader.set_defaults(seeds=1)
    given = reader.parse_args()
    given.model = given.folder
    found = arms(cut(given.model, "L3", 8)[1])
    every = [Trial(arm, task, seed, given.model.name) for task in TASKS for seed in range(given.seeds) for arm in found]
    run(every, FILE, given)
    table(_rows(found, given.model.name))


def _rows(found: tuple[Arm, ...], model: str) -> Iterator[Line]:
    for task in TASKS:
        for arm in found:
            lines = results(FILE, arm, task, model)
            kept = [list(one["steps"].values())[-1]["relative"] for one in lines]
            if kept:
                yield f"{task.key}, {arm.name}", kept, "outside policy" if arm is not found[0] else ""


if __name__ == "__main__":
    main()
