"""Tasks by name: the module is named after the Hub's pipeline tag, so a new task is a file here and a line in
`facts.tasks`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from importlib import import_module
from typing import Any, cast

from advisor.compute.tasks.task import Task

OLDER = {"classification": "text-classification", "regression": "text-classification"}


def task_of(tag: str, names: Sequence[str], **settings: Any) -> Task:
    """The task of a pipeline tag on data with labels of these names. settings: those that it has no use for are left."""
    found = task_class(tag)
    own = {field.name for field in fields(found)}
    return found(tuple(names), **{name: value for name, value in settings.items() if name in own})


def task_class(tag: str) -> type[Task]:
    """The class of a task."""
    module = import_module(f"advisor.compute.tasks.{OLDER.get(tag, tag).replace('-', '_')}")
    return cast(type[Task], module.TASK)
