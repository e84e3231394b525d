"""The rows that a recipe names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.frozen import replace
from advisor.facts.tasks import USUAL
from advisor.recipe.recipe import DataSource, Recipe

if TYPE_CHECKING:
    from advisor.compute.data.dataset import TaskData


def read_data(recipe: Recipe, source: str | None = None, base: Path = Path()) -> TaskData:
    """The rows of a recipe's data. source: instead of the recipe's own; base: the folder that it may start from.

    Raises:
        AdviseError: they cannot be read, understood or split, or no model can be run on their task.
    """
    there = source or recipe.data.source or ""
    if not Path(there).exists() and (base / there).exists():
        there = str(base / there)
    return rows_of(replace(recipe.data, source=there), recipe.training.seed)


def rows_of(data: DataSource, seed: int = 0) -> TaskData:
    """The rows that are stated. seed: decides their order and how they are split. Raises: see `read_data`."""
    from advisor.compute.data.dataset import load
    from advisor.compute.tasks.reading import reading

    task = data.task or USUAL
    return load(
        data.source or "",
        text=data.text,
        pair=data.pair,
        label=data.label,
        max_samples=data.max_samples,
        max_eval_samples=data.max_eval_samples,
        max_unlabelled=data.max_unlabelled,
        header=data.header,
        task=task,
        problem_type=data.problem_type,
        seed=seed,
        read_rows=reading(task),
    )
