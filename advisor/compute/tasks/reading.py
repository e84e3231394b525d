"""How the rows of a task are read. Texts with one label need no task, and so no torch."""

from __future__ import annotations

from advisor.compute.data.dataset import Read
from advisor.facts.tasks import USUAL


def reading(tag: str) -> Read | None:
    """What reads the rows of a task; None for text classification, which needs nothing but `data`.

    Raises:
        AdviseError: no model can be run on it yet.
    """
    if tag == USUAL:
        return None
    from advisor.compute.tasks.registry import task_class

    return task_class(tag).read
