"""Real pretrained models: 2/3 of the layers, a narrower cut and int8, beside what advice predicts of them.

Command: python bench/real_models.py FOLDER TASK [--seeds 1] [--only narrow], FOLDER being any model that `advise run`
executes, as `save_pretrained` writes it, and TASK mrpc, sst2 (10,000 rows), cola or rte; `--show` prints all that is
measured so far. `--rows`, `--epochs` of distillation and `--joined` texts make it shorter: on one core with bf16 a wide
model takes an hour with `--joined 0`. It goes on where it was killed. Every model is timed beside its baseline on this
machine; `--again` times those again that other programs disturbed. What a rule of the core pack forbids is marked:
outside policy.

The folders that were measured hold weights that Python packages carry: MPNet (all-mpnet-base-v2), MiniLM's 6 layers in
DistilBERT's class, 12 layers of multilingual E5-small in RoBERTa's class, and FLAN-T5-small. Results:
bench/results/real-models.jsonl.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from statistics import mean
from typing import Any

from points import A_THIRD, NARROW, TWO_THIRDS
from result_runs import disturbed
from tasks import Task
from trials import HERE, Arm, Trial, parser, read, run

from advisor.base.frozen import names
from advisor.families import registry
from advisor.inspection import probe
from advisor.recipe.levels import structure
from advisor.recipe.steps.step import Step

FILE = HERE / "results" / "real-models.jsonl"
SLIM = 512  # the width up to which the rule narrow-models-learn-faster advises the higher rate
INT8 = "quantization: {}"
HEAD = ("model, data", "after", "baseline", "relative accuracy", "predicted", "size", "predicted", "time", "predicted")
Measured = Mapping[str, Any]  # a line of the results


def task(name: str, width: int, rows: int | None = None) -> Task:
    """A data set with the budget of bench/targets.py; wide models learn little data at the default rate."""
    if name == "sst2":
        return Task(name, rows or 10_000)
    return Task(name, rows, epochs=4, rate=1e-4) if width <= SLIM else Task(name, rows)


def arms(
    folder: Path, name: str, epochs: int = 5, joined: int = 10_000, rows: int | None = None, int8: bool = True
) -> tuple[Task, tuple[Arm, ...]]:
    """Two thirds of the layers, and these at the white paper's width: each distilled, then int8 unless left out."""
    width, whole = cut(folder, "L1", epochs)
    last = (INT8,) if int8 else ()
    layers = Arm("two thirds", (*whole, *last), joined, serves=True)
    narrow = cut(folder, "L3", epochs)[1][2:]  # none where no step can narrow the model
    deeper = [Arm("narrower", (*whole, *narrow, *last), joined, serves=True, goes_on=layers.name)] if narrow else []
    return task(name, width, rows), (layers, *deeper)


def deep(folder: Path) -> dict[str, Arm]:
    """The white paper's levels by their names in points.LEVELS: the deeper two are steps of one arm."""
    whole = Arm("two thirds", cut(folder, "L1", 5)[1], serves=True)
    third = Arm("a third and narrow", cut(folder, "L3", 8)[1] or cut(folder, "L2", 8)[1], serves=True)
    return {TWO_THIRDS: whole, A_THIRD: third} | ({NARROW: third} if third.steps[2:] else {})


def cut(folder: Path, level: str, epochs: int) -> tuple[int, tuple[str, ...]]:
    """A model's width, and the steps of a level as lines of YAML. epochs: of distillation; narrowing takes 4 at most.

    No steps where no step narrows this kind of model.
    """
    found = probe.model(str(folder))
    family = registry.find(found.facts.family or "")
    if family is None or found.config is None or not structure("L1", family, found.config):
        raise SystemExit(f"{folder}: no step can remove layers of this model")
    width = family.shape(found.config).hidden_size
    rate = 3e-4 if width <= SLIM else 1e-4
    paces = ({}, {"epochs": epochs, "learning_rate": rate}, {"epochs": min(epochs, 4), "learning_rate": rate})
    steps = structure(level, family, found.config) or ()
    return width, tuple(line(step, **pace) for step, pace in zip(steps, paces, strict=False))


def line(step: Step, **given: float) -> str:
    """A step as a line of YAML, with every setting that it has or is given."""
    settings = {name: value for name in names(step) if (value := given.get(name, getattr(step, name))) is not None}
    return f"{step.name}: {json.dumps(settings)}"


def rows(lines: Sequence[Measured]) -> Iterator[tuple[str, ...]]:
    """A row for each model, data set, arm and step; several seeds share one."""

    def place(one: Measured) -> tuple[str, str, str]:
        return one["model"], one["task"], one["arm"]

    for (model, data, arm), some in groupby(sorted(lines, key=place), place):
        alike = list({one["seed"]: one for one in some}.values())  # the last of each: it was timed again
        outside = " (outside policy)" if alike[0]["outside_policy"] else ""
        for name in list(alike[0]["steps"])[1:]:
            steps = [one["steps"][name] | {"busy": disturbed(one)} for one in alike]
            what = f"{arm}, {name.replace('_', ' ')}{outside}"
            yield f"{model}, {data}", what, f"{mean(one['baseline'] for one in alike):.3f}", *_cells(steps)


def _cells(steps: Sequence[Measured]) -> Iterator[str]:
    expected = steps[0]["predicted"]
    for name, key, interval in (
        ("accuracy", "relative", "interval"),
        ("size", "size", ""),
        ("time", "time", "time_interval"),
    ):
        values = [one[key] for one in steps if key in one]
        busy = " on a busy machine" if key == "time" and any(one["busy"] for one in steps) else ""
        yield _ends(values, steps[0].get(interval) if len(values) == 1 else None) + busy
        yield "{:.2f} to {:.2f}".format(*expected[name]) if name in expected else "no evidence"


def _ends(values: Sequence[float], interval: Sequence[float] | None) -> str:
    if not values:
        return "not measured"
    if interval:
        return f"{values[0]:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"
    each = f" ({', '.join(f'{value:.3f}' for value in values)})" if len(values) > 1 else ""
    return f"{mean(values):.3f}{each}"


def main() -> None:
    """Measure what is not measured yet, and print all."""
    reader = parser(__doc__)
    reader.add_argument("folder", type=Path, nargs="?")
    reader.add_argument("name", nargs="?", metavar="task", choices=("mrpc", "sst2", "cola", "rte"))
    reader.add_argument("--rows", type=int, help="of the training split (default: 10,000 of SST-2, else all)")
    reader.add_argument("--epochs", type=int, default=5, help="of distillation")
    reader.add_argument("--joined", type=int, default=10_000, help="texts of two training texts to distil on")
    reader.add_argument("--fp32", action="store_true", help="leave int8 out, whose search takes an hour on T5")
    given = reader.parse_args()
    if given.folder and given.name:
        given.model = given.folder.resolve()
        chosen, todo = arms(given.model, given.name, given.epochs, given.joined, given.rows, not given.fp32)
        run([Trial(arm, chosen, seed, given.model.name) for seed in range(given.seeds) for arm in todo], FILE, given)
    for row in (HEAD, ("---",) * len(HEAD), *rows(read(FILE))):
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
