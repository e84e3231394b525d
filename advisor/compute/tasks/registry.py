"""Tasks by name: the module is named after the Hub's pipeline tag, so a new task is a file here and a line in
`facts.tasks`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import cast

from advisor.compute.tasks.task import Task

OLDER = {"classification": "text-classification", "regression": "text-classification"}


def task_of(tag: str, names: Sequence[str]) -> Task:
    """The task of a pipeline tag on data with labels of these names."""
    return task_class(tag)(tuple(names))


def task_class(tag: str) -> type[Task]:
    """The class of a task."""
    module = import_module(f"advisor.compute.tasks.{OLDER.get(tag, tag).replace('-', '_')}")
    return cast(type[Task], module.TASK)
