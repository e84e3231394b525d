"""How the rows of a task are read. Texts with one label need no task, and so no torch."""

from __future__ import annotations

from advisor.compute.data.dataset import Read

TEXTS = (None, "classification", "regression", "text-classification")


def reading(tag: str | None) -> Read | None:
    """What reads the rows of a task; None for texts with one label, which need nothing but `data`."""
    if tag in TEXTS:
        return None
    from advisor.compute.tasks.registry import task_class

    return task_class(tag or "").read
