"""How the rows of a task are read. Texts with one label need no task, and so no torch."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from advisor.base.errors import AdviseError
from advisor.base.install import pip_command
from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.dataset import Read
from advisor.compute.data.files import File, refuse_texts_alone
from advisor.compute.data.labels import Labelled
from advisor.facts.tasks import USUAL


def reading(tag: str) -> Read | None:
    """What reads the rows of a task; None for text classification, which needs nothing but `data`.

    Raises:
        AdviseError: there is no such task, or a library that it needs is not installed.
    """
    if tag == USUAL:
        return None
    from advisor.compute.tasks.registry import task_class

    task = task_class(tag)
    if missing := [name for name in task.libraries if find_spec(name) is None]:
        raise AdviseError(f"{tag} needs {', '.join(missing)}, not installed", hint=pip_command(task.extra))
    return task.read if task.learns_from_texts_alone else _with_answers(task.read)


def _with_answers(read: Read) -> Read:
    """The same, but that files of texts alone are refused."""

    def checked(source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
        refuse_texts_alone(files)
        return read(source, files, named)

    return checked
