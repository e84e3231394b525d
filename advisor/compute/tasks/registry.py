"""Tasks by name: the module is named after the Hub's pipeline tag, so a new task is a file here and a line in
`facts.tasks`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from advisor.base.errors import AdviseError
from advisor.compute.tasks.task import Task

TAG = re.compile(r"[a-z][a-z-]{0,59}")
OLDER = {"classification": "text-classification", "regression": "text-classification"}


def task_of(tag: str, names: Sequence[str]) -> Task:
    """The task of a pipeline tag on data with labels of these names."""
    return task_class(tag)(tuple(names))


def task_class(tag: str) -> type[Task]:
    """The class of a task.

    Raises:
        AdviseError: there is no such task: the tag may come from anybody's config or report.
    """
    name = f"advisor.compute.tasks.{OLDER.get(tag, tag).replace('-', '_')}"
    found = TAG.fullmatch(tag) and find_spec(name) and getattr(import_module(name), "TASK", None)
    if not found:
        raise AdviseError(
            f"there is no task {tag!r:.60}", hint="a pipeline tag of the Hub, such as text-classification"
        )
    return cast(type[Task], found)
