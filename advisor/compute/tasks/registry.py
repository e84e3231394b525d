"""Tasks by name: the module is named after the Hub's pipeline tag, so a new task is a file here and a line in
`facts.tasks`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from importlib import import_module
from typing import Any, cast

from advisor.base.errors import AdviseError
from advisor.compute.tasks.task import Task
from advisor.facts.tasks import TASKS

# Kinds of labels for which a task is another one.
OF_LABELS = {"multi_label_classification": "several_labels"}


def task_of(tag: str, names: Sequence[str], problem_type: str | None = None, **settings: Any) -> Task:
    """The task of a pipeline tag on data with labels of these names.

    Args:
        problem_type: what a text's labels are. settings: the task takes those that it has.
    """
    found = task_class(tag, problem_type)
    own = {field.name for field in fields(found)}
    return found(tuple(names), **{name: value for name, value in settings.items() if name in own})


def task_class(tag: str, problem_type: str | None = None) -> type[Task]:
    """The class of a task.

    Raises:
        AdviseError: there is no such task; it may come from anybody's config.
    """
    if tag not in TASKS:
        raise AdviseError(f"there is no task {tag!r:.60}", hint=f"one of {', '.join(TASKS)}")
    name = OF_LABELS.get(problem_type or "", tag).replace("-", "_")
    return cast(type[Task], import_module(f"advisor.compute.tasks.{name}").TASK)
