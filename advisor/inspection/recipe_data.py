"""The rows that a recipe names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from advisor.facts.tasks import OF_TASK
from advisor.recipe.recipe import Recipe

if TYPE_CHECKING:
    from advisor.compute.data.dataset import TaskData


def read_data(recipe: Recipe, source: str | None = None, base: Path = Path()) -> TaskData:
    """The rows of a recipe's data. source: instead of the recipe's own; base: the folder that it may start from.

    Raises:
        AdviseError: they cannot be read, understood or split.
    """
    from advisor.compute.data.dataset import load
    from advisor.compute.tasks.reading import reading

    wanted = recipe.data
    there = source or wanted.source or ""
    if not Path(there).exists() and (base / there).exists():
        there = str(base / there)
    task = wanted.task if wanted.task in OF_TASK else None
    return load(
        there,
        text=wanted.text,
        pair=wanted.pair,
        label=wanted.label,
        max_samples=wanted.max_samples,
        task=task,
        seed=recipe.training.seed,
        read_rows=reading(task),
    )
