"""`advise demo --out DIR`: the main job on a small real model and real text, in about four minutes on two cores."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.cli.options import parser
from advisor.inspection.probe import needs_run

if TYPE_CHECKING:
    from advisor.recipe.recipe import Recipe

# The advised recipe trains for longer; a demonstration must end within minutes.
SHORT = {"finetune": {"epochs": 1, "learning_rate": 1e-4}, "distillation": {"epochs": 1}}
MAX_TOKENS = 64


def run(arguments: Sequence[str]) -> int:
    """Write the data, advise, and run the recipe; exit codes as of `advise run`."""
    demo = parser("advise demo", "Advise and run on a small real BERT and on docstrings of installed packages.")
    demo.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder for data, recipe and run")
    out = demo.parse_args(arguments).out
    needs_run("advise demo")
    from advisor.base.files import new_folder, write
    from advisor.cli import advise
    from advisor.cli import run as run_command
    from advisor.execution.demo import model_folder, write_data
    from advisor.recipe.reader import load
    from advisor.recipe.recipe import as_yaml

    model = str(model_folder())
    new_folder(out, "give --out a new folder")
    sys.stderr.write("collecting docstrings of the installed packages …\n")
    summary = write_data(out / "data")
    sys.stderr.write(f"labelled by their library: {', '.join(summary.counts)}; its name is masked\n")
    left_out = "".join(f"left out: {name}, {reason}\n" for name, reason in summary.left_out.items())
    sys.stderr.write(left_out + "\n")
    recipe, short, data = out / "recipe.yaml", out / "short.yaml", str(out / "data")
    advise.run(["--model", model, "--data", data, "--device", "cpu", "--name", "demo", "-o", str(recipe)])
    write(short, as_yaml(_shortened(load(recipe)[0])))
    shorter = f"one epoch for each step, no joined texts, at most {MAX_TOKENS} tokens"
    sys.stderr.write(f"{short} is the same recipe with less training: {shorter}\n\n")
    return run_command.run([str(short), "--data", data, "--out", str(out / "run")])


def _shortened(recipe: Recipe) -> Recipe:
    """The recipe with less training."""
    steps = tuple(
        replace(step, **SHORT[step.name]) if step.name in SHORT else step  # type: ignore[arg-type]
        for step in recipe.steps
    )
    training = replace(recipe.training, max_tokens=MAX_TOKENS, joined_texts=0)
    return replace(recipe, steps=steps, training=training)
